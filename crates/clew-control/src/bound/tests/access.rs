//! Who may call what, changed from outside.

use super::{Running, config, in_time};
use crate::access::{AccessTable, MAX_SERVICES};
use crate::config::ControlConfig;
use clew_api::client::{CallError, Resolution};
use clew_api::wire::access::access_client::AccessClient;
use clew_api::wire::access::{Grant as WireGrant, SetRequest};
use clew_model::name::ServiceName;
use clew_model::policy::{Access, Clients, Grant};
use futures_util::future::join_all;
use std::sync::Arc;
use tonic::Code;
use tonic::transport::Endpoint;

fn meshed() -> Access {
    Access::of([Grant {
        name: "meshed".into(),
        clients: Clients::Meshed,
        networks: Arc::new([]),
        requests: Arc::new([]),
    }])
}

#[tokio::test]
async fn what_is_changed_is_in_force_and_can_be_taken_back() {
    let control = Running::with(ControlConfig {
        access: AccessTable {
            default: meshed(),
            ..AccessTable::default()
        },
        ..config()
    });
    let client = control.client("observe");
    let before = client.load_access().await.unwrap();
    assert_eq!((&before.default, before.services.len()), (&meshed(), 0));
    assert_eq!(
        (before.namespace.as_str(), before.trust_domain),
        ("default", None)
    );

    let books = ServiceName::from("books");
    let changed = client.set_access(&books, &Access::nobody()).await.unwrap();
    assert_eq!(changed.services, [(books.clone(), Access::nobody())].into());
    assert_eq!(client.load_access().await.unwrap(), changed);

    let back = client.reset_access(&books).await.unwrap();
    assert_eq!((back.default, back.services.len()), (meshed(), 0));
    control.stop().await;
}

/// 1. A proxy follows the policy of its port. 2. Somebody changes who may call. 3. The proxy hears of it.
#[tokio::test]
async fn proxies_hear_of_a_change_at_once() {
    let control = Running::start();
    let client = control.client("books");
    let _member = super::join(&client, crate::sample::instance("books-1", 7_000)).await;
    let mut policies = client.watch_inbound(7_000, "books".into());
    let Resolution::Known(policy) = super::next(&mut policies).await else {
        panic!("known")
    };
    assert_eq!(policy.access, Access::everyone());
    let changed = client.set_access(&policy.service, &Access::nobody()).await;
    changed.unwrap();
    let Resolution::Known(policy) = super::next(&mut policies).await else {
        panic!("known")
    };
    assert_eq!(policy.access, Access::nobody());
    control.stop().await;
}

#[tokio::test]
async fn changes_of_two_services_at_once_are_both_kept() {
    let control = Running::start();
    let names: Vec<ServiceName> = (0..50)
        .map(|n| ServiceName::new(format!("service-{n}")))
        .collect();
    let changes = names.iter().map(async |name| {
        let client = control.client("observe");
        client.set_access(name, &meshed()).await.unwrap();
    });
    in_time(join_all(changes)).await;
    let table = control.client("observe").load_access().await.unwrap();
    assert_eq!(table.services.len(), names.len());
    control.stop().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_all_mistakes_and_changes_nothing() {
    let control = Running::start();
    let uri = format!("http://{}", control.address);
    let channel = Endpoint::from_shared(uri).unwrap().connect_lazy();
    let ask = SetRequest {
        service: "books".to_owned(),
        grants: vec![WireGrant {
            name: "wrong".to_owned(),
            networks: vec!["ten".to_owned()],
            ..WireGrant::default()
        }],
    };
    let refused = AccessClient::new(channel).set(ask).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(refused.message().lines().count(), 2, "{refused:?}");

    let client = control.client("observe");
    let nameless = client.set_access(&"a b".into(), &meshed()).await;
    let Err(CallError::Refused { mistakes }) = nameless else {
        panic!("{nameless:?}")
    };
    assert!(
        mistakes[0].contains("the name of a service"),
        "{mistakes:?}"
    );
    assert!(client.load_access().await.unwrap().services.is_empty());
    control.stop().await;
}

#[test]
fn there_is_a_bound_on_services_with_a_word_of_their_own() {
    let mut table = AccessTable::default();
    let name = |n| ServiceName::new(format!("service-{n}"));
    for n in 0..MAX_SERVICES {
        assert!(table.change(name(n), Some(meshed())));
    }
    assert!(!table.change("one-more".into(), Some(meshed())));
    assert!(table.change(name(1), Some(Access::nobody())));
    assert!(table.change(name(1), None));
    assert!(table.change("one-more".into(), Some(meshed())));
}
