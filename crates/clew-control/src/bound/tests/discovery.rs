//! Services and endpoints as proxies see them.

use super::{Running, config, instance, join, next};
use crate::config::{ControlConfig, DeclaredService};
use clew_api::client::Resolution;
use clew_model::name::{RouteName, ServiceName};
use clew_model::policy::{PathMatch, RequestMatch, RouteRule, RuleSource};
use clew_model::service::{Endpoint, EndpointUpdate, Protocol, Target};
use std::net::SocketAddr;
use std::sync::Arc;

fn ports(endpoints: &[Endpoint]) -> Vec<u16> {
    endpoints
        .iter()
        .map(|endpoint| endpoint.address.port())
        .collect()
}

fn address(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

/// 1. A starts and asks for what nobody has joined for. 2. B joins. 3. A is told, on the stream that it has.
#[tokio::test]
async fn a_service_that_starts_later_is_seen_when_it_joins() {
    let control = Running::start();
    let a = control.client("web");
    let targets = [
        Target::Authority("books".into()),
        Target::Authority("books.default.svc.cluster.local:80".into()),
        Target::Authority("localhost:7002".into()),
        Target::Authority("127.0.0.1:7002".into()),
        Target::Address(address(7002)),
        Target::Service("books".into()),
    ];
    let mut watches: Vec<_> = targets
        .iter()
        .map(|target| a.watch_outbound(target.clone()))
        .collect();
    for watch in &mut watches {
        assert_eq!(next(watch).await, Resolution::Unknown);
    }
    let b = control.client("books");
    let membership = join(&b, instance("books-1", 7002)).await;
    for (watch, target) in watches.iter_mut().zip(&targets) {
        let Resolution::Known(policy) = next(watch).await else {
            panic!("{target:?}")
        };
        assert_eq!(policy.service, ServiceName::from("books"), "{target:?}");
        assert_eq!(&*policy.destination, "books.default.svc.cluster.local");
    }
    drop(membership);
    for watch in &mut watches {
        assert_eq!(
            next(watch).await,
            Resolution::Unknown,
            "nobody answers to it any more"
        );
    }
    let _again = join(&b, instance("books-1", 7002)).await;
    for watch in &mut watches {
        assert!(matches!(next(watch).await, Resolution::Known(_)));
    }
    control.stop().await;
}

#[tokio::test]
async fn endpoints_come_and_go_one_by_one() {
    let control = Running::start();
    let (web, books) = (control.client("web"), control.client("books"));
    let mut endpoints = web.watch_endpoints("books.default.svc.cluster.local".into());
    assert_eq!(
        next(&mut endpoints).await,
        EndpointUpdate::NoEndpoints { exists: false }
    );

    let one = join(&books, instance("books-1", 7002)).await;
    let EndpointUpdate::Reset(first) = next(&mut endpoints).await else {
        panic!("the first ones")
    };
    assert_eq!(ports(&first), [17_002]);
    assert_eq!(
        first[0].workload.as_ref().unwrap().to_string(),
        "books.default"
    );
    assert_eq!(first[0].instance.as_ref().unwrap().as_str(), "books-1");

    let two = join(&books, instance("books-2", 7003)).await;
    let EndpointUpdate::Add(second) = next(&mut endpoints).await else {
        panic!("one more")
    };
    assert_eq!(ports(&second), [17_003]);

    books.leave("books-1".into()).await.unwrap();
    assert_eq!(
        next(&mut endpoints).await,
        EndpointUpdate::Remove(vec![address(17_002)])
    );
    books.leave("books-2".into()).await.unwrap();
    assert_eq!(
        next(&mut endpoints).await,
        EndpointUpdate::NoEndpoints { exists: true }
    );
    drop((one, two));
    assert_eq!(
        next(&mut endpoints).await,
        EndpointUpdate::NoEndpoints { exists: false }
    );
    control.stop().await;
}

#[tokio::test]
async fn a_leaving_member_is_listed_until_it_is_gone() {
    let control = Running::start();
    let client = control.client("books");
    let mut members = client.watch_instances();
    assert_eq!(next(&mut members).await, Vec::new());
    let membership = join(&client, instance("books-1", 7002)).await;
    assert_eq!(next(&mut members).await, vec![instance("books-1", 7002)]);
    client.leave("books-1".into()).await.unwrap();
    let listed = next(&mut members).await;
    assert_eq!((listed.len(), listed[0].leaving), (1, true));
    drop(membership);
    assert_eq!(next(&mut members).await, Vec::new());
    assert!(
        client.leave("books-1".into()).await.is_err(),
        "it is no member any more"
    );
    control.stop().await;
}

fn routes() -> Arc<[RouteRule]> {
    let rule = |name: &str, path: PathMatch| RouteRule {
        name: RouteName::from(name),
        hosts: Arc::new([]),
        matches: Arc::new([RequestMatch {
            path: Some(path),
            method: Some("GET".into()),
        }]),
        backend: None,
        failure_statuses: Some(Arc::new([404..=404, 500..=599])),
        source: RuleSource::Configuration,
    };
    Arc::new([
        rule("one-book", PathMatch::Template("/books/{id}".into())),
        rule("health", PathMatch::Exact("/health".into())),
    ])
}

#[tokio::test]
async fn declared_routes_reach_both_sides() {
    let declared = DeclaredService {
        name: "books".into(),
        protocol: Some(Protocol::Http1),
        routes: routes(),
    };
    let control = Running::with(ControlConfig {
        services: vec![declared],
        ..config()
    });
    let (web, books) = (control.client("web"), control.client("books"));

    let mut outbound = web.watch_outbound(Target::Service("books".into()));
    let Resolution::Known(policy) = next(&mut outbound).await else {
        panic!("it is declared")
    };
    assert_eq!(
        (policy.protocol, &policy.routes),
        (Protocol::Http1, &routes())
    );

    let mut inbound = books.watch_inbound(7002, "fallback".into());
    assert_eq!(
        next(&mut inbound).await,
        Resolution::Unknown,
        "nobody has the port yet"
    );
    let _membership = join(&books, instance("books-1", 7002)).await;
    let Resolution::Known(policy) = next(&mut inbound).await else {
        panic!("the member has the port")
    };
    assert_eq!(policy.service, ServiceName::from("books"));
    assert_eq!(
        (policy.protocol, &policy.routes),
        (Protocol::Http1, &routes())
    );
    control.stop().await;
}
