#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn id(value: u64) -> SpanId {
    SpanId::new(value).unwrap()
}

/// Stored spans were named by it: it may never change.
#[test]
fn the_half_of_an_id_is_always_the_same() {
    assert_eq!(server_half(id(1)), server_half(id(1)));
    assert_eq!(
        server_half(id(0x00f0_67aa_0ba9_02b7)).to_string(),
        "42204b0ec662b78d"
    );
}

#[test]
fn ids_have_halves_of_their_own() {
    let halves: std::collections::HashSet<_> = (1..10_000).map(|n| server_half(id(n))).collect();
    assert_eq!(halves.len(), 9_999);
    assert!((1..10_000).all(|n| server_half(id(n)) != id(n)));
}

#[test]
fn a_child_is_below_the_half_that_its_own_service_wrote() {
    let (shared, half) = (id(7), server_half(id(7)));
    let service_of = |asked: SpanId| match asked {
        asked if asked == shared => Some("webapp"),
        asked if asked == half => Some("books"),
        _ => None,
    };
    let parent = |span, service| parent_of(span, service, shared, service_of);
    assert_eq!(parent(id(8), "books"), half);
    assert_eq!(parent(id(9), "webapp"), shared, "the client's own child");
    assert_eq!(parent(half, "books"), shared, "the half itself");
    assert_eq!(
        parent_of(id(8), "books", id(3), service_of),
        id(3),
        "another parent, which nobody shares"
    );
}
