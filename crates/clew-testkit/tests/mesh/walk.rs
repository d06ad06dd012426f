//! The shortest way: one client, two sidecars, one server.

use clew_testkit::client::{Client, get};
use clew_testkit::upstream::Answering;
use clew_testkit::{Mesh, metrics::Filter};

const OUT: &[Filter<'_>] = &[
    ("direction", "outbound"),
    ("workload", "webapp"),
    ("dst_service", "books"),
    ("dst_workload", "books"),
    ("route", "GET /books/{id}"),
];
const IN: &[Filter<'_>] = &[
    ("direction", "inbound"),
    ("workload", "books"),
    ("client_workload", "webapp"),
    ("client_namespace", "default"),
    ("route", "GET /books/{id}"),
];

#[tokio::test]
async fn a_request_is_counted_once_on_each_side() {
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let books = mesh
        .sidecar("books")
        .serves(application.address())
        .start()
        .await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;

    let mut client = Client::http1(webapp.dependency("books")).await;
    let answer = client.ask(get("http://books/books/7?private")).await;

    assert_eq!((answer.status.as_u16(), answer.text()), (200, "ok"));
    let seen = application.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].uri, "/books/7?private");
    assert_eq!(seen[0].header("host"), "books");
    assert_eq!(seen[0].header("clew-client"), "", "no application sees it");
    for (sidecar, labels) in [(&webapp, OUT), (&books, IN)] {
        let metrics = sidecar.metrics().await;
        assert_eq!(metrics.requests(&[]), 1);
        assert_eq!(metrics.requests(labels), 1);
        assert_eq!(metrics.responses(&[]), 1);
        let success = [
            labels,
            &[
                ("status_code", "200"),
                ("classification", "success"),
                ("error", ""),
            ],
        ]
        .concat();
        assert_eq!(metrics.responses(&success), 1);
        assert_eq!(metrics.sum("response_latency_ms", labels), 1);
        for phase in ["detect", "route", "connect", "request", "response"] {
            let spent = metrics.sum("clew_proxy_time_seconds", &[("phase", phase)]);
            assert_eq!(spent, 1, "time in phase {phase}");
        }
    }
    drop(client);
    mesh.stop().await;
}
