//! Spans and metric points at rest: one SQLite file, durable across a kill -9, bounded in time and
//! bytes.
//!
//! It is not a general database of time series: what it keeps of a counter is its **increase per
//! scrape**, so that the numbers of a window are plain sums, exact across restarts of the proxies
//! and of observe. And it decides nothing about spans: they are kept as they came.
//!
//! Writing never waits: [`Store`] takes batches over a bounded queue to the one thread that owns the
//! writing connection, and refuses with a typed error when the queue is full. Reading goes through a
//! few read-only connections on blocking threads.
//!
//! Start reading at [`Store`], then [`query`] for what can be asked, then `file/schema.rs` for how it is kept.

mod detail;
pub mod error;
mod file;
pub mod histogram;
pub mod label;
pub mod query;
mod read;
pub mod sample;
pub mod steps;
mod store;
mod varint;
pub mod window;
mod write;

pub use error::{ReadError, StoreError, WriteError};
pub use file::StorePath;
pub use histogram::{Histogram, Latency};
pub use label::Label;
pub use sample::{Sample, SampleValue, Scrape};
pub use steps::Steps;
pub use store::Store;
pub use window::Window;
pub use write::Retention;
