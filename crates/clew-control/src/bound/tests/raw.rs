//! Clients that are not ours: they know the Linkerd proxy API, and no header of Clew's.

use super::{Running, config, in_time, instance, join};
use crate::config::{ControlConfig, DeclaredService, Limits};
use clew_api::wire::linkerd::destination::GetDestination;
use clew_api::wire::linkerd::destination::destination_client::DestinationClient;
use clew_api::wire::linkerd::inbound::PortSpec;
use clew_api::wire::linkerd::inbound::inbound_server_policies_client::InboundServerPoliciesClient;
use clew_api::wire::linkerd::outbound::outbound_policies_client::OutboundPoliciesClient;
use clew_api::wire::linkerd::outbound::{TrafficSpec, traffic_spec::Target};
use clew_api::wire::registry::registry_client::RegistryClient;
use clew_api::wire::registry::{self, WatchRequest};
use clew_model::service::Protocol;
use std::sync::Arc;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

fn channel(control: &Running) -> Channel {
    Endpoint::from_shared(format!("http://{}", control.address))
        .unwrap()
        .connect_lazy()
}

fn authority(name: &str) -> TrafficSpec {
    // What Linkerd's injector writes.
    let source_workload = r#"{"ns":"default","pod":"web-1"}"#.to_owned();
    TrafficSpec {
        source_workload,
        target: Some(Target::Authority(name.to_owned())),
    }
}

#[tokio::test]
async fn an_unknown_target_is_not_found_to_who_does_not_wait() {
    let control = Running::start();
    let mut client = OutboundPoliciesClient::new(channel(&control));
    assert_eq!(
        client.watch(authority("books")).await.unwrap_err().code(),
        Code::NotFound
    );
    assert_eq!(
        client.get(authority("books")).await.unwrap_err().code(),
        Code::NotFound
    );
    let mut ports = InboundServerPoliciesClient::new(channel(&control));
    let port = PortSpec {
        workload: "default:books".to_owned(),
        port: 7002,
    };
    assert_eq!(
        ports.watch_port(port.clone()).await.unwrap_err().code(),
        Code::NotFound
    );
    assert_eq!(
        ports.get_port(port).await.unwrap_err().code(),
        Code::NotFound
    );

    let ours = control.client("books");
    let membership = join(&ours, instance("books-1", 7002)).await;
    let mut policies = client.watch(authority("books")).await.unwrap().into_inner();
    assert!(in_time(policies.message()).await.unwrap().is_some());
    drop(membership);
    let end = in_time(policies.message()).await.unwrap_err();
    assert_eq!(end.code(), Code::NotFound, "and so is one that is no more");
    control.stop().await;
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused() {
    let control = Running::start();
    let mut client = OutboundPoliciesClient::new(channel(&control));
    let nobody = TrafficSpec {
        source_workload: String::new(),
        ..authority("books")
    };
    let nothing = TrafficSpec {
        target: None,
        ..authority("books")
    };
    for question in [nobody, nothing] {
        assert_eq!(
            client.watch(question).await.unwrap_err().code(),
            Code::InvalidArgument
        );
    }
    let mut destinations = DestinationClient::new(channel(&control));
    let error = destinations
        .get(GetDestination::default())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    control.stop().await;
}

#[tokio::test]
async fn a_linkerd_proxy_finds_profiles() {
    let declared = DeclaredService {
        name: "db".into(),
        protocol: Some(Protocol::Opaque),
        routes: Arc::new([]),
    };
    let control = Running::with(ControlConfig {
        services: vec![declared],
        ..config()
    });
    let mut client = DestinationClient::new(channel(&control));
    let path = |path: &str| GetDestination {
        path: path.to_owned(),
        ..Default::default()
    };
    let mut known = client
        .get_profile(path("db.default.svc.cluster.local:5432"))
        .await
        .unwrap()
        .into_inner();
    let profile = in_time(known.message()).await.unwrap().unwrap();
    assert_eq!(profile.fully_qualified_name, "db.default.svc.cluster.local");
    assert!(profile.opaque_protocol);
    let mut unknown = client
        .get_profile(path("example.com:80"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        in_time(unknown.message())
            .await
            .unwrap()
            .unwrap()
            .fully_qualified_name,
        ""
    );
    drop((known, unknown));
    control.stop().await;
}

#[tokio::test]
async fn streams_past_the_bound_are_refused_until_another_ends() {
    let limits = Limits {
        max_streams: 1,
        ..Limits::default()
    };
    let control = Running::with(ControlConfig { limits, ..config() });
    let mut client = RegistryClient::new(channel(&control));
    let mut first = client.watch(WatchRequest {}).await.unwrap().into_inner();
    in_time(first.message()).await.unwrap();
    assert_eq!(
        client.watch(WatchRequest {}).await.unwrap_err().code(),
        Code::ResourceExhausted
    );
    drop(first);
    // The reset is on its way to control; the next question may still come before it is seen.
    let second = in_time(async {
        loop {
            match client.watch(WatchRequest {}).await {
                Ok(stream) => return stream,
                Err(status) => assert_eq!(status.code(), Code::ResourceExhausted),
            }
        }
    });
    drop(second.await);
    control.stop().await;
}

/// 1. As many watch as may. 2. A member joins all the same: it has a place of its own. 3. A second one finds none,
///    and nobody ever saw it.
#[tokio::test]
async fn those_who_watch_keep_no_member_out() {
    let limits = Limits {
        max_streams: 1,
        max_members: 1,
        ..Limits::default()
    };
    let control = Running::with(ControlConfig { limits, ..config() });
    let mut client = RegistryClient::new(channel(&control));
    let mut watching = client.watch(WatchRequest {}).await.unwrap().into_inner();
    in_time(watching.message()).await.unwrap();
    let ours = control.client("books");
    let _member = join(&ours, instance("books-1", 7002)).await;
    let refused = client
        .join(registry::Instance::from(&instance("books-2", 7003)))
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::ResourceExhausted);
    let seen = in_time(watching.message()).await.unwrap().unwrap();
    assert_eq!(seen.instances.len(), 1);
    control.stop().await;
}

#[tokio::test]
async fn every_address_serves_everything() {
    let any = "127.0.0.1:0".parse().unwrap();
    let bound = crate::Control::bind(ControlConfig {
        listen: vec![any, any],
        ..config()
    })
    .unwrap();
    let addresses = bound.addresses().to_vec();
    assert_eq!(addresses.len(), 2);
    let (drain, watch) = clew_runtime::drain::Drain::new(super::DEADLINE);
    let task = tokio::spawn(bound.run(watch));
    for address in addresses {
        let channel = Endpoint::from_shared(format!("http://{address}"))
            .unwrap()
            .connect_lazy();
        let mut members = RegistryClient::new(channel)
            .watch(WatchRequest {})
            .await
            .unwrap()
            .into_inner();
        assert!(in_time(members.message()).await.unwrap().is_some());
    }
    drain.start();
    in_time(task).await.unwrap().unwrap();
}
