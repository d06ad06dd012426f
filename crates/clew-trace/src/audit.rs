//! The propagation audit: what an outbound request shows of the trace context that its application was given, and what
//! may be concluded from it.
//!
//! **Evidence** is what a sidecar sees for certain, of every request, sampled or not. A **verdict** is what follows
//! from it, by the evidence of all requests of the route in a window of time: whether a request without context was
//! forgotten or has no cause to name can be told only where the route is not called out of the blue as well.

#[cfg(test)]
mod tests;

/// What a sidecar sees of one outbound request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
pub enum Evidence {
    /// The trace of a request in flight, and as its parent the span that the application was given.
    Given,
    /// The trace of a request in flight, and another parent.
    Inside,
    /// The trace of a request that has ended.
    Ended,
    /// A trace that this instance was not given, while requests were in flight.
    OtherBusy,
    /// The same while nothing was in flight.
    OtherIdle,
    /// Context is present, and none of it is usable.
    Unusable,
    /// No context but a decision without ids (`b3: 0`), which is legal and names no request.
    Decision,
    /// No context, while requests were in flight.
    AbsentBusy,
    /// No context; nothing was in flight, but a request had ended just before.
    AbsentAfter,
    /// No context, and nothing in flight or just ended.
    AbsentIdle,
    /// More requests were in flight than are remembered, and none of those that are is the one.
    Forgotten,
    /// No request, but a connection whose bytes the mesh does not read, such as TLS of the application's own.
    Opaque,
}

impl Evidence {
    /// All of it.
    pub const ALL: [Self; 12] = [
        Self::Given,
        Self::Inside,
        Self::Ended,
        Self::OtherBusy,
        Self::OtherIdle,
        Self::Unusable,
        Self::Decision,
        Self::AbsentBusy,
        Self::AbsentAfter,
        Self::AbsentIdle,
        Self::Forgotten,
        Self::Opaque,
    ];

    /// Label value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Inside => "inside",
            Self::Ended => "ended",
            Self::OtherBusy => "other_busy",
            Self::OtherIdle => "other_idle",
            Self::Unusable => "unusable",
            Self::Decision => "decision",
            Self::AbsentBusy => "absent_busy",
            Self::AbsentAfter => "absent_after",
            Self::AbsentIdle => "absent_idle",
            Self::Forgotten => "forgotten",
            Self::Opaque => "opaque",
        }
    }

    /// The evidence with this label.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|evidence| evidence.as_str() == name)
    }
}

/// What follows from the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// The application passed on what it was given.
    Forwarded,
    /// A library inside the application takes part in the trace.
    Participated,
    /// Work after the response, or from a queue of the application's own.
    Deferred,
    /// A trace that came to this instance by another way, such as a queue, or that began in it.
    Foreign,
    /// The application began a trace of its own instead of going on with the one that it was given.
    Restarted,
    /// The application passed on something that is no context.
    Mangled,
    /// The application was given context, and forgot it.
    Dropped,
    /// Who is to blame cannot be told.
    Unattributed,
    /// Work that no request asked for.
    Background,
    /// Nobody can look at it.
    Unseen,
}

impl Verdict {
    /// Name in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forwarded => "forwarded",
            Self::Participated => "participated",
            Self::Deferred => "deferred",
            Self::Foreign => "foreign",
            Self::Restarted => "restarted",
            Self::Mangled => "mangled",
            Self::Dropped => "dropped",
            Self::Unattributed => "unattributed",
            Self::Background => "background",
            Self::Unseen => "unseen",
        }
    }

    /// It speaks for the application (`Some(true)`), against it, or says nothing of it.
    pub fn speaks_for(self) -> Option<bool> {
        match self {
            Self::Forwarded | Self::Participated => Some(true),
            Self::Restarted | Self::Mangled | Self::Dropped => Some(false),
            Self::Deferred
            | Self::Foreign
            | Self::Unattributed
            | Self::Background
            | Self::Unseen => None,
        }
    }
}

/// The evidence of the requests of one outbound route in a window of time: how many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RouteEvidence {
    requests: [f64; Evidence::ALL.len()],
    begins_traces: bool,
    /// Busy seconds of the workload for each idle one, where that is known.
    busy_for_idle: Option<f64>,
}

/// Of calls without context, so many times more than a timer would make are no timer's.
const FAR_MORE: f64 = 10.0;

impl RouteEvidence {
    /// Adds requests. Counts of a window can be fractions, where its ends fall between two scrapes.
    pub fn add(&mut self, evidence: Evidence, requests: f64) {
        self.requests[evidence as usize] += requests;
    }

    /// Requests with this evidence.
    pub fn get(&self, evidence: Evidence) -> f64 {
        self.requests[evidence as usize]
    }

    /// Notes that the traces of requests with [`Evidence::OtherBusy`] were looked up, and that those that were found began
    /// in this workload.
    pub fn begins_traces(&mut self) {
        self.begins_traces = true;
    }

    /// Notes for how long requests were in flight in the workload, and for how long none was.
    pub fn was_busy(&mut self, busy_seconds: f64, idle_seconds: f64) {
        self.busy_for_idle = (idle_seconds > 0.0).then(|| busy_seconds / idle_seconds);
    }

    /// Whether the calls without context that were made while requests were in flight may be such as are made at any time.
    ///
    /// What is also called when nobody asked for anything may be so at any time: as often as it is then, on average. Far more
    /// calls than that are not explained by it, and were forgotten.
    fn may_be_background(&self) -> bool {
        if self.get(Evidence::AbsentIdle) == 0.0 {
            return false;
        }
        let idle = self.get(Evidence::AbsentIdle) + self.get(Evidence::AbsentAfter);
        let Some(busy_for_idle) = self.busy_for_idle else {
            return true;
        };
        self.get(Evidence::AbsentBusy) < FAR_MORE * idle * busy_for_idle.max(1.0)
    }

    /// Whether that is worth looking up: what also carries traces of its own while nothing is in flight, such as work from
    /// a queue, may do so at any time.
    pub fn may_begin_traces(&self) -> bool {
        self.get(Evidence::OtherBusy) > 0.0 && self.get(Evidence::OtherIdle) == 0.0
    }

    /// The verdict on requests with this evidence.
    pub fn verdict(&self, evidence: Evidence) -> Verdict {
        match evidence {
            Evidence::Given => Verdict::Forwarded,
            Evidence::Inside => Verdict::Participated,
            Evidence::Ended => Verdict::Deferred,
            Evidence::OtherBusy if self.begins_traces && self.may_begin_traces() => {
                Verdict::Restarted
            }
            Evidence::OtherBusy | Evidence::OtherIdle => Verdict::Foreign,
            Evidence::Opaque => Verdict::Unseen,
            Evidence::Unusable => Verdict::Mangled,
            Evidence::AbsentBusy if self.may_be_background() => Verdict::Unattributed,
            Evidence::AbsentBusy => Verdict::Dropped,
            Evidence::AbsentIdle => Verdict::Background,
            Evidence::AbsentAfter | Evidence::Decision | Evidence::Forgotten => {
                Verdict::Unattributed
            }
        }
    }

    /// How many requests have which verdict, without those that none has.
    pub fn verdicts(&self) -> Vec<(Verdict, f64)> {
        let mut verdicts = Vec::<(Verdict, f64)>::new();
        for evidence in Evidence::ALL {
            let (verdict, requests) = (self.verdict(evidence), self.get(evidence));
            match verdicts.iter_mut().find(|(known, _)| *known == verdict) {
                Some((_, sum)) => *sum += requests,
                None => verdicts.push((verdict, requests)),
            }
        }
        verdicts.retain(|(_, requests)| *requests > 0.0);
        verdicts.sort_by_key(|(verdict, _)| *verdict);
        verdicts
    }

    /// Requests that speak for the application, and those that speak for or against it.
    pub fn score(&self) -> (f64, f64) {
        let verdicts = self.verdicts();
        let sum = |wanted: fn(Option<bool>) -> bool| {
            let wanted = verdicts
                .iter()
                .filter(|(verdict, _)| wanted(verdict.speaks_for()));
            wanted.map(|(_, requests)| requests).sum::<f64>()
        };
        (
            sum(|speaks| speaks == Some(true)),
            sum(|speaks| speaks.is_some()),
        )
    }
}
