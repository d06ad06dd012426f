//! The sidecar and the gateway: listen, detect, route, balance, connect, forward, report.
//!
//! What it is not: it stores nothing, it decides no policy of its own, and it knows no Kubernetes.
//!
//! Start reading at [`proxy`] (bind, then run), then the way of one request in `request`.

pub mod config;
pub mod error;
pub mod hop;
