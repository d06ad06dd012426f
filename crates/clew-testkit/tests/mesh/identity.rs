//! Who is who: TLS between proxies, its certificates, and those who are not who they say.

use super::pair::{Pair, SUCCESS};
use clew_identity::{Clock, Credentials, Issued, Issuer, TrustBundle, WorkloadKey};
use clew_model::identity::Identity;
use clew_model::name::Workload;
use clew_model::service::Protocol;
use clew_testkit::client::{Client, get, with};
use clew_testkit::metrics::Metrics;
use clew_testkit::upstream::Answering;
use clew_testkit::wire::{Wire, WireListener};
use clew_testkit::{Mesh, within};
use futures_util::{FutureExt, StreamExt};
use http::StatusCode;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

const WEBAPP: &str = "spiffe://cluster.local/ns/default/sa/webapp";
const BOOKS: &str = "spiffe://cluster.local/ns/default/sa/books";
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn both_sides_know_whom_they_meet() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    for mut client in [
        Client::http1(pair.entry()).await,
        Client::http2(pair.entry()).await,
    ] {
        let answer = client.ask(get("http://books/books/7")).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let [webapp, books] = pair.metrics().await;
    let labels = [
        ("tls", "mtls"),
        ("server_id", BOOKS),
        ("dst_workload", "books"),
    ];
    assert_eq!(webapp.responses(&labels), 2);
    assert_eq!(webapp.sum("tcp_open_total", &labels), 2);
    let labels = [
        ("tls", "mtls"),
        ("client_id", WEBAPP),
        ("client_workload", "webapp"),
    ];
    assert_eq!(books.responses(&labels), 2);
    assert_eq!(books.sum("tcp_open_total", &labels), 2);
    // What the handshake took is a wait that is told apart.
    let handshakes = [("direction", "outbound"), ("phase", "tls")];
    assert_eq!(webapp.sum("clew_proxy_time_seconds", &handshakes), 2);
    assert_eq!(webapp.sum("identity_cert_refreshes_total", &[]), 1);
    pair.stop().await;
}

/// Books answers behind a wire that is listened to.
#[tokio::test]
async fn nobody_on_the_way_can_read() {
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let books = mesh.sidecar("books");
    let books = books.serves_as(application.address(), "hidden", Protocol::Detect);
    let books = books.start().await;
    let wire = WireListener::bind().await;
    let _on_the_wire = mesh
        .join_as_secured("books", "books-wire", wire.address())
        .await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let inbound = books.inbound();
    let listening = tokio::spawn(async move {
        let (from, to) = (
            wire.accept().await.split(),
            Wire::connect(inbound).await.split(),
        );
        let (asked, answered) = tokio::join!(pass_on(from.0, to.1), pass_on(to.0, from.1));
        [asked, answered].concat()
    });
    let mut client = Client::http1(webapp.dependency("books")).await;
    let asked = with(
        get("http://books/a-path-that-nobody-reads"),
        "x-secret",
        "also-hidden",
    );
    assert_eq!(client.ask(asked).await.status, StatusCode::OK);
    drop(client);
    mesh.stop().await;
    let heard = within("the wire to end", listening).await.unwrap();
    assert!(heard.len() > 1_000, "{} bytes", heard.len());
    for secret in ["a-path-that", "also-hidden", "HTTP/1.1", "cluster.local/ns"] {
        let found = heard
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!found, "{secret} went in clear");
    }
}

/// Books' answer is cut off on the way: TLS has not said that it ends there, and so nobody takes it for the end.
#[tokio::test]
async fn what_is_cut_off_on_the_way_is_not_taken_for_an_end() {
    let listener = WireListener::bind().await;
    let mesh = Mesh::begin().await;
    let books = mesh.sidecar("books");
    let books = books.serves_as(listener.address(), "hidden", Protocol::Opaque);
    let books = books.start().await;
    let wire = WireListener::bind().await;
    let _on_the_wire = mesh
        .join_as_secured("books", "books-wire", wire.address())
        .await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let inbound = books.inbound();
    let relay = tokio::spawn(async move {
        let (from, to) = (
            wire.accept().await.split(),
            Wire::connect(inbound).await.split(),
        );
        tokio::join!(pass_on(from.0, to.1), pass_on(to.0, from.1));
    });
    let mut client = Wire::connect(webapp.dependency("books")).await;
    client.write([0, 1]).await;
    let mut server = listener.accept().await;
    assert_eq!(server.read(2).await, [0, 1]);
    server.write("half of it").await;
    assert_eq!(client.read(10).await, b"half of it");
    // Both connections of the wire are closed, with a plain end of TCP.
    relay.abort();
    assert!(client.read_to_end().await.is_err(), "an end, and no reset");
    drop((client, server));
    mesh.stop().await;
}

/// Passes on what comes, to its end; what was heard of it.
async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> Vec<u8> {
    let mut heard = Vec::new();
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        heard.extend_from_slice(&bytes[..length]);
        if to.write_all(&bytes[..length]).await.is_err() {
            break;
        }
    }
    heard
}

#[tokio::test]
async fn an_endpoint_that_is_somebody_else_is_told_nothing() {
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let authors = mesh
        .sidecar("authors")
        .serves(application.address())
        .start()
        .await;
    let _false = mesh
        .join_as_secured("books", "books-1", authors.inbound())
        .await;
    let plain = Answering::ok().await;
    let _plain = mesh
        .join_as_secured("films", "films-1", plain.address())
        .await;
    let webapp = mesh
        .sidecar("webapp")
        .calls("books")
        .calls("films")
        .start()
        .await;
    for service in ["books", "films"] {
        let mut client = Client::http1(webapp.dependency(service)).await;
        let answer = client.ask(get(&format!("http://{service}/"))).await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{}", answer.text());
        assert_eq!(answer.header("clew-error"), "tls_failed");
    }
    assert!(application.seen().is_empty() && plain.seen().is_empty());
    let failed = [("direction", "outbound"), ("error", "tls_failed")];
    assert_eq!(webapp.metrics().await.responses(&failed), 2);
    mesh.stop().await;
}

#[tokio::test]
async fn in_clear_nobody_is_believed() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut outsider = Client::http1(pair.books.inbound()).await;
    let claim = with(
        get("http://books/"),
        "clew-client",
        "default/webapp/webapp-1",
    );
    assert_eq!(outsider.ask(claim).await.status, StatusCode::OK);
    let books = pair.books.metrics().await;
    assert_eq!(
        books.responses(&[("tls", "none"), ("client_workload", "")]),
        1
    );
    assert_eq!(books.responses(&[]), 1);
    // The application does not see the claim either.
    assert_eq!(application.seen()[0].header("clew-client"), "");
    pair.stop().await;
}

#[tokio::test]
async fn a_client_with_a_certificate_of_its_own_making_is_refused() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let trust = pair.mesh.control().watch_trust().next().await.unwrap();
    let roots = TrustBundle::from_pem(trust.roots.as_bytes()).unwrap();
    let forger = Issuer::generate("cluster.local", SystemTime::now()).unwrap();
    let webapp = Identity::parse(WEBAPP).unwrap();
    let key = WorkloadKey::generate().unwrap();
    let issued = forger.issue(
        &key.request(&webapp).unwrap(),
        &webapp,
        SystemTime::now(),
        HOUR,
    );
    let issued = issued.unwrap();
    // It believes the mesh, and knows that the mesh does not believe it.
    let both = roots.and(forger.bundle()).unwrap();
    let forged = credentials(&key, &webapp, &issued, &both);
    assert!(said_by(&forged, pair.books.inbound()).await.is_none());
    let refused = |metrics: &Metrics| metrics.sum("clew_tls_refused_total", &[]) == 1;
    let books = pair.books.metrics_when("the refusal", refused).await;
    assert_eq!(books.requests(&[]), 0);
    assert!(application.seen().is_empty());

    // With one that control has signed, the same client is answered.
    let request = key.request(&webapp).unwrap();
    let certified = pair
        .mesh
        .control_as("webapp")
        .certify(&webapp, request)
        .await
        .unwrap();
    let issued = Issued {
        leaf: certified.leaf,
        intermediates: certified.intermediates,
        ..issued
    };
    let good = credentials(&key, &webapp, &issued, &roots);
    let answer = said_by(&good, pair.books.inbound()).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    pair.stop().await;
}

fn credentials(
    key: &WorkloadKey,
    identity: &Identity,
    issued: &Issued,
    roots: &TrustBundle,
) -> Credentials {
    Credentials::new(key, identity, issued, roots, &Clock::default()).unwrap()
}

/// What books' proxy answers to a request inside of TLS; `None` when there is no answer.
async fn said_by(credentials: &Credentials, books: SocketAddr) -> Option<String> {
    let session = credentials
        .connect(&Identity::parse(BOOKS).unwrap())
        .unwrap();
    let asking = tokio::task::spawn_blocking(move || {
        use std::io::{Read, Write};
        let tcp = std::net::TcpStream::connect(books).unwrap();
        let mut tls = rustls::StreamOwned::new(session, tcp);
        let request = "GET / HTTP/1.1\r\nhost: books\r\nconnection: close\r\n\r\n";
        tls.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        match tls.read_to_string(&mut answer) {
            Ok(_) => Some(answer),
            Err(error) => {
                eprintln!("no answer: {error}");
                None
            }
        }
    });
    within("an answer, or none", asking).await.unwrap()
}

/// A clock that a test sets forward.
#[derive(Clone, Default)]
struct Ahead(Arc<AtomicU64>);

impl Ahead {
    fn clock(&self) -> Clock {
        let ahead = Arc::clone(&self.0);
        Clock::new(move || SystemTime::now() + Duration::from_secs(ahead.load(Ordering::Relaxed)))
    }

    fn by(&self, time: Duration) {
        self.0.fetch_add(time.as_secs(), Ordering::Relaxed);
    }
}

/// Each request on a connection of its own, so that each is a handshake.
async fn pair_without_reuse(mesh: Mesh, application: SocketAddr) -> Pair {
    let books = mesh.sidecar("books").serves(application).start().await;
    let webapp = mesh.sidecar("webapp").calls("books");
    let webapp = webapp.limits(|limits| limits.idle_timeout = Duration::ZERO);
    let webapp = webapp.start().await;
    Pair {
        mesh,
        webapp,
        books,
    }
}

async fn status(pair: &Pair) -> (StatusCode, String) {
    let mut client = Client::http1(pair.entry()).await;
    let answer = client.ask(get("http://books/")).await;
    (answer.status, answer.header("clew-error").to_owned())
}

fn certificates(count: u64) -> impl Fn(&Metrics) -> bool {
    move |metrics| metrics.sum("identity_cert_refreshes_total", &[]) == count
}

#[tokio::test]
async fn certificates_are_renewed_and_no_request_notices() {
    let ahead = Ahead::default();
    let mesh = Mesh::builder().clock(ahead.clock()).begin().await;
    let application = Answering::ok().await;
    let pair = pair_without_reuse(mesh, application.address()).await;
    let mut asked = 0;
    for renewal in 2..=4 {
        // Past the time of renewal, and before the end.
        ahead.by(18 * HOUR);
        let renewed = async {
            for side in [&pair.webapp, &pair.books] {
                side.metrics_when("a new certificate", certificates(renewal))
                    .await;
            }
        };
        let mut renewed = std::pin::pin!(renewed);
        loop {
            assert_eq!(status(&pair).await, (StatusCode::OK, String::new()));
            asked += 1;
            if renewed.as_mut().now_or_never().is_some() {
                break;
            }
        }
    }
    assert!(asked >= 3);
    let webapp = pair.webapp.metrics().await;
    assert_eq!(
        webapp.responses(&[SUCCESS, ("tls", "mtls")]),
        webapp.responses(&[])
    );
    let handshakes = [("direction", "outbound"), ("phase", "tls")];
    assert_eq!(
        webapp.sum("clew_proxy_time_seconds", &handshakes),
        webapp.responses(&[])
    );
    pair.stop().await;
}

#[tokio::test]
async fn without_control_certificates_end_and_with_it_all_goes_on() {
    let ahead = Ahead::default();
    let mesh = Mesh::builder().clock(ahead.clock()).begin().await;
    let application = Answering::ok().await;
    let mut pair = pair_without_reuse(mesh, application.address()).await;
    assert_eq!(status(&pair).await.0, StatusCode::OK);
    pair.mesh.kill_control().await;
    // As long as they are good.
    ahead.by(23 * HOUR);
    assert_eq!(status(&pair).await.0, StatusCode::OK);
    ahead.by(2 * HOUR);
    let (code, error) = status(&pair).await;
    assert_eq!(code, StatusCode::BAD_GATEWAY);
    assert_eq!(
        error, "wrong_identity",
        "an expired certificate proves nothing"
    );
    pair.mesh.restart_control();
    for side in [&pair.webapp, &pair.books] {
        side.metrics_when("a new certificate", certificates(2))
            .await;
    }
    assert_eq!(status(&pair).await, (StatusCode::OK, String::new()));
    pair.stop().await;
}

#[tokio::test]
async fn a_mesh_without_identities_is_in_clear() {
    let application = Answering::ok().await;
    let mesh = Mesh::builder().without_identities().begin().await;
    let pair = Pair::within(mesh, application.address()).await;
    assert_eq!(status(&pair).await.0, StatusCode::OK);
    for side in pair.metrics().await {
        assert_eq!(side.responses(&[("tls", "none")]), 1);
        assert_eq!(
            side.count("identity_cert_expiration_timestamp_seconds", &[]),
            0
        );
    }
    let books = pair.books.metrics().await;
    assert_eq!(
        books.responses(&[("client_workload", "webapp"), ("client_id", "")]),
        1
    );
    pair.stop().await;
}

/// Names that are one in the form of DNS are two in certificates.
#[tokio::test]
async fn identities_differ_where_their_names_in_dns_do_not() {
    let one = Identity::new("cluster.local", &Workload::new("Books", "default")).unwrap();
    let other = Identity::new("cluster.local", &Workload::new("books", "default")).unwrap();
    assert_eq!(one.dns_name(), other.dns_name());
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let shouting = mesh
        .sidecar("Books")
        .serves_as(application.address(), "shouting", Protocol::Detect)
        .start()
        .await;
    let _false = mesh
        .join_as_secured("books", "books-1", shouting.inbound())
        .await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let mut client = Client::http1(webapp.dependency("books")).await;
    let answer = client.ask(get("http://books/")).await;
    assert_eq!(answer.header("clew-error"), "wrong_identity");
    assert!(application.seen().is_empty());
    mesh.stop().await;
}
