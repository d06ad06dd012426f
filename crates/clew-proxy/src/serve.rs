//! From an accepted connection to the end of its last request.
//!
//! [`connection`] tells the protocol and drives the connection; [`request`] is the way of one request,
//! top to bottom; the others are its steps.

pub(crate) mod connection;

mod arrival;
mod outgoing;
mod reach;
mod refusal;
mod request;
mod tunnel;
