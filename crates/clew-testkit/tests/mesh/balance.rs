//! Which endpoint gets a request.

use super::pair::SUCCESS;
use clew_testkit::client::{Client, get};
use clew_testkit::upstream::{Answering, Scripted, ok};
use clew_testkit::{Mesh, within};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

#[tokio::test]
async fn requests_that_wait_are_spread_evenly() {
    const EACH: usize = 5;
    let (mut one, mut two) = (Scripted::start().await, Scripted::start().await);
    let mesh = Mesh::begin().await;
    let _one = mesh.join("books", "books-1", one.address()).await;
    let _two = mesh.join("books", "books-2", two.address()).await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let client = Client::http2(webapp.dependency("books")).await;
    let (mut asking, mut at_one, mut at_two) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..2 * EACH {
        asking.push(tokio::spawn(client.share().send(get("http://books/"))));
        // Of two endpoints the less loaded one is always found.
        tokio::select! {
            exchange = one.next() => at_one.push(exchange),
            exchange = two.next() => at_two.push(exchange),
        }
    }
    assert_eq!((at_one.len(), at_two.len()), (EACH, EACH));
    for exchange in at_one.into_iter().chain(at_two) {
        exchange.answer(ok("done"));
    }
    for asking in asking {
        within("an answer", asking).await.unwrap().unwrap();
    }
    drop(client);
    mesh.stop().await;
}

#[tokio::test]
async fn an_endpoint_that_is_busy_gets_fewer_requests() {
    // What the slow one is asked waits until the test is over; the other answers at once.
    let (open, busy) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (gate, count) = (Arc::clone(&open), Arc::clone(&busy));
    let slow = Answering::start(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        let gate = Arc::clone(&gate);
        async move {
            let _pass = gate.acquire().await.unwrap();
            ok("slow")
        }
    })
    .await;
    let quick = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let _slow = mesh.join("books", "books-1", slow.address()).await;
    let _quick = mesh.join("books", "books-2", quick.address()).await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    const REQUESTS: usize = 60;
    let client = Client::http2(webapp.dependency("books")).await;
    let mut answered = 0;
    let mut waiting = Vec::new();
    for _ in 0..REQUESTS {
        let before = busy.load(Ordering::Relaxed);
        let mut asking = tokio::spawn(client.share().send(get("http://books/")));
        // Either it is answered, or it waits at the slow one.
        let is_waiting = async {
            while busy.load(Ordering::Relaxed) == before {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            answer = within("an answer", &mut asking) => {
                answer.unwrap().unwrap();
                answered += 1;
                continue;
            }
            () = within("the request at the slow endpoint", is_waiting) => {}
        }
        waiting.push(asking);
    }
    assert!(
        waiting.len() <= 10,
        "{} of {REQUESTS} at the slow one",
        waiting.len()
    );
    open.add_permits(REQUESTS);
    for asking in waiting {
        within("an answer", asking).await.unwrap().unwrap();
        answered += 1;
    }
    assert_eq!(answered, REQUESTS);
    drop(client);
    mesh.stop().await;
}

#[tokio::test]
async fn a_member_that_is_killed_is_out_at_once_and_for_good() {
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let mut members = mesh.members();
    let killed = mesh.join("books", "books-1", application.address()).await;
    let webapp = mesh
        .sidecar("webapp")
        .calls("books")
        .calls("authors")
        .start()
        .await;
    let mut client = Client::http1(webapp.dependency("books")).await;
    assert_eq!(client.ask(get("http://books/")).await.text(), "ok");
    drop(killed);
    members.gone("books-1").await;
    // The proxy hears of it from control, and then never goes there again.
    let hearing = async { while client.ask(get("http://books/")).await.status == 200 {} };
    within("the proxy to hear of it", hearing).await;
    let before = application.seen().len();
    for _ in 0..20 {
        let answer = client.ask(get("http://books/")).await;
        assert_eq!(answer.header("clew-error"), "no_endpoints");
    }
    assert_eq!(application.seen().len(), before);

    // And one that comes back is found again.
    let _again = mesh.join("books", "books-1", application.address()).await;
    let hearing = async { while client.ask(get("http://books/")).await.status != 200 {} };
    within("the proxy to hear of it", hearing).await;
    drop(client);
    mesh.stop().await;
}

#[tokio::test]
async fn a_new_endpoint_gets_requests_and_one_that_left_gets_none() {
    let (old, new) = (Answering::ok().await, Answering::ok().await);
    let mesh = Mesh::begin().await;
    let old_member = mesh.join("books", "books-1", old.address()).await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let mut client = Client::http1(webapp.dependency("books")).await;
    client.ask(get("http://books/")).await;
    let _new_member = mesh.join("books", "books-2", new.address()).await;
    let reaching = async {
        while new.seen().is_empty() {
            client.ask(get("http://books/")).await;
        }
    };
    within("the new endpoint to be asked", reaching).await;
    drop(old_member);
    // Of two endpoints one is never missed so often in a row.
    let leaving = async {
        let mut missed = 0;
        while missed < 100 {
            let before = old.seen().len();
            assert_eq!(client.ask(get("http://books/")).await.status, 200);
            missed = if old.seen().len() == before {
                missed + 1
            } else {
                0
            };
        }
    };
    within("the old endpoint to be left alone", leaving).await;
    let all = (old.seen().len() + new.seen().len()) as u64;
    assert_eq!(webapp.metrics().await.responses(&[SUCCESS]), all);
    drop(client);
    mesh.stop().await;
}

#[tokio::test]
async fn an_answer_goes_on_after_its_endpoint_has_left() {
    let mut application = Scripted::start().await;
    let mesh = Mesh::begin().await;
    let mut members = mesh.members();
    let member = mesh.join("books", "books-1", application.address()).await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let mut client = Client::http1(webapp.dependency("books")).await;
    let asking = tokio::spawn(async move { client.ask(get("http://books/")).await });
    let exchange = application.next().await;
    drop(member);
    members.gone("books-1").await;
    exchange.answer(ok("all the same"));
    let answer = within("the answer", asking).await.unwrap();
    assert_eq!(answer.text(), "all the same");
    mesh.stop().await;
}
