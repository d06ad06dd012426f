//! `/propagation`: the examples of the audit, as JSON.

use crate::audit::{Example, Given, Sent};
use crate::report::rfc3339;
use clew_api::rest::propagation::{
    GivenContext, MemberExample, MemberExamples, PropagationExample, SentContext,
};
use clew_trace::FamilySet;

pub(super) fn page(examples: Vec<Example>) -> String {
    let mut examples: Vec<_> = examples.into_iter().map(shown).collect();
    examples.sort_by(|a, b| (&a.service, &a.route).cmp(&(&b.service, &b.route)));
    // None of these values can fail to be JSON.
    serde_json::to_string(&MemberExamples { examples }).unwrap_or_default()
}

fn shown(example: Example) -> MemberExample {
    MemberExample {
        service: example.service.map(|service| service.to_string()),
        route: example.route.to_string(),
        example: PropagationExample {
            evidence: example.sent.evidence.as_str().to_owned(),
            instance: None,
            in_flight: example.in_flight as u64,
            given: example.given.map(given),
            sent: sent(&example.sent),
        },
        traces: example.traces.iter().map(ToString::to_string).collect(),
    }
}

fn given(given: Given) -> GivenContext {
    GivenContext {
        at: rfc3339(given.unix_nano),
        route: given.route.to_string(),
        headers: headers(given.families),
        trace_id: given.trace.to_string(),
        span_id: given.span.to_string(),
    }
}

fn sent(sent: &Sent) -> SentContext {
    let unusable = sent.unusable.map(|(family, _)| FamilySet::only(family));
    SentContext {
        at: rfc3339(sent.unix_nano),
        headers: headers(sent.families.union(unusable.unwrap_or_default())),
        trace_id: sent.context.map(|(trace, _)| trace.to_string()),
        span_id: sent.context.map(|(_, span)| span.to_string()),
        fault: sent.unusable.map(|(family, fault)| {
            let header = family.headers().next().unwrap_or_default();
            format!("{header}: {fault}")
        }),
    }
}

fn headers(families: FamilySet) -> Vec<String> {
    let names = families.iter().flat_map(clew_trace::Family::headers);
    names.map(str::to_owned).collect()
}
