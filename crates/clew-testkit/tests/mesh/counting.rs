//! Every request counts once: the proxies' numbers are those of the client that counted itself.

use super::pair::{CANCELLED, FAILURE, Pair, SUCCESS};
use clew_testkit::body::{self, Body};
use clew_testkit::client::{Client, Shared, answer, get, request, with};
use clew_testkit::metrics::{Filter, Metrics};
use clew_testkit::upstream::{Answering, ok, status};
use clew_testkit::{Mesh, Sidecar, within};
use http::{Method, Request, Response};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Requests of one load, of each kind as many.
const REQUESTS: usize = 400;
/// Clients at the same time.
const CLIENTS: usize = 8;

/// What the clients counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counted {
    success: u64,
    failure: u64,
    cancelled: u64,
}

impl Counted {
    fn of(metrics: &Metrics, labels: &[Filter<'_>]) -> Self {
        let class = |class: Filter<'static>| metrics.responses(&[labels, &[class]].concat());
        Self {
            success: class(SUCCESS),
            failure: class(FAILURE),
            cancelled: class(CANCELLED),
        }
    }

    fn all(&self) -> u64 {
        self.success + self.failure + self.cancelled
    }
}

/// An application that succeeds, fails, and never answers what is asked under `/hang`, of which it tells.
async fn moody(hanging: Arc<[Notify]>) -> Answering {
    Answering::start(move |asked| {
        let hanging = Arc::clone(&hanging);
        async move {
            let path = asked.uri.path();
            if let Some(number) = path.strip_prefix("/hang/") {
                hanging[number.parse::<usize>().unwrap()].notify_one();
                return std::future::pending().await;
            }
            match path.split('/').nth(1) {
                Some("fail") => status(500),
                Some("gone") => status(404),
                Some("stream") => streamed(),
                _ => ok("ok"),
            }
        }
    })
    .await
}

fn streamed() -> Response<Body> {
    let (writer, body) = body::written();
    tokio::spawn(async move {
        for _ in 0..4 {
            if !writer.try_data("piece").await {
                return;
            }
        }
    });
    Response::new(body)
}

/// How one client asks.
enum Asker {
    One(Client),
    Two(Shared),
}

impl Asker {
    async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<hyper::body::Incoming>, hyper::Error> {
        match self {
            Self::One(client) => client.send(request).await,
            Self::Two(shared) => shared.clone().send(request).await,
        }
    }
}

/// Asks for its share of the load, and counts.
async fn load(entry: SocketAddr, client: usize, hanging: Arc<[Notify]>) -> Counted {
    let two = Client::http2(entry).await;
    let mut asker = match client % 2 {
        0 => Asker::One(Client::http1(entry).await),
        _ => Asker::Two(two.share()),
    };
    let mut counted = Counted::default();
    for number in (client..REQUESTS).step_by(CLIENTS) {
        let kind = ["ok", "fail", "gone", "stream", "hang"][number / CLIENTS % 5];
        let request = get(&format!("http://books/{kind}/{number}"));
        if kind == "hang" {
            let arrived = within("the request at the application", hanging[number].notified());
            tokio::select! {
                answered = asker.send(request) => panic!("{answered:?}"),
                () = arrived => counted.cancelled += 1,
            }
            if let Asker::One(client) = &mut asker {
                *client = Client::http1(entry).await;
            }
            continue;
        }
        let answer = answer(asker.send(request).await.unwrap()).await;
        match answer.status.as_u16() {
            500 => counted.failure += 1,
            _ => counted.success += 1,
        }
    }
    counted
}

/// Waits until the proxy has closed as many hops, and compares.
async fn agrees(sidecar: &Sidecar, counted: &Counted, labels: &[Filter<'_>]) {
    let ended = |metrics: &Metrics| metrics.responses(labels) >= counted.all();
    let metrics = sidecar.metrics_when("all hops to be closed", ended).await;
    assert_eq!(metrics.requests(labels), counted.all());
    assert_eq!(metrics.responses(labels), counted.all());
    assert_eq!(Counted::of(&metrics, labels), *counted);
    assert_eq!(metrics.sum("response_latency_ms", labels), counted.all());
}

async fn load_over(workers: usize) {
    let hanging: Arc<[Notify]> = (0..REQUESTS).map(|_| Notify::new()).collect();
    let application = moody(Arc::clone(&hanging)).await;
    let mesh = Mesh::begin().await;
    let books = mesh
        .sidecar("books")
        .workers(workers)
        .serves(application.address())
        .start()
        .await;
    let webapp = mesh
        .sidecar("webapp")
        .workers(workers)
        .calls("books")
        .calls("nobody")
        .start()
        .await;
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(load(
            webapp.dependency("books"),
            client,
            Arc::clone(&hanging),
        ));
    }
    let mut refused = JoinSet::new();
    for _ in 0..CLIENTS {
        let entry = webapp.dependency("nobody");
        refused.spawn(async move {
            let mut client = Client::http1(entry).await;
            for _ in 0..10 {
                assert_eq!(client.ask(get("http://nobody/")).await.status.as_u16(), 503);
            }
        });
    }
    let mut counted = Counted::default();
    while let Some(client) = within("the load to end", clients.join_next()).await {
        let client = client.unwrap();
        counted.success += client.success;
        counted.failure += client.failure;
        counted.cancelled += client.cancelled;
    }
    while let Some(client) = within("the load to end", refused.join_next()).await {
        client.unwrap();
    }
    assert_eq!(counted.all(), REQUESTS as u64);
    agrees(&books, &counted, &[("direction", "inbound")]).await;
    agrees(&webapp, &counted, &[("dst_workload", "books")]).await;
    let refused = Counted {
        failure: 10 * CLIENTS as u64,
        ..Counted::default()
    };
    agrees(&webapp, &refused, &[("dst_service", "nobody")]).await;
    mesh.stop().await;
}

#[tokio::test]
async fn a_mixed_load_is_counted_to_the_last_request() {
    load_over(1).await;
}

#[tokio::test]
async fn threads_add_up() {
    load_over(3).await;
}

#[tokio::test]
async fn long_streams_stay_out_of_the_latencies() {
    let application = Answering::start(|_| async {
        let mut response = streamed();
        let kind = "text/event-stream; charset=utf-8".parse().unwrap();
        response.headers_mut().insert("content-type", kind);
        response
    })
    .await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    client.ask(get("http://books/events")).await;
    pair.both_counted(1, &[SUCCESS]).await;
    for side in pair.metrics().await {
        assert_eq!(side.sum("response_latency_ms", &[]), 0);
        assert_eq!(side.sum("clew_stream_duration_ms", &[]), 1);
        assert_eq!(side.sum("clew_first_byte_ms", &[]), 1);
    }
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn past_the_budget_of_series_requests_are_counted_under_other() {
    const ROUTES: u64 = 40;
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let books = mesh
        .sidecar("books")
        .serves(application.address())
        .limits(|limits| limits.max_series = 10)
        .start()
        .await;
    let mut client = Client::http1(books.inbound()).await;
    for number in 0..ROUTES {
        // As many methods as routes: templates would be folded into one.
        let method = ["GET", "PUT", "POST", "DELETE"][number as usize % 4];
        let path = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"][number as usize / 4];
        let uri = format!("http://books/{path}");
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        client.ask(request(method, &uri, body::empty())).await;
    }
    let metrics = books.metrics().await;
    assert_eq!(metrics.requests(&[]), ROUTES);
    assert_eq!(metrics.responses(&[]), ROUTES);
    let other = metrics.requests(&[("route", "(other)")]);
    assert!(other >= ROUTES - 10, "{other}");
    assert!(metrics.count("request_total", &[]) <= 11);
    let dropped = metrics.sum("clew_series_dropped_total", &[("family", "request_total")]);
    assert!(dropped > 0);
    drop(client);
    mesh.stop().await;
}

#[tokio::test]
async fn nobody_can_say_to_be_someone_else_through_a_sidecar() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    let lie = with(get("http://books/"), "clew-client", "default/admin/admin-1");
    client.ask(lie).await;
    let metrics = pair.books.metrics().await;
    assert_eq!(metrics.requests(&[("client_workload", "webapp")]), 1);
    assert_eq!(application.seen()[0].header("clew-client"), "");
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn each_route_has_the_numbers_of_its_own_requests() {
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let books = mesh
        .sidecar("books")
        .serves(application.address())
        .start()
        .await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let mut client = Client::http1(webapp.dependency("books")).await;
    let mut expected = BTreeMap::new();
    for number in 0..60_u64 {
        let (path, route) = match number % 3 {
            0 => (format!("/books/{number}"), "GET /books/{id}"),
            1 => (
                format!("/books/{number}/edit?from={number}"),
                "GET /books/{id}/edit",
            ),
            _ => ("/".to_owned(), "GET /"),
        };
        client.ask(get(&format!("http://books{path}"))).await;
        *expected.entry(route.to_owned()).or_insert(0) += 1;
    }
    for sidecar in [&webapp, &books] {
        let metrics = sidecar.metrics().await;
        assert_eq!(metrics.by("request_total", "route", &[]), expected);
        assert_eq!(metrics.by("response_total", "route", &[]), expected);
        assert_eq!(metrics.by("response_latency_ms", "route", &[]), expected);
    }
    drop(client);
    mesh.stop().await;
}
