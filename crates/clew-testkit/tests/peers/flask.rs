//! Two Flask applications, started with `clew run` and with no change to them but copying headers.

use super::golden::{Counts, edges, inbound, outbound};
use clew_api::rest::golden::Direction::{Inbound, Outbound};
use clew_testkit::programs::{LocalMesh, command, finish, peer, python, stdout};
use serde_json::Value;

/// Asks as anyone outside of the mesh would.
async fn fetch(url: &str) -> Value {
    let mut curl = command("curl");
    curl.args(["--silent", "--show-error", "--fail", url]);
    let output = finish(curl).await;
    assert!(output.status.success(), "{output:?}");
    serde_json::from_str(stdout(&output)).unwrap()
}

/// The trace that a `traceparent` header belongs to.
fn trace_id(traceparent: &Value) -> &str {
    traceparent.as_str().unwrap().split('-').nth(1).unwrap()
}

fn owned(edges: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = edges.iter();
    pairs
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[tokio::test]
async fn two_flask_applications_see_each_other_and_share_a_trace() {
    let mesh = LocalMesh::start().await;
    let _books = mesh.serve("books", &[], &peer("books.py", &[])).await;
    let webapp = peer("webapp.py", &[]);
    let _webapp = mesh.serve("webapp", &["--to", "books"], &webapp).await;
    let (_gateway, edge) = mesh.gateway(&["/=webapp"]).await;

    let page = fetch(&format!("http://{edge}/books/7")).await;

    assert_eq!(page["page"]["book"], 7);
    assert_eq!(
        page["page"]["via"],
        Value::Null,
        "no application sees our header"
    );
    let trace = mesh.trace(trace_id(&page["page"]["traceparent"]), 5).await;
    assert_eq!(
        trace.chain(),
        [
            "gateway server",
            "gateway client",
            "webapp server",
            "webapp client",
            "books server"
        ]
    );
    let stat = mesh.stat().await;
    for workload in ["webapp", "books"] {
        assert_eq!(inbound(&stat[workload]), Counts::successes(1), "{workload}");
    }
    assert_eq!(outbound(&stat["webapp"]), Counts::successes(1));
    let one = Counts::successes(1);
    let seen = edges(&mesh).await;
    let pairs: Vec<_> = seen
        .iter()
        .map(|(a, b, ..)| (a.clone(), b.clone()))
        .collect();
    assert_eq!(
        pairs,
        owned(&[("-", "gateway"), ("gateway", "webapp"), ("webapp", "books")])
    );
    assert!(seen.iter().all(|(.., counts)| *counts == one), "{seen:?}");
    let sides: Vec<_> = seen.iter().map(|(_, _, side, _)| *side).collect();
    assert_eq!(sides, [Inbound, Outbound, Outbound]);
}

#[tokio::test]
async fn without_the_copied_headers_the_trace_is_split_exactly_there() {
    let mesh = LocalMesh::start().await;
    let _books = mesh.serve("books", &[], &peer("books.py", &[])).await;
    let webapp = peer("webapp.py", &[]);
    let _webapp = mesh.serve("webapp", &["--to", "books"], &webapp).await;
    let (_gateway, edge) = mesh.gateway(&["/=webapp"]).await;

    let page = fetch(&format!("http://{edge}/forgetful/7")).await;

    let after = mesh.trace(trace_id(&page["page"]["traceparent"]), 2).await;
    assert_eq!(after.chain(), ["webapp client", "books server"]);
    let traces = mesh.traces(&["--service", "gateway"]).await.traces;
    assert_eq!(traces.len(), 1);
    let before = mesh.trace(&traces[0].trace_id, 3).await;
    assert_eq!(
        before.chain(),
        ["gateway server", "gateway client", "webapp server"]
    );
}

/// What docs/one-machine.md says of clients that know nothing but HTTP_PROXY, tried with each that is here.
#[tokio::test]
async fn every_way_of_addressing_a_service_goes_through_the_sidecar() {
    let mesh = LocalMesh::start().await;
    let books = mesh.serve("books", &[], &peer("books.py", &[])).await;
    let shell = mesh.shell("shell", &["--to", "books"]).await;
    let port = &mesh.joined(&books).await.ports[0];
    let application = port.application_address.rsplit_once(':').unwrap().1;
    let python = python();
    let python = python.to_str().unwrap();
    let urllib = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())";
    let requests = "import sys, requests; print(requests.get(sys.argv[1]).text)";

    let mut asked = 0;
    for base in [
        shell.variable("CLEW_BOOKS_URL"),
        "http://books",
        &format!("http://books:{application}"),
        &format!("http://localhost:{application}"),
        &format!("http://127.0.0.1:{application}"),
    ] {
        let url = format!("{base}/books/3");
        for client in [
            &["curl", "--silent", "--show-error", "--fail", &url][..],
            &[python, "-c", urllib, &url],
            &[python, "-c", requests, &url],
        ] {
            let answer: Value = serde_json::from_str(&shell.output(client).await).unwrap();
            assert_eq!(answer["book"], 3, "{client:?}");
            asked += 1;
            let stat = mesh.stat().await;
            assert_eq!(
                outbound(&stat["shell"]),
                Counts::successes(asked),
                "{client:?}"
            );
            assert_eq!(
                inbound(&stat["books"]),
                Counts::successes(asked),
                "{client:?}"
            );
        }
    }
    let one = (
        String::from("shell"),
        String::from("books"),
        Outbound,
        Counts::successes(asked),
    );
    assert_eq!(edges(&mesh).await, [one]);
}
