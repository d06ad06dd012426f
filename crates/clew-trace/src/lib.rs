//! Trace context as Clew reads, decides on and writes it: ids, header formats, sampling, and the span
//! value that is stored and shown.
//!
//! It is not a tracing library: nothing here records time, holds a current span or exports. There is
//! no I/O, no clock and no global state; random numbers and the time come in as arguments.
//!
//! Start reading at [`mod@join`]: it is the rule by which one hop takes part in a trace, and names
//! everything else. A header format is one module under [`propagation`] and one line in its table.

pub mod audit;
mod context;
mod hex;
mod id;
pub mod join;
pub mod propagation;
pub mod sampling;
pub mod shared;
pub mod span;
mod state;

pub use context::{Decision, TraceContext, TraceFlags};
pub use id::{ParseIdError, SpanId, TraceId};
pub use join::join;
pub use propagation::{Extracted, Family, FamilySet, Malformed, extract, inject};
pub use sampling::{RateLimit, RootSampler, decide};
pub use span::Span;
pub use state::TraceState;
