//! How the hops of one thread take part in traces: the settings, and the rule of `clew_trace::join`
//! applied to them.

use crate::hop::HopTrace;
use clew_model::telemetry::{TelemetrySettings, WriteFormat, WriteFormats};
use clew_trace::{
    Decision, Extracted, Family, FamilySet, RateLimit, RootSampler, SpanId, TraceContext,
    TraceState, join, propagation,
};
use http::header::{HeaderMap, HeaderName};
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;

/// The settings as control last sent them.
pub(crate) type TracingSettings = watch::Receiver<Arc<TelemetrySettings>>;

/// `clew-debug: 1` from someone who is trusted: this one trace is kept, whatever the ratio. It is a word to the
/// first proxy alone; from there on the flag of the trace says it.
const DEBUG: HeaderName = HeaderName::from_static("clew-debug");

/// Tracing of one data-plane thread.
pub(crate) struct Tracing {
    settings: RefCell<TracingSettings>,
    /// Spans can be sent somewhere. Where they cannot, no hop is kept.
    exports: bool,
    limit: Arc<RateLimit>,
    on: Cell<bool>,
    audit: Cell<bool>,
    write: Cell<FamilySet>,
    roots: RefCell<RootSampler>,
}

/// A hop's part in a trace, and what the audit wants to know of it.
pub(crate) struct Participation {
    /// Its part.
    pub(crate) trace: HopTrace,
    /// The span that goes on as the parent of what follows.
    pub(crate) given: SpanId,
    /// What came with the request, and was believed.
    pub(crate) came: Extracted,
    /// The families of headers that go on.
    pub(crate) written: FamilySet,
}

/// Whether what a caller says of a trace is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It is inside the mesh, or named as trusted.
    Trusted,
    /// It is outside: a new trace begins, with a link to what came.
    Untrusted,
}

impl Tracing {
    /// Follows the settings. The rate limit is all threads'.
    pub(crate) fn new(settings: TracingSettings, exports: bool, limit: Arc<RateLimit>) -> Self {
        let tracing = Self {
            settings: RefCell::new(settings),
            exports,
            limit,
            on: Cell::new(false),
            audit: Cell::new(false),
            write: Cell::new(FamilySet::EMPTY),
            roots: RefCell::new(RootSampler::new(0.0, None)),
        };
        let now = Arc::clone(&tracing.settings.borrow_mut().borrow_and_update());
        tracing.apply(&now);
        tracing
    }

    fn refresh(&self) {
        let mut settings = self.settings.borrow_mut();
        if settings.has_changed().unwrap_or(false) {
            let now = Arc::clone(&settings.borrow_and_update());
            self.apply(&now);
        }
    }

    fn apply(&self, settings: &TelemetrySettings) {
        self.on.set(settings.tracing);
        self.audit.set(settings.audit);
        self.write.set(families(settings.write));
        let sampling = settings.sampling;
        let limit = sampling.max_per_second.map(|rate| {
            self.limit.set(rate);
            Arc::clone(&self.limit)
        });
        // Where spans go nowhere, no trace may begin that claims to be kept.
        let ratio = if self.exports { sampling.ratio } else { 0.0 };
        self.roots.replace(RootSampler::new(ratio, limit));
    }

    /// Whether the propagation audit is wanted, as of the last request that joined.
    pub(crate) fn audits(&self) -> bool {
        self.audit.get()
    }

    /// Joins the trace of a request, or begins one, and writes what goes on into its headers.
    pub(crate) fn join(
        &self,
        headers: &mut HeaderMap,
        trust: Trust,
        rng: &mut fastrand::Rng,
        now: Instant,
    ) -> Option<Participation> {
        self.refresh();
        let is_wanted = headers.remove(DEBUG).is_some_and(|value| value == "1");
        if !self.on.get() && trust == Trust::Trusted {
            return None;
        }
        let mut incoming = propagation::extract(headers);
        let mut link = None;
        if trust == Trust::Untrusted && !incoming.is_absent() {
            link = incoming
                .context
                .as_ref()
                .map(|context| (context.trace_id, context.span_id));
            propagation::remove(headers, FamilySet::ALL);
            incoming = Extracted::default();
        }
        if !self.on.get() {
            return None;
        }
        if is_wanted && trust == Trust::Trusted {
            incoming.want();
        }
        let written = incoming.families.union(self.write.get()).with(Family::W3c);
        if !self.exports {
            // Nobody would ever see this hop's span: it must not become anyone's parent.
            if let Some(context) = &incoming.context {
                let (span_id, parent) = (SpanId::random(rng), Some(context.span_id));
                propagation::complete(headers, context, incoming.families, written);
                let given = context.span_id;
                let trace = HopTrace {
                    trace_id: context.trace_id,
                    span_id,
                    parent,
                    link,
                    kept: false,
                    flags: context.flags(),
                    state: TraceState::default(),
                };
                let came = incoming;
                return Some(Participation {
                    trace,
                    given,
                    came,
                    written,
                });
            }
            incoming.lone_decision = Decision::NotSampled;
        }
        let joined = join(&incoming, &self.roots.borrow(), rng, now);
        match (&joined.onward, &incoming.context) {
            (Some(onward), _) => propagation::inject(headers, onward, written),
            (None, Some(context)) => {
                propagation::complete(headers, context, incoming.families, written);
            }
            (None, None) => {}
        }
        let passed_on = incoming.context.as_ref().map(|context| context.span_id);
        let given = match (&joined.onward, passed_on) {
            (Some(onward), _) => onward.span_id,
            (None, passed_on) => passed_on.unwrap_or(joined.span_id),
        };
        let trace = HopTrace {
            trace_id: joined.trace_id,
            span_id: joined.span_id,
            parent: joined.parent,
            link,
            kept: joined.sampled && self.exports,
            flags: joined
                .onward
                .as_ref()
                .map(TraceContext::flags)
                .unwrap_or_default(),
            state: joined.onward.map(|onward| onward.state).unwrap_or_default(),
        };
        let came = incoming;
        Some(Participation {
            trace,
            given,
            came,
            written,
        })
    }
}

fn families(write: WriteFormats) -> FamilySet {
    let family = |format| match format {
        WriteFormat::B3 => Family::B3Single,
        WriteFormat::B3Multi => Family::B3Multi,
        WriteFormat::Jaeger => Family::Jaeger,
        WriteFormat::Datadog => Family::Datadog,
        WriteFormat::XRay => Family::XRay,
        WriteFormat::GrpcTraceBin => Family::GrpcTraceBin,
    };
    write.iter().map(family).collect()
}
