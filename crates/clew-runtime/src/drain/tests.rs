#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn finishes_clean_when_the_last_guard_is_dropped() {
    let (drain, watch) = Drain::new(LONG);
    let first = watch.guard();
    let second = watch.guard();
    drain.start();
    assert!(watch.is_started());
    let finished = drain.finished();
    tokio::pin!(finished);
    assert!(timeout(LONG / 2, &mut finished).await.is_err());
    drop(first);
    assert_eq!(drain.open(), 1);
    drop(second);
    assert_eq!(finished.await, Finished::Clean);
}

#[tokio::test(start_paused = true)]
async fn open_work_is_forced_at_the_deadline_and_counted() {
    let (drain, watch) = Drain::new(Duration::from_secs(30));
    let _stuck = watch.guard();
    drain.start();
    let begun = Instant::now();
    assert_eq!(drain.finished().await, Finished::Forced { open: 1 });
    assert_eq!(begun.elapsed().as_secs(), 30);
    watch.forced().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_start_does_not_move_the_deadline() {
    let (drain, watch) = Drain::new(Duration::from_secs(30));
    drain.start();
    let begun = Instant::now();
    tokio::time::advance(Duration::from_secs(20)).await;
    drain.start();
    watch.forced().await;
    assert_eq!(begun.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn force_ends_the_grace_and_starts_a_drain_that_has_not_begun() {
    let (drain, watch) = Drain::new(LONG);
    let _stuck = watch.guard();
    drain.force();
    watch.started().await;
    watch.forced().await;
    assert_eq!(drain.finished().await, Finished::Forced { open: 1 });
    // A start that comes after force does not give the grace back.
    drain.start();
    watch.forced().await;
}

#[tokio::test(start_paused = true)]
async fn force_wakes_those_who_wait_for_the_deadline() {
    let (drain, watch) = Drain::new(LONG);
    drain.start();
    let begun = Instant::now();
    let waiter = tokio::spawn(async move { watch.forced().await });
    tokio::task::yield_now().await;
    drain.force();
    waiter.await.unwrap();
    assert!(begun.elapsed() < LONG);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_owner_starts_the_drain_and_keeps_its_grace() {
    let (drain, watch) = Drain::new(Duration::from_secs(5));
    assert!(!watch.is_started());
    drop(drain);
    watch.started().await;
    let begun = Instant::now();
    watch.forced().await;
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_endless_grace_has_no_deadline() {
    let (drain, watch) = Drain::new(Duration::MAX);
    drain.start();
    assert!(timeout(LONG, watch.forced()).await.is_err());
}

#[tokio::test]
async fn one_drain_serves_runtimes_on_other_threads() {
    let (drain, watch) = Drain::new(LONG);
    let (ready_tx, mut ready) = tokio::sync::mpsc::channel(4);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (watch, ready) = (watch.clone(), ready_tx.clone());
            std::thread::spawn(move || {
                let rt = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                rt.block_on(async {
                    let _open = watch.guard();
                    ready.send(()).await.unwrap();
                    watch.started().await;
                });
            })
        })
        .collect();
    for _ in 0..4 {
        ready.recv().await.unwrap();
    }
    assert_eq!(drain.open(), 4);
    drain.start();
    assert_eq!(drain.finished().await, Finished::Clean);
    for thread in threads {
        thread.join().unwrap();
    }
}
