use super::*;
use std::rc::Rc;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

#[tokio::test]
async fn a_drain_asks_each_connection_once_and_lets_it_finish() {
    let connections = Rc::new(Connections::default());
    let (finish, finished) = oneshot::channel::<()>();
    let asked = Rc::new(Cell::new(0));
    LocalSet::new()
        .run_until(async {
            let (table, count) = (Rc::clone(&connections), Rc::clone(&asked));
            let driving = tokio::task::spawn_local(async move {
                table
                    .drive(finished, |_| count.set(count.get() + 1))
                    .await
                    .is_some()
            });
            tokio::task::yield_now().await;
            assert_eq!(connections.open(), 1);
            connections.advance(Stage::Draining);
            tokio::task::yield_now().await;
            assert_eq!(asked.get(), 1, "asked to finish");
            assert_eq!(connections.open(), 1, "and given the time to");
            finish.send(()).ok();
            connections.closed().await;
            assert!(driving.await.ok() == Some(true), "it ended by itself");
            assert_eq!(asked.get(), 1);
        })
        .await;
}

#[tokio::test]
async fn force_ends_connections_that_do_not_finish() {
    let connections = Rc::new(Connections::default());
    LocalSet::new()
        .run_until(async {
            let table = Rc::clone(&connections);
            let driving = tokio::task::spawn_local(async move {
                table.drive(std::future::pending::<()>(), |_| {}).await
            });
            tokio::task::yield_now().await;
            connections.advance(Stage::Forced);
            connections.closed().await;
            assert!(driving.await.ok() == Some(None));
        })
        .await;
}

#[tokio::test]
async fn places_are_used_again() {
    let connections = Connections::default();
    for _ in 0..3 {
        assert_eq!(
            connections
                .drive(std::future::ready(7), |_: Pin<&mut _>| {})
                .await,
            Some(7)
        );
    }
    assert_eq!(connections.wakers.borrow().len(), 1);
    assert_eq!(connections.open(), 0);
}
