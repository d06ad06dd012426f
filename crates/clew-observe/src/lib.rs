//! Observe: takes in spans (OTLP, from proxies and from applications) and metrics (scraped from the
//! proxies), keeps both in the store, and answers questions over HTTP.
//!
//! It is beside the traffic and never in its way: when observe is slow, stopped or gone, proxies drop
//! and count. It holds no state of its own but counters; what must outlive it is in `clew-store`.
//!
//! Start reading at [`Observe::bind`], then [`ingest`] (the way of a span) and [`scrape`] (the
//! way of a number); [`api`] is how both are asked for.

pub mod api;
mod blame;
mod dashboard;
pub mod ingest;
mod listen;
mod observe;
pub mod scrape;

pub use listen::Port;
pub use observe::{BoundObserve, Observe, ObserveConfig, ObserveError};
