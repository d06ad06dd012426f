//! The sidecar and the gateway: listen, detect, route, balance, connect, forward, report.
//!
//! What it is not: it stores nothing, it decides no policy of its own, and it knows no Kubernetes.
//!
//! Start reading at [`proxy`] (bind, then run), then the way of one request in `serve/request.rs`, then
//! what is reported of it in [`hop`] and [`report`].

pub mod admin;
pub mod config;
pub mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod hop;
pub mod proxy;
pub mod report;

mod audit;
mod balance;
mod codec;
mod detect;
mod discover;
mod endpoint;
mod grpc;
mod headers;
mod identity;
mod lifecycle;
mod membership;
mod meter;
mod opaque;
mod open_hop;
mod own_listeners;
mod participation;
mod patience;
mod recent_series;
mod request_body;
mod response_body;
mod route_names;
mod serve;
mod services;
mod shard;
mod threads;
mod via;
mod worker;
