//! The context that travels with a request.

use crate::id::{SpanId, TraceId};
use crate::state::TraceState;

/// Whether a trace is kept, as far as the headers of a request say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Nobody has decided yet: the receiver does. B3 can say this, W3C cannot.
    #[default]
    Deferred,
    /// Kept.
    Sampled,
    /// Not kept.
    NotSampled,
}

impl Decision {
    /// Decided, and kept.
    pub fn is_sampled(self) -> bool {
        self == Self::Sampled
    }
}

impl From<bool> for Decision {
    fn from(sampled: bool) -> Self {
        if sampled {
            Self::Sampled
        } else {
            Self::NotSampled
        }
    }
}

/// The `trace-flags` octet of W3C Trace Context, which is also the low octet of OTLP's span flags.
/// Bits that the specification does not define are cleared, as section 3.2.2.5.3 (level 2) demands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TraceFlags(u8);

impl TraceFlags {
    const SAMPLED: u8 = 0b01;
    const RANDOM: u8 = 0b10;

    /// From the octet; unknown bits are dropped.
    pub fn from_octet(octet: u8) -> Self {
        Self(octet & (Self::SAMPLED | Self::RANDOM))
    }

    /// From its parts.
    pub fn new(sampled: bool, random: bool) -> Self {
        Self((u8::from(sampled) * Self::SAMPLED) | (u8::from(random) * Self::RANDOM))
    }

    /// The octet.
    pub fn octet(self) -> u8 {
        self.0
    }

    /// The sender may have recorded the trace.
    pub fn is_sampled(self) -> bool {
        self.0 & Self::SAMPLED != 0
    }

    /// The lower 56 bits of the trace id are random (level 2).
    pub fn is_random(self) -> bool {
        self.0 & Self::RANDOM != 0
    }
}

/// Trace context of one request: which trace it belongs to and which span sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace_id: TraceId,
    /// The span that sent the request: the parent of the receiver's.
    pub span_id: SpanId,
    /// Parent of `span_id`. Only B3 carries it, for tracers in which client and server share a span.
    pub parent_span_id: Option<SpanId>,
    /// Whether the trace is kept.
    pub decision: Decision,
    /// Somebody wants this trace in spite of any sampling (B3's debug flag). Implies
    /// [`Decision::Sampled`].
    pub debug: bool,
    /// The lower 56 bits of the trace id are random (W3C level 2).
    pub random: bool,
    /// Other vendors' data, passed on as it is.
    pub state: TraceState,
}

impl TraceContext {
    /// Context of a trace that begins here, with ids that are random.
    pub fn root(trace_id: TraceId, span_id: SpanId, decision: Decision) -> Self {
        Self {
            trace_id,
            span_id,
            parent_span_id: None,
            decision,
            debug: false,
            random: true,
            state: TraceState::default(),
        }
    }

    /// The same trace, one span further: what the receiver of `self` sends on.
    pub fn child(&self, span_id: SpanId) -> Self {
        Self {
            span_id,
            parent_span_id: Some(self.span_id),
            ..self.clone()
        }
    }

    /// The flags that W3C and OTLP write. A deferred decision reads as not sampled there.
    pub fn flags(&self) -> TraceFlags {
        TraceFlags::new(self.decision.is_sampled(), self.random)
    }
}
