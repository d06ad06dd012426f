//! A mesh in a test: real proxies, control and observe, upstreams that do what a script says, and clients
//! that see every byte, all in one process on loopback ports that the system gives.
//!
//! It is not a simulation: proxies have their own data-plane threads and speak to control over gRPC, as they
//! do anywhere. And it is no place for doubles: what stands in for an application or a collector is a real
//! server.
//!
//! Tests are ordered by signals and never by sleeping. Whatever a test waits for is something that somebody
//! says: an upstream that a request has arrived ([`upstream`]), a proxy that a hop is closed
//! ([`Sidecar::hops`]), control that a member is in ([`Mesh::members`]), a collector that spans are there
//! ([`collector`]). Every wait goes through [`within`], so that what never happens fails with a sentence.
//!
//! Start reading at [`Mesh::begin`].

// What goes wrong here is a test that fails, with the words that say why.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod address;
pub mod body;
pub mod client;
pub mod collector;
pub mod grpc;
pub mod mesh;
pub mod metrics;
pub mod pair;
pub mod programs;
pub mod smuggling;
pub mod upstream;
mod wait;
pub mod wire;

pub use mesh::{Mesh, Sidecar};
pub use wait::{DEADLINE, within};
