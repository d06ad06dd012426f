use super::*;
use rusqlite::Connection;

#[tokio::test]
async fn a_closed_store_is_found_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let place = StorePath::File(directory.path().join("deep/er/clew.db"));
    let store = open(place.clone());
    // Not flushed: closing writes what was accepted.
    store
        .insert_spans(vec![span(1, 1, None, ("web", 0))])
        .unwrap();
    store.close().await;
    assert_eq!(
        store.insert_spans(vec![span(1, 2, None, ("web", 0))]),
        Err(WriteError::Closed)
    );
    assert!(matches!(
        store.load_trace(trace_id(1)).await,
        Err(ReadError::Closed)
    ));
    assert_eq!(store.flush().await, Err(WriteError::Closed));

    let store = open(place);
    assert_eq!(
        store
            .load_trace(trace_id(1))
            .await
            .unwrap()
            .unwrap()
            .spans
            .len(),
        1
    );
}

/// 1. The store commits a batch, and its process is killed before the log is written back.
/// 2. The next process finds the file and the log, and with them all that was committed.
#[tokio::test]
async fn what_was_committed_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("clew.db");
    let store = open(StorePath::File(path.clone()));
    insert(
        &store,
        (1..=500)
            .map(|n| span(u128::from(n), n, None, ("web", n)))
            .collect(),
    )
    .await;
    let after = directory.path().join("after.db");
    std::fs::copy(&path, &after).unwrap();
    std::fs::copy(
        directory.path().join("clew.db-wal"),
        directory.path().join("after.db-wal"),
    )
    .unwrap();
    let found = open(StorePath::File(after));
    assert_eq!(found.stats().await.unwrap().traces, 500);
    assert!(found.load_trace(trace_id(500)).await.unwrap().is_some());
}

/// The last handle goes without a close: what was accepted is written all the same.
#[tokio::test]
async fn dropping_the_store_writes_what_it_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("clew.db");
    let store = open(StorePath::File(path.clone()));
    store
        .insert_spans(vec![span(1, 1, None, ("web", 0))])
        .unwrap();
    drop(store);
    let reopened = open(StorePath::File(path));
    assert!(reopened.load_trace(trace_id(1)).await.unwrap().is_some());
}

/// 1. Something keeps the writer from writing.
/// 2. The queue takes what it can hold, and then says that it is full. Nobody waits.
/// 3. The writer can write again: what was accepted is there, what was refused is not.
#[tokio::test]
async fn a_full_queue_refuses_and_keeps_what_it_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("clew.db");
    let store = open(StorePath::File(path.clone()));
    let blocker = Connection::open(&path).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let batch = |n: u128| {
        (1..=1_000)
            .map(|id| Span {
                status_message: "x".repeat(4_000),
                ..span(n, id, None, ("web", 0))
            })
            .collect::<Vec<_>>()
    };
    let mut accepted = 0u128;
    let refused = loop {
        match store.insert_spans(batch(accepted + 1)) {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 200, "the queue has no bound");
    };
    assert_eq!(refused, WriteError::Full);
    blocker.execute_batch("COMMIT").unwrap();
    store.flush().await.unwrap();
    assert_eq!(u128::from(store.stats().await.unwrap().traces), accepted);
    store.insert_spans(batch(accepted + 1)).unwrap();
}

/// A thousand small spans and ten large ones are as much to the memory, and so to the queue.
#[tokio::test]
async fn the_queue_is_bounded_in_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("clew.db");
    let store = open(StorePath::File(path.clone()));
    let blocker = Connection::open(&path).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let large = |n: u128| {
        let mut large = span(n, 1, None, ("web", 0));
        large.attributes = vec![("x".to_owned(), "x".repeat(1 << 20).as_str().into())];
        vec![large]
    };
    let refused = (1..=200).find_map(|n| store.insert_spans(large(n)).err());
    assert_eq!(refused, Some(WriteError::Full));
    blocker.execute_batch("COMMIT").unwrap();
    store.flush().await.unwrap();
}

/// 1. Writing fails: who waits for it is told, and what is lost is counted.
/// 2. Writing works again: the next scrape books what the lost one would have.
#[tokio::test]
async fn a_lost_scrape_is_made_up_for_by_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("clew.db");
    let store = open(StorePath::File(path.clone()));
    let at = |n: u64, total| scrape("i", second(n), vec![counter("x_total", &[], total)]);
    record(&store, vec![at(1, 10.0)]).await;

    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("ALTER TABLE counter_points RENAME TO away")
        .unwrap();
    store.record_scrape(at(2, 15.0)).unwrap();
    assert_eq!(store.flush().await, Err(WriteError::Failed));

    other
        .execute_batch("ALTER TABLE away RENAME TO counter_points")
        .unwrap();
    assert_eq!(store.stats().await.unwrap().scrapes_lost, 1);
    record(&store, vec![at(3, 18.0)]).await;
    assert_eq!(total(&store, "x_total").await, 18.0);
}
