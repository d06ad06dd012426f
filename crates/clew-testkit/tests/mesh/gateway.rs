//! The edge: routes by host and path prefix.

use super::pair::{FAILURE, SUCCESS};
use clew_testkit::client::{Client, get, grpc, with};
use clew_testkit::upstream::{Answering, ok};
use clew_testkit::{Mesh, body};
use http::StatusCode;

#[tokio::test]
async fn the_most_specific_host_and_then_the_longest_prefix_decide() {
    let named = |name: &'static str| Answering::start(move |_| std::future::ready(ok(name)));
    let (web, api) = (named("web").await, named("api").await);
    let mesh = Mesh::begin().await;
    let _web = mesh.sidecar("web").serves(web.address()).start().await;
    let _api = mesh.sidecar("api").serves(api.address()).start().await;
    let edge = mesh
        .sidecar("edge")
        .gateway(&[
            (Some("shop.example"), "/", "web"),
            (Some("shop.example"), "/api", "api"),
        ])
        .start()
        .await;
    let mut one = Client::http1(edge.gateway()).await;
    let mut two = Client::http2(edge.gateway()).await;
    for client in [&mut one, &mut two] {
        assert_eq!(client.ask(get("http://shop.example/")).await.text(), "web");
        assert_eq!(
            client
                .ask(get("http://shop.example:8000/apis"))
                .await
                .text(),
            "web"
        );
        assert_eq!(
            client.ask(get("http://shop.example/api/1")).await.text(),
            "api"
        );
        let nobody = client.ask(get("http://elsewhere.example/")).await;
        assert_eq!(nobody.status, StatusCode::NOT_FOUND);
        assert_eq!(nobody.header("clew-error"), "no_route");
    }
    let metrics = edge.metrics().await;
    let inbound = ("direction", "inbound");
    let outbound = ("direction", "outbound");
    assert_eq!(metrics.responses(&[inbound, SUCCESS]), 6);
    assert_eq!(
        metrics.responses(&[inbound, FAILURE, ("error", "no_route")]),
        2
    );
    assert_eq!(metrics.responses(&[outbound, SUCCESS]), 6);
    assert_eq!(metrics.responses(&[outbound, ("dst_workload", "api")]), 2);
    assert_eq!(metrics.requests(&[]), 14);
    drop((one, two));
    mesh.stop().await;
}

/// The host that decides the route is the one that the service sees (RFC 9112, section 3.2.2).
#[tokio::test]
async fn the_host_of_an_absolute_target_replaces_host() {
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let _web = mesh
        .sidecar("web")
        .serves(application.address())
        .start()
        .await;
    let edge = mesh
        .sidecar("edge")
        .gateway(&[(Some("public.example"), "/", "web")])
        .start()
        .await;
    let mut client = Client::http_proxy(edge.gateway()).await;
    let request = with(get("http://public.example/"), "host", "admin.internal");
    assert_eq!(client.ask(request).await.status, StatusCode::OK);
    assert_eq!(application.seen()[0].header("host"), "public.example");
    drop(client);
    mesh.stop().await;
}

#[tokio::test]
async fn a_service_that_is_not_there_is_told_at_the_edge() {
    let mesh = Mesh::begin().await;
    let edge = mesh
        .sidecar("edge")
        .gateway(&[(None, "/", "nobody")])
        .start()
        .await;
    let mut client = Client::http1(edge.gateway()).await;
    let answer = client.ask(get("http://edge/")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("clew-error"), "no_endpoints");
    let metrics = edge.metrics().await;
    let refused = [("direction", "inbound"), FAILURE, ("error", "no_endpoints")];
    assert_eq!(metrics.responses(&refused), 1);
    drop(client);
    mesh.stop().await;
}

#[tokio::test]
async fn a_call_from_outside_is_told_in_its_own_words() {
    let mesh = Mesh::begin().await;
    let edge = mesh
        .sidecar("edge")
        .gateway(&[(None, "/books.Ratings", "nobody")])
        .start()
        .await;
    let mut client = Client::http2(edge.gateway()).await;
    for (uri, reason, status) in [
        ("http://edge/books.Ratings/Get", "no_endpoints", 14),
        ("http://edge/books.Orders/Get", "no_route", 12),
    ] {
        let answer = client.ask(grpc(uri, body::full("\0\0\0\0\0"))).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("clew-error"), reason);
        assert_eq!(answer.grpc_status(), Some(status));
    }
    assert_eq!(edge.metrics().await.responses(&[FAILURE]), 2);
    drop(client);
    mesh.stop().await;
}

#[tokio::test]
async fn baggage_from_outside_is_taken_off() {
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let _web = mesh
        .sidecar("web")
        .serves(application.address())
        .start()
        .await;
    let edge = mesh
        .sidecar("edge")
        .gateway(&[(None, "/", "web")])
        .start()
        .await;
    let mut client = Client::http1(edge.gateway()).await;
    let asked = clew_testkit::client::with(get("http://edge/"), "baggage", "user=alice");
    client.ask(asked).await;
    assert_eq!(application.seen()[0].header("baggage"), "");
    drop(client);
    mesh.stop().await;
}
