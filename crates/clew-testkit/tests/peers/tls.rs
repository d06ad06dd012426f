//! TLS of an application's own to a host outside of the mesh: bytes, counted under the name that the client asked for.

use clew_api::rest::golden::{Edge, Edges};
use clew_api::rest::propagation::Propagation;
use clew_testkit::programs::{LocalMesh, Program, command, eventually, peer};

/// The edge whose one connection has ended.
async fn ended(mesh: &LocalMesh) -> Edge {
    eventually("the connection to be closed", async || {
        mesh.scrape().await;
        let edges: Option<Edges> = mesh.look(&["edges"]).await;
        let mut edges = edges?.edges.into_iter();
        edges.find(|edge| edge.tcp.is_some_and(|tcp| tcp.closed == 1))
    })
    .await
}

/// 1. A client speaks TLS through the sidecar, to an address.
/// 2. It gets what the server answered to the name that it asked for: nothing was changed on the way.
/// 3. The edge has that name. It has no address, and nothing of it was counted before the name was known.
#[tokio::test]
async fn the_host_that_a_client_asks_for_is_who_it_talks_to() {
    let words = peer("tls.py", &["serve"]);
    let mut server = command(&words[0]);
    server.args(&words[1..]);
    let server = Program::start("tls", server);
    let line = server.says("Running on").await;
    let port = line.rsplit(' ').next().unwrap();
    let mesh = LocalMesh::start().await;
    let shell = mesh.shell("shell", &[]).await;

    let words = peer("tls.py", &["tunnel", "127.0.0.1", port, "Shop.example"]);
    let said = shell.output(&words).await;

    assert_eq!(said, "hello of Shop.example\n");
    let edge = ended(&mesh).await;
    let host = format!("shop.example:{port}");
    assert_eq!(edge.client.name.as_deref(), Some("shell"));
    assert_eq!(edge.server.name.as_ref(), Some(&host));
    assert!(!edge.server.meshed, "{edge:?}");
    assert_eq!(edge.services, [host]);
    let tcp = edge.tcp.unwrap();
    assert_eq!((tcp.opened, tcp.open), (1, Some(0)));
    assert!(tcp.read_bytes > 100 && tcp.written_bytes > 100, "{tcp:?}");
    let edges: Edges = mesh.ask(&["edges"]).await;
    assert_eq!(edges.edges.len(), 1, "{edges:?}");
    // What the application says there of a trace, nobody can see.
    let propagation: Propagation = mesh.ask(&["propagation", "shell"]).await;
    let unseen = propagation.workloads[0].routes.iter();
    let verdicts: Vec<_> = unseen.map(|route| &route.verdicts).collect();
    assert_eq!(verdicts, [&[("unseen".to_owned(), 1)].into()]);
}
