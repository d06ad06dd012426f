//! What there is to say of a trace, and how often it is so in two sets of traces.

mod noise;
#[cfg(test)]
mod tests;

use crate::blame::Tree;
use clew_api::rest::compare::{AlsoSo, AttributeDifference, TraceFact};
use clew_trace::Span;
use clew_trace::span::{AttributeValue, SpanKind, SpanStatus};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most differences that are told.
const MAX_DIFFERENCES: usize = 50;
/// Names that are counted; what comes after is left out.
const MAX_NAMES: usize = 2_000;
/// A name with more values than this tells nothing.
const MAX_VALUES: usize = 100;
/// Of fewer values it cannot be told whether they are ids.
const FEW_VALUES: usize = 5;
/// What is so of the same traces is named up to this many.
const MAX_ALSO: usize = 10;
/// Longer values are left out.
const MAX_TEXT_BYTES: usize = 256;

/// Something that is so of a trace, noise left out: kind, name and value.
type Fact = (TraceFact, String, String);

/// Counts facts of selected traces and of the others.
#[derive(Debug, Default)]
pub(super) struct Tally {
    selected: u64,
    rest: u64,
    names: HashMap<(TraceFact, String), Values>,
}

/// In how many traces, selected and not, each value of a name is.
#[derive(Debug)]
enum Values {
    Counted {
        traces: usize,
        values: BTreeMap<String, Having>,
    },
    TooMany,
}

/// The traces that have a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Having {
    selected: u64,
    rest: u64,
    /// The same for two values that the same traces have, and as good as never for others.
    which: u64,
}

impl Tally {
    /// Counts a trace.
    pub(super) fn add(&mut self, spans: &[Span], is_selected: bool) {
        if is_selected {
            self.selected += 1;
        } else {
            self.rest += 1;
        }
        let trace = fingerprint(self.selected + self.rest);
        let mut last = None;
        for (kind, name, value) in facts(spans) {
            let name = (kind, name);
            let is_new = last.as_ref() != Some(&name);
            if self.names.len() < MAX_NAMES || self.names.contains_key(&name) {
                let values = self.names.entry(name.clone()).or_default();
                values.add(value, is_new, (trace, is_selected));
            }
            last = Some(name);
        }
    }

    /// Traces that are selected, and others.
    pub(super) fn traces(&self) -> (u64, u64) {
        (self.selected, self.rest)
    }

    /// What is not as frequent in the one as in the other, the greatest difference first. What is so of the same traces
    /// is one difference.
    pub(super) fn differences(&self) -> Vec<AttributeDifference> {
        if self.selected == 0 || self.rest == 0 {
            return Vec::new();
        }
        let mut all: Vec<(AttributeDifference, Having)> = Vec::new();
        for ((kind, name), values) in &self.names {
            let telling = values.telling(*kind).into_iter().flatten();
            all.extend(telling.map(|(value, having)| {
                let so = (*kind, name.as_str(), value.as_str());
                (self.difference(so, *having), *having)
            }));
        }
        all.retain(|(one, _)| one.difference != 0.0);
        all.sort_by(|(a, _), (b, _)| {
            let by_difference = b.difference.abs().total_cmp(&a.difference.abs());
            by_difference
                .then_with(|| (a.kind, &a.name, &a.value).cmp(&(b.kind, &b.name, &b.value)))
        });
        let mut differences = grouped(all);
        differences.truncate(MAX_DIFFERENCES);
        differences
    }

    fn difference(
        &self,
        (kind, name, value): (TraceFact, &str, &str),
        Having { selected, rest, .. }: Having,
    ) -> AttributeDifference {
        let selected_share = selected as f64 / self.selected as f64;
        let rest_share = rest as f64 / self.rest as f64;
        AttributeDifference {
            kind,
            name: name.to_owned(),
            value: value.to_owned(),
            selected,
            selected_share,
            rest,
            rest_share,
            difference: selected_share - rest_share,
            also: Vec::new(),
            also_more: 0,
        }
    }
}

/// One of those that the same traces have, with the others named by it; in their order.
fn grouped(all: Vec<(AttributeDifference, Having)>) -> Vec<AttributeDifference> {
    let mut grouped: Vec<AttributeDifference> = Vec::new();
    let mut places: HashMap<Having, usize> = HashMap::new();
    for (one, having) in all {
        let Some(place) = places.get(&having) else {
            places.insert(having, grouped.len());
            grouped.push(one);
            continue;
        };
        let first = &mut grouped[*place];
        if first.also.len() < MAX_ALSO {
            first.also.push(AlsoSo {
                kind: one.kind,
                name: one.name,
                value: one.value,
            });
        } else {
            first.also_more += 1;
        }
    }
    grouped
}

/// A number that looks random, for each trace another one (splitmix64), so that sums of them tell sets of traces apart.
fn fingerprint(trace: u64) -> u64 {
    let mut mixed = trace.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Default for Values {
    fn default() -> Self {
        Self::Counted {
            traces: 0,
            values: BTreeMap::new(),
        }
    }
}

impl Values {
    fn add(&mut self, value: String, is_new_trace: bool, (trace, is_selected): (u64, bool)) {
        let Self::Counted { traces, values } = self else {
            return;
        };
        *traces += usize::from(is_new_trace);
        let having = values.entry(value).or_default();
        having.which = having.which.wrapping_add(trace);
        if is_selected {
            having.selected += 1;
        } else {
            having.rest += 1;
        }
        if values.len() > MAX_VALUES {
            *self = Self::TooMany;
        }
    }

    /// The values, unless they are as good as one for each trace: ids, times, sizes.
    fn telling(&self, kind: TraceFact) -> Option<&BTreeMap<String, Having>> {
        let Self::Counted { traces, values } = self else {
            return None;
        };
        let is_few = values.len() <= FEW_VALUES || 2 * values.len() <= *traces;
        (kind != TraceFact::Attribute || is_few).then_some(values)
    }
}

/// All that is so of a trace, each once, those of one name together.
fn facts(spans: &[Span]) -> BTreeSet<Fact> {
    let mut facts = BTreeSet::new();
    for span in spans {
        let service = || span.service.clone();
        facts.insert((TraceFact::Service, "service".to_owned(), service()));
        if span.status == SpanStatus::Error {
            facts.insert((TraceFact::Error, "error".to_owned(), service()));
        }
        let attributes = span.attributes.iter().chain(span.resource.iter());
        facts.extend(attributes.filter_map(|(name, value)| attribute(name, value)));
        for (name, value) in [
            ("service.namespace", &span.namespace),
            ("service.instance.id", &span.instance),
        ] {
            if !value.is_empty() {
                facts.insert((TraceFact::Attribute, name.to_owned(), value.clone()));
            }
        }
    }
    for (service, calls) in calls(spans) {
        facts.insert((TraceFact::Calls, service, binned(calls).to_owned()));
    }
    facts
}

fn attribute(name: &str, value: &AttributeValue) -> Option<Fact> {
    if noise::is_noise(name, value) {
        return None;
    }
    let value = value.to_text()?;
    let is_short = name.len() <= MAX_TEXT_BYTES && value.len() <= MAX_TEXT_BYTES;
    is_short.then(|| (TraceFact::Attribute, name.to_owned(), value.into_owned()))
}

/// How often each service was called: as the proxies saw it, else by the spans of the applications.
fn calls(spans: &[Span]) -> BTreeMap<String, usize> {
    let tree = Tree::new(spans);
    let mut calls = BTreeMap::new();
    for hop in tree.hops() {
        let server = hop.server.map(|span| tree.span(span).service.clone());
        let server = server.or_else(|| hop.client.and_then(|client| tree.callee(client)));
        if let Some(server) = server {
            *calls.entry(server).or_default() += 1;
        }
    }
    if calls.is_empty() {
        for span in spans.iter().filter(|span| span.kind == SpanKind::Server) {
            *calls.entry(span.service.clone()).or_default() += 1;
        }
    }
    calls
}

/// Numbers that say about the same.
fn binned(calls: usize) -> &'static str {
    match calls {
        0 | 1 => "1",
        2 => "2",
        3..=4 => "3-4",
        5..=9 => "5-9",
        10..=19 => "10-19",
        20..=49 => "20-49",
        50..=99 => "50-99",
        _ => "100+",
    }
}
