//! Where the time of a request went: of a trace, to whom each nanosecond of its critical path belongs.
//!
//! [`Tree`] puts spans below their parents, with clocks that disagree set right by the least that must be wrong.
//! [`Tree::path`] walks back from the end of a request: what ended last before a moment is what was waited for then.
//! [`Tree::blame`] says whose that time is. What is said of one request adds up to its duration, exactly.

mod hops;
mod path;
mod tree;

#[cfg(test)]
mod tests;

pub(crate) use self::hops::Hop;
pub(crate) use self::tree::Tree;

use clew_api::rest::span::{PROXY_SCOPE, ProxyTime};
use clew_trace::Span;
use clew_trace::span::SpanKind;
use std::collections::BTreeMap;
use std::time::Duration;

/// What time was spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The application's own work, and what it waits for without telling anyone.
    Application,
    /// Work of a workload's proxies.
    Proxy,
    /// Waits of a workload's proxies: a place on a connection, a new connection, a handshake.
    Wait,
    /// Network and kernel between two proxies.
    Network,
    /// A server outside of the mesh, and the way to it.
    Outside,
    /// A server in the mesh of whose span there is no trace, and the way to it.
    Unseen,
}

impl Part {
    /// Name in answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Proxy => "proxy",
            Self::Wait => "wait",
            Self::Network => "network",
            Self::Outside => "outside",
            Self::Unseen => "unseen",
        }
    }
}

/// Whose time it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner {
    /// What it was spent on.
    pub(crate) part: Part,
    /// Workload; of an edge, its client.
    pub(crate) of: String,
    /// Server of an edge.
    pub(crate) to: Option<String>,
    /// Of a proxy's work and waits: on which side, `inbound` or `outbound`.
    pub(crate) side: Option<&'static str>,
}

/// Nanoseconds by owner.
pub(crate) type Blame = BTreeMap<Owner, u64>;

/// A span of a proxy, and of which side.
pub(crate) fn is_proxys(span: &Span, kind: SpanKind) -> bool {
    span.scope == PROXY_SCOPE && span.kind == kind
}

/// The route of a proxy's span, as metrics name it.
pub(crate) fn route(span: &Span) -> Option<&str> {
    attribute(span, "clew.route")
}

fn attribute<'a>(span: &'a Span, name: &str) -> Option<&'a str> {
    let mut attributes = span.attributes.iter();
    let (_, value) = attributes.find(|(known, _)| known == name)?;
    value.as_str().filter(|text| !text.is_empty())
}

impl Tree<'_> {
    /// Whose the time of a request is, from the span that stands for it. The sum is the span's duration.
    pub(crate) fn blame(&self, entry: usize) -> Blame {
        let mut blame = Blame::new();
        for (span, own) in self.path(entry) {
            for (owner, nanos) in self.split(span, own) {
                if nanos > 0 {
                    *blame.entry(owner).or_default() += nanos;
                }
            }
        }
        blame
    }

    /// Whose a span's own time is: what was not spent in the spans below it.
    pub(crate) fn split(&self, index: usize, own: u64) -> Vec<(Owner, u64)> {
        let span = self.span(index);
        let owner = |part, to: Option<&str>| Owner {
            part,
            of: self.service(index).to_owned(),
            to: to.map(str::to_owned),
            side: None,
        };
        let of_proxy = |part| Owner {
            side: Some(match span.kind {
                SpanKind::Server => "inbound",
                _ => "outbound",
            }),
            ..owner(part, None)
        };
        if span.scope != PROXY_SCOPE {
            return vec![(owner(Part::Application, None), own)];
        }
        let (work, wait, rest) = self.spent(index, own);
        let beyond = match span.kind {
            // The time of a gateway's passage is told on its outbound side alone.
            SpanKind::Server if self.time_of(index).is_none() => of_proxy(Part::Proxy),
            SpanKind::Server => owner(Part::Application, None),
            _ => match (self.server_of(index), attribute(span, "clew.peer.workload")) {
                (Some(server), _) => owner(Part::Network, Some(&self.span(server).service)),
                (None, Some(workload)) => owner(Part::Unseen, Some(workload)),
                (None, None) => {
                    let named = attribute(span, "clew.dst_service");
                    let named = named.or_else(|| attribute(span, "server.address"));
                    owner(Part::Outside, named)
                }
            },
        };
        vec![
            (of_proxy(Part::Proxy), work),
            (of_proxy(Part::Wait), wait),
            (beyond, rest),
        ]
    }

    /// Of a time that a proxy's span has for itself: what the proxy worked, what it waited, and the rest.
    pub(crate) fn spent(&self, index: usize, own: u64) -> (u64, u64, u64) {
        let (work, wait) = self
            .time_of(index)
            .map_or((0, 0), |time| (time.work_us, time.wait_us));
        let work = work.saturating_mul(1_000).min(own);
        let wait = wait.saturating_mul(1_000).min(own - work);
        (work, wait, own - work - wait)
    }

    /// Time that the proxy measured itself.
    pub(crate) fn time_of(&self, index: usize) -> Option<ProxyTime> {
        proxy_time(self.span(index))
    }
}

/// Time that the proxy measured itself, from the attributes `clew.proxy.<phase>_us` of its span.
pub(crate) fn proxy_time(span: &Span) -> Option<ProxyTime> {
    if span.scope != PROXY_SCOPE {
        return None;
    }
    let phases = span.attributes.iter().filter_map(|(name, value)| {
        let phase = name.strip_prefix("clew.proxy.")?.strip_suffix("_us")?;
        // Proxies write fractions of a microsecond; a negative or infinite one is not theirs.
        let micros = Duration::try_from_secs_f64(value.as_f64()? / 1e6).ok()?;
        Some((phase.to_owned(), round_micros(micros)))
    });
    ProxyTime::from_phases(phases.collect())
}

fn round_micros(time: Duration) -> u64 {
    u64::try_from((time.as_nanos() + 500) / 1_000).unwrap_or(u64::MAX)
}
