//! What breaks traces in a workload, and what to change: in words, once for all who show it.

use clew_api::rest::propagation::{PropagationAdvice, RoutePropagation};
use clew_trace::audit::{Evidence, Verdict};

/// A verdict that speaks against a workload.
struct Fault {
    verdict: Verdict,
    evidence: Evidence,
    /// What the calls did.
    what: &'static str,
    /// What to do; `{headers}` are those that the application was given.
    fix: &'static str,
}

const FAULTS: [Fault; 3] = [
    Fault {
        verdict: Verdict::Dropped,
        evidence: Evidence::AbsentBusy,
        what: "came without trace headers, although it was serving requests that had them",
        fix: "Copy {headers} from the request that is served onto every request that is made for it.",
    },
    Fault {
        verdict: Verdict::Restarted,
        evidence: Evidence::OtherBusy,
        what: "began traces of their own, although it was serving requests that had one",
        fix: "Let its tracing library read {headers} of the requests that it serves (its propagator), or copy them.",
    },
    Fault {
        verdict: Verdict::Mangled,
        evidence: Evidence::Unusable,
        what: "came with trace headers that say nothing",
        fix: "Copy the values of {headers} whole, byte by byte.",
    },
];

/// For each verdict that speaks against a workload which made these calls.
pub(super) fn advice(routes: &[RoutePropagation]) -> Vec<PropagationAdvice> {
    FAULTS
        .iter()
        .filter_map(|fault| fault.advice(routes))
        .collect()
}

impl Fault {
    fn advice(&self, routes: &[RoutePropagation]) -> Option<PropagationAdvice> {
        let verdict = self.verdict.as_str();
        let concerned = || {
            let routes = routes.iter();
            routes.filter_map(|route| Some((route, *route.verdicts.get(verdict)?)))
        };
        let requests: u64 = concerned().map(|(_, requests)| requests).sum();
        if requests == 0 {
            return None;
        }
        let mut examples = concerned().filter_map(|(route, _)| route.example.as_ref());
        let example = examples.find(|example| example.evidence == self.evidence.as_str());
        let given = example.and_then(|example| example.given.as_ref());
        let headers = given.map_or_else(
            || "traceparent and tracestate".to_owned(),
            |given| listed(&given.headers),
        );
        Some(PropagationAdvice {
            verdict: verdict.to_owned(),
            requests,
            calls: concerned().map(|(route, _)| route.callee()).collect(),
            what: self.what.to_owned(),
            fix: self.fix.replace("{headers}", &headers),
            evidence: self.evidence.as_str().to_owned(),
        })
    }
}

/// `a, b and c`
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clew_api::rest::propagation::{GivenContext, PropagationExample, SentContext};

    fn route(service: &str, verdicts: &[(&str, u64)]) -> RoutePropagation {
        let verdicts = verdicts.iter();
        RoutePropagation {
            service: Some(service.to_owned()),
            route: "GET /".to_owned(),
            score: None,
            verdicts: verdicts
                .map(|(verdict, requests)| ((*verdict).to_owned(), *requests))
                .collect(),
            evidence: [].into(),
            example: None,
        }
    }

    #[test]
    fn what_speaks_for_a_workload_or_says_nothing_needs_no_advice() {
        let routes = [route("authors", &[("forwarded", 4), ("background", 7)])];
        assert_eq!(advice(&routes), []);
    }

    /// 1. Routes with one verdict share one advice.
    /// 2. The headers to copy are those that were given, where an example shows them.
    #[test]
    fn each_verdict_against_a_workload_has_its_advice() {
        let mut mail = route("mail", &[("mangled", 2)]);
        mail.example = Some(PropagationExample {
            evidence: "unusable".to_owned(),
            instance: None,
            in_flight: 1,
            given: Some(GivenContext {
                at: String::new(),
                route: String::new(),
                headers: ["traceparent", "tracestate", "b3"]
                    .map(str::to_owned)
                    .into(),
                trace_id: String::new(),
                span_id: String::new(),
            }),
            sent: SentContext {
                at: String::new(),
                headers: Vec::new(),
                trace_id: None,
                span_id: None,
                fault: None,
            },
        });
        let routes = [
            route("authors", &[("dropped", 3), ("forwarded", 1)]),
            route("news", &[("dropped", 2)]),
            mail,
        ];
        let [dropped, mangled] = &advice(&routes)[..] else {
            panic!("one for each verdict");
        };
        assert_eq!((dropped.verdict.as_str(), dropped.requests), ("dropped", 5));
        assert_eq!(dropped.calls, ["GET / of authors", "GET / of news"]);
        assert!(
            dropped
                .fix
                .starts_with("Copy traceparent and tracestate from")
        );
        assert_eq!(
            mangled.fix,
            "Copy the values of traceparent, tracestate and b3 whole, byte by byte."
        );
    }
}
