//! HTTP/1.0 and 1.1, written for a proxy: a request has one task, an idle connection holds no buffer, interim
//! responses pass, and what two readers could take for different messages is refused.
//!
//! `head` and `body` read, `encode` writes, `wire` is the bytes of a connection, `channel` the connection that a body
//! and its owner share, `server` and `client` the two ends.

mod body;
mod channel;
mod client;
mod encode;
pub mod fuzzing;
mod head;
mod server;
mod wire;

pub(crate) use channel::{Incoming, Interim};
pub(crate) use client::Client;
pub(crate) use server::serve;
