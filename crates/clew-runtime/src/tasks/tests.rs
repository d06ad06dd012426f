#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

#[tokio::test]
async fn a_panic_is_reported_by_the_name_of_its_task() {
    let mut tasks = TaskSet::new();
    tasks.spawn("quiet", async {});
    tasks.spawn("loud", async { panic!("no {}", "thread") });
    tasks.spawn("terse", async { panic!("none") });
    let mut failures = tasks.join_all().await;
    failures.sort_by_key(ToString::to_string);
    let said: Vec<String> = failures.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["task loud panicked: no thread", "task terse panicked: none"]
    );
    assert!(tasks.is_empty() && tasks.names.is_empty());
}

#[tokio::test]
async fn an_owner_learns_which_task_ended_first() {
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let mut tasks = TaskSet::new();
    tasks.spawn("stays", std::future::pending());
    tasks.spawn("leaves", async move {
        let _ = ended.await;
    });
    end.send(()).unwrap();
    let (name, result) = tasks.join_next().await.unwrap();
    assert_eq!((&*name, result), ("leaves", Ok(())));
    tasks.abort_all();
    let failures = tasks.join_all().await;
    assert_eq!(
        failures,
        [TaskError::Cancelled {
            name: "stays".into()
        }]
    );
}

#[tokio::test]
async fn reaping_takes_out_only_what_has_ended() {
    let mut tasks = TaskSet::new();
    tasks.spawn("stays", std::future::pending());
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    tasks.spawn("leaves", async move { end.send(()).unwrap() });
    ended.await.unwrap();
    // The task has done its last step; the runtime notes its end before it runs another one.
    tokio::task::yield_now().await;
    assert_eq!(tasks.reap(), []);
    assert_eq!((tasks.len(), tasks.names.len()), (1, 1));
}

#[tokio::test]
async fn dropping_the_set_ends_its_tasks() {
    struct Dropped(Option<tokio::sync::oneshot::Sender<()>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            let _ = self.0.take().unwrap().send(());
        }
    }
    let (tx, rx) = tokio::sync::oneshot::channel();
    let held = Dropped(Some(tx));
    let mut tasks = TaskSet::new();
    tasks.spawn("held", async move {
        let _held = held;
        std::future::pending::<()>().await;
    });
    drop(tasks);
    rx.await.unwrap();
}

#[tokio::test]
async fn local_tasks_stay_on_their_thread() {
    let local = tokio::task::LocalSet::new();
    let count = std::rc::Rc::new(std::cell::Cell::new(0));
    let counted = std::rc::Rc::clone(&count);
    local
        .run_until(async move {
            let mut tasks = TaskSet::new();
            tasks.spawn_local("counts", async move { counted.set(1) });
            assert_eq!(tasks.join_all().await, []);
        })
        .await;
    assert_eq!(count.get(), 1);
}
