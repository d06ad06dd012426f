//! The end of a proxy: gracefully, then at a deadline, then by force; and nothing is lost.

use super::pair::{FAILURE, Pair, SUCCESS};
use clew_testkit::client::{Client, answer, get};
use clew_testkit::metrics::Metrics;
use clew_testkit::upstream::{Answering, Scripted, ok, status};
use clew_testkit::wire::{Wire, WireListener, header};
use clew_testkit::{Mesh, body, within};
use http::{Response, StatusCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;

#[tokio::test]
async fn drain_lets_open_requests_finish_and_takes_no_new_ones() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut members = pair.mesh.members();
    let mut one = Wire::connect(pair.entry()).await;
    one.write("GET /1 HTTP/1.1\r\nHost: books\r\n\r\n").await;
    let open_one = application.next().await;
    let mut two = Client::http2(pair.entry()).await;
    let asking = tokio::spawn(two.share().send(get("http://books/2")));
    let open_two = application.next().await;
    let mut idle = Client::http1(pair.entry()).await;
    let answering = application.answer_next(ok("idle"));
    tokio::join!(idle.ask(get("http://books/idle")), answering);

    pair.webapp.drain();
    members.withdrawn("webapp-1").await;
    // An idle connection is closed: nothing is to be waited for on it.
    idle.closed().await;
    let refused = within("a new connection to be refused", async {
        while let Ok(stream) = TcpStream::connect(pair.entry()).await {
            drop(stream);
        }
    });
    refused.await;

    open_one.answer(ok("first"));
    let (head, body) = one.read_message().await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(
        header(&head, "connection"),
        Some("close"),
        "the client is told"
    );
    assert_eq!(body, b"first");
    open_two.answer(ok("second"));
    let response = within("the answer", asking).await.unwrap().unwrap();
    assert_eq!(answer(response).await.text(), "second");
    two.closed().await;
    pair.webapp.stop().await;
    assert_eq!(pair.books.metrics().await.responses(&[SUCCESS]), 3);
    pair.stop().await;
}

/// What is open when a proxy is forced to end.
struct Open {
    pair: Pair,
    _clients: (Client, Client, Wire, Wire),
}

impl Open {
    /// A request without an answer by HTTP/1 and by HTTP/2, an answer in the middle, and a tunnel.
    async fn begin(last_scrape: Duration) -> (Self, Scripted) {
        let mut application = Scripted::start().await;
        let mesh = Mesh::begin().await;
        let books = mesh
            .sidecar("books")
            .serves(application.address())
            .start()
            .await;
        let webapp = mesh
            .sidecar("webapp")
            .calls("books")
            .limits(|limits| {
                limits.drain_timeout = Duration::from_secs(3_600);
                limits.last_scrape_timeout = last_scrape;
            })
            .start()
            .await;
        let pair = Pair {
            mesh,
            webapp,
            books,
        };
        let mut one = Client::http1(pair.entry()).await;
        let two = Client::http2(pair.entry()).await;
        let asking = two.share().send(get("http://books/waiting/2"));
        tokio::spawn(asking);
        let waiting_two = application.next().await;
        let asking = tokio::spawn(async move {
            let response = one.send(get("http://books/half")).await.unwrap();
            (one, response)
        });
        let (writer, half) = body::written();
        application.next().await.answer(Response::new(half));
        let (one, response) = within("the head", asking).await.unwrap();
        writer.data("half").await;
        let mut incoming = response.into_body();
        body::next_data(&mut incoming).await.unwrap().unwrap();
        let mut waiting = Wire::connect(pair.entry()).await;
        waiting
            .write("GET /waiting/1 HTTP/1.1\r\nHost: books\r\n\r\n")
            .await;
        let waiting_one = application.next().await;
        let mut tunnel = Wire::connect(pair.entry()).await;
        tunnel
            .write(
                "GET /chat HTTP/1.1\r\nHost: books\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n",
            )
            .await;
        let mut exchange = application.next().await;
        let upgrade = exchange.upgrade();
        let mut accepted = status(101);
        accepted
            .headers_mut()
            .insert("connection", "upgrade".parse().unwrap());
        accepted
            .headers_mut()
            .insert("upgrade", "chat".parse().unwrap());
        exchange.answer(accepted);
        tunnel.read_head().await;
        // What is open stays open until the proxy ends it.
        tokio::spawn(async move {
            let _held = (upgrade.await, waiting_one, waiting_two, incoming);
            writer.unread().await;
            std::future::pending::<()>().await;
        });
        let open = Self {
            pair,
            _clients: (one, two, waiting, tunnel),
        };
        (open, application)
    }
}

#[tokio::test]
async fn what_is_open_at_the_end_is_counted_as_cut_off_by_the_shutdown() {
    let (open, _application) = Open::begin(Duration::from_secs(3_600)).await;
    let webapp = &open.pair.webapp;
    // Somebody reads its numbers, so that it waits to be read once more.
    assert_eq!(webapp.metrics().await.responses(&[]), 0);
    let mut members = open.pair.mesh.members();
    webapp.drain();
    members.withdrawn("webapp-1").await;
    webapp.force();
    let ended = |metrics: &Metrics| metrics.responses(&[]) == 4;
    let last = webapp
        .metrics_when("all that was open to be counted", ended)
        .await;
    assert_eq!(last.requests(&[]), 4);
    assert_eq!(
        last.responses(&[FAILURE, ("error", "shutdown")]),
        4,
        "{last:#?}"
    );
    webapp.stop_while_read().await;
    open.pair.stop().await;
}

#[tokio::test]
async fn at_the_deadline_what_is_open_ends_by_itself() {
    let mut application = Scripted::start().await;
    let mesh = Mesh::begin().await;
    let books = mesh
        .sidecar("books")
        .serves(application.address())
        .limits(|limits| {
            limits.drain_timeout = Duration::from_millis(50);
            limits.last_scrape_timeout = Duration::from_secs(3_600);
        })
        .start()
        .await;
    let mut client = Client::http1(books.inbound()).await;
    let asking = tokio::spawn(async move { client.send(get("http://books/")).await });
    let mut exchange = application.next().await;
    assert_eq!(books.metrics().await.requests(&[]), 1);
    books.drain();
    exchange.given_up().await;
    let ended = |metrics: &Metrics| metrics.responses(&[]) == 1;
    let last = books.metrics_when("the request to be cut off", ended).await;
    assert_eq!(last.responses(&[FAILURE, ("error", "shutdown")]), 1);
    assert!(
        within("the client to be told", asking)
            .await
            .unwrap()
            .is_err()
    );
    books.stop_while_read().await;
    mesh.stop().await;
}

#[tokio::test]
async fn a_transfer_goes_on_while_the_proxy_drains_and_ends_by_force() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut members = pair.mesh.members();
    let mut client = Wire::connect(pair.entry()).await;
    client.write([0]).await;
    let mut server = listener.accept().await;
    assert_eq!(server.read(1).await, [0]);
    pair.webapp.drain();
    members.withdrawn("webapp-1").await;
    for byte in 1..5 {
        client.write([byte]).await;
        assert_eq!(server.read(1).await, [byte]);
    }
    pair.webapp.force();
    client.closed().await;
    pair.webapp.stop().await;
    drop(server);
    pair.stop().await;
}

#[tokio::test]
async fn the_last_numbers_are_read_before_the_proxy_is_gone() {
    let mut application = Scripted::start().await;
    let mesh = Mesh::begin().await;
    let _books = mesh
        .sidecar("books")
        .serves(application.address())
        .start()
        .await;
    let webapp = mesh
        .sidecar("webapp")
        .calls("books")
        .limits(|limits| limits.last_scrape_timeout = Duration::from_secs(3_600))
        .start()
        .await;
    let mut members = mesh.members();
    let mut client = Client::http1(webapp.dependency("books")).await;
    let asking = tokio::spawn(async move { client.ask(get("http://books/")).await });
    let exchange = application.next().await;
    assert_eq!(webapp.metrics().await.responses(&[]), 0);
    webapp.drain();
    members.withdrawn("webapp-1").await;
    exchange.answer(ok("at last"));
    assert_eq!(
        within("the answer", asking).await.unwrap().status,
        StatusCode::OK
    );
    // It waits as a leaving member; the scrape that sees the last request lets it go.
    let ended = |metrics: &Metrics| metrics.responses(&[]) == 1;
    webapp.metrics_when("the last request", ended).await;
    webapp.stop_while_read().await;
    members.gone("webapp-1").await;
    mesh.stop().await;
}

/// 1. Control has withdrawn an instance, and callers hear of it one after the other.
/// 2. One that has not asks it: it is answered, on a new connection too, until the grace is over.
#[tokio::test]
async fn who_has_not_heard_that_an_instance_leaves_is_still_answered() {
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let books = mesh
        .sidecar("books")
        .serves(application.address())
        .limits(|limits| limits.leave_grace = Duration::from_secs(3_600))
        .start()
        .await;
    let mut members = mesh.members();
    let mut client = Client::http1(books.inbound()).await;
    books.drain();
    members.withdrawn("books-1").await;
    assert_eq!(
        client.ask(get("http://books/")).await.status,
        StatusCode::OK
    );
    let mut late = Client::http1(books.inbound()).await;
    assert_eq!(late.ask(get("http://books/")).await.status, StatusCode::OK);
    drop((client, late));
    books.force();
    books.stop().await;
    mesh.stop().await;
}

#[tokio::test]
async fn no_request_is_lost_when_one_of_two_instances_leaves() {
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let instance = |name: &'static str| {
        mesh.sidecar("books")
            .instance(name)
            .serves(application.address())
            .start()
    };
    let (leaving, _staying) = (instance("books-1").await, instance("books-2").await);
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|number| {
            let (stop, entry) = (Arc::clone(&stop), webapp.dependency("books"));
            tokio::spawn(async move {
                let mut client = match number % 2 {
                    0 => Client::http1(entry).await,
                    _ => Client::http2(entry).await,
                };
                let mut asked = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    let answer = client.ask(get("http://books/")).await;
                    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
                    asked += 1;
                }
                asked
            })
        })
        .collect();
    let busy = |metrics: &Metrics| metrics.responses(&[]) > 100;
    leaving
        .metrics_when("both instances to be busy", busy)
        .await;
    leaving.stop().await;
    let before = webapp.metrics().await.responses(&[]);
    let on = |metrics: &Metrics| metrics.responses(&[]) > before + 100;
    webapp.metrics_when("the other instance to go on", on).await;
    stop.store(true, Ordering::Relaxed);
    let mut asked = 0;
    for client in clients {
        asked += within("a client to end", client).await.unwrap();
    }
    let metrics = webapp.metrics().await;
    assert_eq!(metrics.responses(&[SUCCESS]), asked);
    assert_eq!(metrics.requests(&[]), asked);
    assert_eq!(
        application.seen().len() as u64,
        asked,
        "and none was sent twice"
    );
    mesh.stop().await;
}
