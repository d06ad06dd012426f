//! Spans that share an id: B3's "RPC span sharing", as Zipkin's libraries do it.
//!
//! There the server's span of a request has the id of the client's (or of our sidecar's SERVER span, which is what
//! the application received). One id for two spans is no tree, so the half that says `shared` gets an id of its
//! own: one that follows from the shared id, so that a span that is sent twice is stored once, and whoever sees the
//! shared id can tell what the other half would be called. The spans below it still name the shared id as their
//! parent, and come before it as often as after it; so they find it when the trace is read ([`parent_of`]).
//!
//! docs/decisions/0002-shared-spans.md says why.

#[cfg(test)]
mod tests;

use crate::id::SpanId;

/// The id of the half of a shared span that says so.
pub fn server_half(shared: SpanId) -> SpanId {
    // The last step of SplitMix64 (Steele, Lea, Flood 2014), which maps one to one: two ids never get one half.
    // The constant, "clew.b3s" in ASCII, keeps small ids from being their own.
    let mixed = shared.get() ^ 0x636c_6577_2e62_3373;
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    // One id in 2^64 has no half, and stays shared.
    SpanId::new(mixed ^ (mixed >> 31)).unwrap_or(shared)
}

/// Below which span one belongs that names `parent`: below the server's half of it, when the trace has one and the
/// same service wrote both; else where it says.
///
/// `service_of` is the service of a span of the trace, by its id.
pub fn parent_of<'a>(
    span: SpanId,
    service: &str,
    parent: SpanId,
    service_of: impl Fn(SpanId) -> Option<&'a str>,
) -> SpanId {
    let half = server_half(parent);
    if half != span && service_of(half) == Some(service) {
        half
    } else {
        parent
    }
}
