//! Requests watched live.

use super::pair::Pair;
use clew_api::wire::tap::{Header, TapEvent, TapRequest};
use clew_model::telemetry::TelemetrySettings;
use clew_testkit::client::{Client, get, request, with};
use clew_testkit::upstream::{Answering, ok, status};
use clew_testkit::{Mesh, body};
use http::Method;
use std::sync::Arc;

fn value<'a>(headers: &'a [Header], name: &str) -> &'a str {
    let header = headers.iter().find(|header| header.name == name);
    header.map_or("", |header| header.value.as_str())
}

async fn moody() -> Answering {
    Answering::start(|asked| async move {
        match asked.uri.path() {
            "/broken" => status(500),
            _ => ok("hello"),
        }
    })
    .await
}

#[tokio::test]
async fn a_hop_is_told_with_everything_but_secrets() {
    let application = moody().await;
    let show_user_agent = TelemetrySettings {
        show_headers: Arc::new(["user-agent".into()]),
        ..TelemetrySettings::default()
    };
    let mesh = Mesh::builder()
        .settings(show_user_agent.clone())
        .begin()
        .await;
    let pair = Pair::within(mesh, application.address()).await;
    pair.webapp.obeys(&show_user_agent).await;
    pair.books.obeys(&show_user_agent).await;
    let mut hops = [pair.webapp.hops().await, pair.books.hops().await];
    let mut client = Client::http1(pair.entry()).await;
    let asked = request(
        Method::POST,
        "http://books/books/7?token=secret",
        body::full("four"),
    );
    let asked = with(asked, "authorization", "Bearer secret");
    let asked = with(asked, "user-agent", "test/1");
    client.ask(with(asked, "cookie", "session=secret")).await;
    for (hops, side) in hops.iter_mut().zip(["outbound", "inbound"]) {
        let hop = hops.next().await;
        let shown = format!("{hop:?}");
        assert!(!shown.contains("secret"), "{shown}");
        assert_eq!(hop.direction, side);
        assert_eq!(
            (hop.method.as_str(), hop.path.as_str()),
            ("POST", "/books/7")
        );
        assert_eq!(hop.route, "POST /books/{id}");
        assert_eq!(
            (hop.protocol_version.as_str(), hop.status_code),
            ("1.1", 200)
        );
        assert_eq!((hop.request_bytes, hop.response_bytes), (4, 5));
        assert_eq!(
            (hop.classification.as_str(), hop.error.as_str()),
            ("success", "")
        );
        assert_eq!(value(&hop.request_headers, "authorization"), "(redacted)");
        assert_eq!(value(&hop.request_headers, "cookie"), "(redacted)");
        assert_eq!(value(&hop.request_headers, "user-agent"), "test/1");
        assert_ne!(value(&hop.response_headers, "content-length"), "");
        let peer = if side == "outbound" {
            "books"
        } else {
            "webapp"
        };
        assert_eq!(hop.peer_workload, peer);
        assert_eq!(hop.skipped, 0);
    }
    drop(client);
    pair.stop().await;
}

/// The next hop of each watch of webapp that matches, after a fixed set of requests.
async fn first_match(pair: &Pair, wanted: TapRequest) -> TapEvent {
    let mut hops = pair.webapp.watch(wanted).await;
    let mut client = Client::http1(pair.entry()).await;
    for path in ["/", "/broken", "/books/1"] {
        client.ask(get(&format!("http://books{path}"))).await;
    }
    let post = request(Method::POST, "http://books/books", body::empty());
    client.ask(post).await;
    hops.next().await
}

#[tokio::test]
async fn only_hops_that_match_are_told() {
    let application = moody().await;
    let pair = Pair::of(application.address()).await;
    let wanted = TapRequest::default;
    let failures_only = true;
    for (request, path) in [
        (
            TapRequest {
                failures_only,
                ..wanted()
            },
            "/broken",
        ),
        (
            TapRequest {
                path_prefix: "/bo".into(),
                ..wanted()
            },
            "/books/1",
        ),
        (
            TapRequest {
                method: "POST".into(),
                ..wanted()
            },
            "/books",
        ),
        (
            TapRequest {
                route: "GET /books/{id}".into(),
                ..wanted()
            },
            "/books/1",
        ),
        (
            TapRequest {
                direction: "outbound".into(),
                ..wanted()
            },
            "/",
        ),
        (
            TapRequest {
                peer_workload: "books".into(),
                ..wanted()
            },
            "/",
        ),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(first_match(&pair, request).await.path, path, "{shown}");
    }
    pair.stop().await;
}

#[tokio::test]
async fn events_past_the_rate_are_skipped_and_their_number_told() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let limited = TapRequest {
        max_per_second: 1,
        direction: "outbound".into(),
        ..TapRequest::default()
    };
    let mut hops = pair.webapp.watch(limited).await;
    let mut client = Client::http1(pair.entry()).await;
    let mut asked = 0_u64;
    let mut told = 0_u64;
    let mut skipped = 0_u64;
    // Requests as fast as they go, until the second event has come: it says how many are missing before it.
    while told < 2 {
        tokio::select! {
            hop = hops.next() => {
                told += 1;
                skipped += hop.skipped;
            }
            _ = client.ask(get("http://books/")) => asked += 1,
        }
        client = Client::http1(pair.entry()).await;
    }
    assert!(skipped > 0, "{asked} requests in a second, one told");
    let metrics = pair.webapp.metrics().await;
    assert!(told + skipped <= metrics.responses(&[("direction", "outbound")]));
    drop(client);
    pair.stop().await;
}
