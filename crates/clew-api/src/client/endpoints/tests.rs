#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn endpoint(port: u16, weight: u32) -> Endpoint {
    Endpoint {
        address: ([127, 0, 0, 1], port).into(),
        weight,
        workload: None,
        instance: None,
        identity: None,
    }
}

fn address(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn opened() -> Known {
    let mut known = Known::default();
    known.reopen();
    known
}

#[test]
fn the_first_answer_stands_for_everything() {
    let mut known = opened();
    let first = known.apply(EndpointUpdate::Add(vec![endpoint(1, 1)]));
    assert_eq!(first, Some(EndpointUpdate::Reset(vec![endpoint(1, 1)])));
    let second = known.apply(EndpointUpdate::Add(vec![endpoint(2, 1)]));
    assert_eq!(second, Some(EndpointUpdate::Add(vec![endpoint(2, 1)])));
}

#[test]
fn after_a_loss_what_is_gone_disappears() {
    let mut known = opened();
    known.apply(EndpointUpdate::Add(vec![endpoint(1, 1), endpoint(2, 1)]));
    known.reopen();
    let again = known.apply(EndpointUpdate::Add(vec![endpoint(2, 1)]));
    assert_eq!(again, Some(EndpointUpdate::Reset(vec![endpoint(2, 1)])));
}

#[test]
fn after_a_loss_the_same_is_no_news() {
    let mut known = opened();
    known.apply(EndpointUpdate::Add(vec![endpoint(1, 1), endpoint(2, 1)]));
    known.reopen();
    assert_eq!(
        known.apply(EndpointUpdate::Add(vec![endpoint(2, 1), endpoint(1, 1)])),
        None
    );
    let more = known.apply(EndpointUpdate::Add(vec![endpoint(3, 1)]));
    assert_eq!(
        more,
        Some(EndpointUpdate::Add(vec![endpoint(3, 1)])),
        "the second answer is a change"
    );
}

#[test]
fn only_what_differs_is_added() {
    let mut known = opened();
    known.apply(EndpointUpdate::Add(vec![endpoint(1, 1), endpoint(2, 1)]));
    let update = known.apply(EndpointUpdate::Add(vec![endpoint(1, 1), endpoint(2, 9)]));
    assert_eq!(update, Some(EndpointUpdate::Add(vec![endpoint(2, 9)])));
    assert_eq!(known.apply(EndpointUpdate::Add(vec![endpoint(2, 9)])), None);
}

#[test]
fn removing_the_last_leaves_a_service_without_endpoints() {
    let mut known = opened();
    known.apply(EndpointUpdate::Add(vec![endpoint(1, 1), endpoint(2, 1)]));
    let one = known.apply(EndpointUpdate::Remove(vec![address(1), address(9)]));
    assert_eq!(one, Some(EndpointUpdate::Remove(vec![address(1)])));
    let last = known.apply(EndpointUpdate::Remove(vec![address(2)]));
    assert_eq!(last, Some(EndpointUpdate::NoEndpoints { exists: true }));
    assert_eq!(
        known.apply(EndpointUpdate::NoEndpoints { exists: true }),
        None
    );
    assert_eq!(known.apply(EndpointUpdate::Remove(vec![address(2)])), None);
}

#[test]
fn endpoints_after_none_are_a_new_start() {
    let mut known = opened();
    let none = known.apply(EndpointUpdate::NoEndpoints { exists: false });
    assert_eq!(none, Some(EndpointUpdate::NoEndpoints { exists: false }));
    let some = known.apply(EndpointUpdate::Add(vec![endpoint(1, 1)]));
    assert_eq!(some, Some(EndpointUpdate::Reset(vec![endpoint(1, 1)])));
    assert!(known.has_endpoints());
}

#[test]
fn an_empty_set_is_no_endpoints() {
    let mut known = opened();
    let none = known.apply(EndpointUpdate::Add(Vec::new()));
    assert_eq!(none, Some(EndpointUpdate::NoEndpoints { exists: true }));
    assert!(!known.has_endpoints());
}
