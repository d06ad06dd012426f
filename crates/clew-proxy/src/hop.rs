//! The hop: one request as one proxy saw it, one side.
//!
//! A hop is the one record from which everything is reported: counters and histograms, the span, the
//! tap event and the access-log line. It is opened when the request's head has been read, and closed
//! exactly once, whatever happens; [`crate::report`] reads the closed record and nothing else, so that
//! the five reports cannot disagree. Of a long stream it reads the same record before, as far as it has come.

use clew_model::identity::Identity;
use clew_model::name::{InstanceId, RouteName, ServiceName, Workload};
use clew_trace::audit::Evidence;
use clew_trace::{SpanId, TraceFlags, TraceId, TraceState};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, StatusCode, Version};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Reason;

/// The side of the sidecar that a hop was seen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A request to the application (or to the gateway): a SERVER span.
    Inbound,
    /// A request from the application (or from the gateway): a CLIENT span.
    Outbound,
}

impl Direction {
    /// Label value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// Part of the time that a request spent in this proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum Phase {
    /// Telling the protocol of the connection; charged to its first request. Partly a wait for bytes.
    Detect,
    /// Identifying the service and matching the route.
    Route,
    /// Deciding whether the request may pass.
    Policy,
    /// Waiting for an endpoint or for a place on a connection. A wait.
    Queue,
    /// Choosing the endpoint.
    Balance,
    /// Waiting for a new connection. A wait.
    Connect,
    /// Waiting for a TLS handshake. A wait.
    Tls,
    /// Head in to head out, less the waits above.
    Request,
    /// Response head in to response head out.
    Response,
}

impl Phase {
    /// Number of phases.
    pub const COUNT: usize = 9;

    /// All phases, in the order in which a request meets them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Detect,
        Self::Route,
        Self::Policy,
        Self::Queue,
        Self::Balance,
        Self::Connect,
        Self::Tls,
        Self::Request,
        Self::Response,
    ];

    /// Label value and the middle of the span attribute `clew.proxy.<phase>_us`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Detect => "detect",
            Self::Route => "route",
            Self::Policy => "policy",
            Self::Queue => "queue",
            Self::Balance => "balance",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Request => "request",
            Self::Response => "response",
        }
    }

    /// The proxy waited for someone else; not work of its own.
    pub fn is_wait(self) -> bool {
        matches!(self, Self::Queue | Self::Connect | Self::Tls)
    }
}

/// Time by phase. A phase that a request did not go through is `None` and is not reported.
#[derive(Clone, Copy, Debug, Default)]
pub struct PhaseTimes([Option<Duration>; Phase::COUNT]);

impl PhaseTimes {
    /// Adds to a phase.
    pub fn add(&mut self, phase: Phase, time: Duration) {
        let slot = &mut self.0[phase as usize];
        *slot = Some(slot.unwrap_or_default() + time);
    }

    /// Adds all of another's phases.
    pub fn add_all(&mut self, others: &Self) {
        others
            .iter()
            .for_each(|(phase, time)| self.add(phase, time));
    }

    /// Time in a phase, if the request went through it.
    pub fn get(&self, phase: Phase) -> Option<Duration> {
        self.0[phase as usize]
    }

    /// The phases that the request went through.
    pub fn iter(&self) -> impl Iterator<Item = (Phase, Duration)> + '_ {
        Phase::ALL
            .into_iter()
            .filter_map(|phase| self.get(phase).map(|time| (phase, time)))
    }
}

/// Who is on the other side, as labels name them. Resolved once per connection or endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Peer {
    /// The other side's workload; `None` when it is not in the mesh.
    pub workload: Option<Workload>,
    /// The other side's instance.
    pub instance: Option<InstanceId>,
    /// Outbound: the service that was addressed. Inbound: the service that the port answers to.
    pub service: Option<ServiceName>,
    /// The other side's verified identity (`client_id`, `server_id`). Outbound, a connection is none before it is verified.
    pub identity: Option<Identity>,
}

impl Peer {
    /// TLS to it.
    pub fn tls(&self) -> Tls {
        match self.identity {
            Some(_) => Tls::Mutual,
            None => Tls::None,
        }
    }
}

/// State of TLS between the proxies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tls {
    /// In clear.
    #[default]
    None,
    /// Both have proven who they are.
    Mutual,
}

impl Tls {
    /// Label value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Mutual => "mtls",
        }
    }
}

/// The labels of a hop that are known when it opens. Equal keys share one set of series.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SeriesKey {
    /// Side.
    pub direction: Direction,
    /// The other side.
    pub peer: Arc<Peer>,
    /// Route, after learning.
    pub route: RouteName,
}

/// What trace this hop belongs to. Absent when tracing is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HopTrace {
    /// The trace.
    pub trace_id: TraceId,
    /// Id of this hop's span. Sent on when the hop is kept, or when the trace begins with it.
    pub span_id: SpanId,
    /// Parent that came in, if any.
    pub parent: Option<SpanId>,
    /// Context that an untrusted caller sent and that was replaced at the edge: becomes a span link.
    pub link: Option<(TraceId, SpanId)>,
    /// The hop's span is to be exported.
    pub kept: bool,
    /// The flags that go on with a hop that is kept.
    pub flags: TraceFlags,
    /// The `tracestate` that goes on with it.
    pub state: TraceState,
}

/// How a hop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The response was sent to its end.
    Complete,
    /// The caller gave up: it closed, reset the stream, or went away.
    CancelledByClient,
    /// The mesh or the server broke it; the reason says who and how.
    Failed(Reason),
}

/// Success, failure, or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Classification {
    /// The server did what it was asked, or said no for a reason of the client's.
    Success,
    /// The server, or the mesh, failed.
    Failure,
    /// The caller gave up; says nothing of the server and is shown apart.
    Cancelled,
}

impl Classification {
    /// Label value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What kind of exchange it was. Long streams stay out of the latency histograms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exchange {
    /// Request and response.
    #[default]
    Unary,
    /// Server-sent events, or another response that is long by nature.
    Stream,
    /// An upgraded connection (WebSocket) or a CONNECT tunnel.
    Tunnel,
}

/// What was told of a stream while it was open, so that nothing is told twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// It is counted as an open stream.
    pub is_open: bool,
    /// Bytes from the client.
    pub request_bytes: u64,
    /// Bytes to the client.
    pub response_bytes: u64,
}

/// The record of one hop: closed, or, of a stream that is open, as far as it has come.
#[derive(Debug)]
pub struct HopRecord {
    /// Labels.
    pub key: SeriesKey,
    /// The route was configured and not learned.
    pub route_is_configured: bool,
    /// Template of the path that the configured route matched, where it has one.
    pub route_path: Option<Arc<str>>,
    /// Request method.
    pub method: Method,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// Host and port as the client wrote them, without user info. Empty when there was none.
    pub authority: Arc<str>,
    /// Path and query. The query never leaves this record unless a setting names it.
    pub path: PathAndQuery,
    /// Version that the request came in with.
    pub version: Version,
    /// The request is gRPC (`content-type: application/grpc...`).
    pub is_grpc: bool,
    /// Address of the other side of the connection: client's (inbound) or endpoint's (outbound).
    pub peer_address: Option<SocketAddr>,
    /// Request headers, kept only while someone taps or the access log shows headers.
    pub request_headers: Option<HeaderMap>,
    /// Response headers, as above.
    pub response_headers: Option<HeaderMap>,
    /// Head read.
    pub start: Instant,
    /// The same moment, Unix time in nanoseconds.
    pub start_unix_nano: u64,
    /// Response head received, if there was one.
    pub response_start: Option<Instant>,
    /// First byte of the response body received, if there was one.
    pub first_body: Option<Instant>,
    /// End of the response stream, or the moment of failure; of a stream that is open, when it was last looked at.
    pub end: Instant,
    /// Proxy time.
    pub phases: PhaseTimes,
    /// Trace, if tracing is on.
    pub trace: Option<HopTrace>,
    /// What a request of the application shows of the context that the application was given; of others nothing.
    pub evidence: Option<Evidence>,
    /// Status of the response, if there was one.
    pub status: Option<StatusCode>,
    /// gRPC status from the trailers (or the head of a trailers-only response).
    pub grpc_status: Option<u16>,
    /// How it ended.
    pub outcome: End,
    /// Success, failure or neither.
    pub classification: Classification,
    /// Kind of exchange.
    pub exchange: Exchange,
    /// Body bytes from the client.
    pub request_bytes: u64,
    /// Body bytes to the client.
    pub response_bytes: u64,
    /// What was told of it while it was open.
    pub told: Told,
}

impl HopRecord {
    /// From the head of the request to the end of the response.
    pub fn duration(&self) -> Duration {
        self.end.saturating_duration_since(self.start)
    }

    /// The end, Unix time in nanoseconds.
    pub fn end_unix_nano(&self) -> u64 {
        let nanos = u64::try_from(self.duration().as_nanos()).unwrap_or(u64::MAX);
        self.start_unix_nano.saturating_add(nanos)
    }

    /// Reason of the end, as the bounded label `error`; empty when nothing went wrong.
    pub fn error_label(&self) -> &'static str {
        match self.outcome {
            End::Complete => "",
            End::CancelledByClient => Reason::ClientCancelled.as_str(),
            End::Failed(reason) => reason.as_str(),
        }
    }
}
