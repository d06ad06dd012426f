//! Trace context in the headers of a request: reading every family of headers that Clew knows, and
//! writing those that a request needs.
//!
//! A family is one module with one `extract` and one `inject`, and one line in [`FORMATS`]. Baggage is
//! no part of this: it is passed on as it came, and nothing here touches it.

use crate::context::{Decision, TraceContext};
use http::{HeaderMap, HeaderName, HeaderValue};

mod b3;
mod b3_multi;
mod b3_single;
mod datadog;
mod grpc_trace_bin;
mod jaeger;
mod line;
#[cfg(test)]
mod tests;
mod w3c;
mod xray;

/// A family of trace headers. The order is that of precedence: W3C wins over B3, and B3's single
/// header over its many, as the B3 specification says. The others say less, or are older.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Family {
    /// `traceparent` and `tracestate` (W3C Trace Context, levels 1 and 2).
    W3c,
    /// `b3`.
    B3Single,
    /// `x-b3-traceid`, `x-b3-spanid`, `x-b3-parentspanid`, `x-b3-sampled`, `x-b3-flags`.
    B3Multi,
    /// `uber-trace-id`.
    Jaeger,
    /// `x-datadog-trace-id`, `x-datadog-parent-id`, `x-datadog-sampling-priority`, `x-datadog-tags`.
    Datadog,
    /// `x-amzn-trace-id`.
    XRay,
    /// `grpc-trace-bin`.
    GrpcTraceBin,
}

impl Family {
    /// Every family, first the one that wins.
    pub const ALL: [Self; 7] = [
        Self::W3c,
        Self::B3Single,
        Self::B3Multi,
        Self::Jaeger,
        Self::Datadog,
        Self::XRay,
        Self::GrpcTraceBin,
    ];

    /// Name in settings and answers: OpenTelemetry's (`OTEL_PROPAGATORS`) where it has one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::W3c => "w3c",
            Self::B3Single => "b3",
            Self::B3Multi => "b3multi",
            Self::Jaeger => "jaeger",
            Self::Datadog => "datadog",
            Self::XRay => "xray",
            Self::GrpcTraceBin => "grpc-trace-bin",
        }
    }

    /// The family with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.as_str() == name)
    }

    /// Its headers, lower case; first the one without which there is no context.
    pub fn headers(self) -> impl Iterator<Item = &'static str> {
        self.format().headers.iter().map(|name| name.as_str())
    }

    fn format(self) -> &'static Format {
        &FORMATS[self as usize]
    }
}

/// A set of families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FamilySet(u8);

impl FamilySet {
    /// No family.
    pub const EMPTY: Self = Self(0);
    /// Every family that Clew knows.
    pub const ALL: Self = Self((1 << Family::ALL.len()) - 1);

    /// Just this one.
    pub const fn only(family: Family) -> Self {
        Self(1 << family as u8)
    }

    /// This set and one more.
    #[must_use]
    pub const fn with(self, family: Family) -> Self {
        Self(self.0 | Self::only(family).0)
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The family is in the set.
    pub const fn contains(self, family: Family) -> bool {
        self.0 & Self::only(family).0 != 0
    }

    /// There is none in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The families, in order of precedence.
    pub fn iter(self) -> impl Iterator<Item = Family> {
        Family::ALL
            .into_iter()
            .filter(move |family| self.contains(*family))
    }
}

impl FromIterator<Family> for FamilySet {
    fn from_iter<I: IntoIterator<Item = Family>>(families: I) -> Self {
        families.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// Why headers of a family are present and say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Malformed {
    /// The header occurs more than once.
    #[error("the header occurs more than once")]
    Duplicate,
    /// Too short, too long, or with separators in the wrong places.
    #[error("the header has the wrong length or form")]
    Form,
    /// `traceparent` version `ff`, which is forbidden.
    #[error("the version is invalid")]
    Version,
    /// The trace id is not made of hexadecimal digits, or has the wrong number of them.
    #[error("the trace id is not hexadecimal or has the wrong length")]
    TraceId,
    /// The same of the span id.
    #[error("the span id is not hexadecimal or has the wrong length")]
    SpanId,
    /// An id is all zero.
    #[error("an id is all zero")]
    ZeroId,
    /// Flags or sampling state are none of those that are defined.
    #[error("flags or sampling state are invalid")]
    Flags,
    /// A trace id came without a span id, or the other way round.
    #[error("trace id and span id do not come together")]
    Incomplete,
}

impl Malformed {
    /// A bounded name, for labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Form => "form",
            Self::Version => "version",
            Self::TraceId => "trace_id",
            Self::SpanId => "span_id",
            Self::ZeroId => "zero_id",
            Self::Flags => "flags",
            Self::Incomplete => "incomplete",
        }
    }
}

/// What one family of headers says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    /// Ids and all.
    Context(TraceContext),
    /// No ids, but whether the trace that begins here is kept: `b3: 0`.
    Decision(b3::State),
}

/// How a family is read and written.
struct Format {
    /// All its headers.
    headers: &'static [&'static HeaderName],
    /// `Ok(None)`: no header of the family is there.
    extract: fn(&HeaderMap) -> Result<Option<Content>, Malformed>,
    /// Writes the headers of the family, and removes those that it does not write.
    inject: fn(&mut HeaderMap, &TraceContext),
}

/// One line per family, in the order of [`Family`].
static FORMATS: [Format; Family::ALL.len()] = [
    w3c::FORMAT,
    b3_single::FORMAT,
    b3_multi::FORMAT,
    jaeger::FORMAT,
    datadog::FORMAT,
    xray::FORMAT,
    grpc_trace_bin::FORMAT,
];

/// The value of a header that may come once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Malformed> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Malformed::Duplicate);
    }
    Ok(first.map(HeaderValue::as_bytes))
}

/// What came in with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// Context of the first family, in order of precedence, that has one.
    pub context: Option<TraceContext>,
    /// It is a debug trace (B3), which is wanted in spite of any sampling.
    pub debug: bool,
    /// Decision that came without ids (`b3: 0` alone). Deferred when there was none or when there
    /// is a context; see [`Extracted::decision`].
    pub lone_decision: Decision,
    /// Families that came in usable: with ids or with a decision.
    pub families: FamilySet,
    /// First family that is present and not usable. Other families may be usable all the same.
    pub unusable: Option<(Family, Malformed)>,
}

impl Extracted {
    /// What the sender decided, with ids or without.
    pub fn decision(&self) -> Decision {
        self.context
            .as_ref()
            .map_or(self.lone_decision, |context| context.decision)
    }

    /// The trace is to be kept, whatever has been decided so far.
    pub fn want(&mut self) {
        self.debug = true;
        match &mut self.context {
            Some(context) => (context.decision, context.debug) = (Decision::Sampled, true),
            None => self.lone_decision = Decision::Sampled,
        }
    }

    /// No header of any family was there.
    pub fn is_absent(&self) -> bool {
        self.families.is_empty() && self.unusable.is_none()
    }

    /// Headers of some family are there, and none is usable: the verdict `mangled`.
    pub fn is_mangled(&self) -> bool {
        self.families.is_empty() && self.unusable.is_some()
    }
}

/// Reads the trace context of a request, in all families. Never fails: what cannot be used is said in
/// [`Extracted::unusable`].
pub fn extract(headers: &HeaderMap) -> Extracted {
    let mut extracted = Extracted::default();
    for family in present(headers).iter() {
        match (family.format().extract)(headers) {
            Ok(None) => {}
            Ok(Some(Content::Context(context))) => {
                extracted.families = extracted.families.with(family);
                extracted.debug |= context.debug;
                extracted.context.get_or_insert(context);
            }
            Ok(Some(Content::Decision(state))) => {
                extracted.families = extracted.families.with(family);
                extracted.debug |= state.debug;
                if extracted.lone_decision == Decision::Deferred {
                    extracted.lone_decision = state.decision;
                }
            }
            Err(malformed) => {
                extracted.unusable.get_or_insert((family, malformed));
            }
        }
    }
    if let Some(context) = &mut extracted.context {
        extracted.lone_decision = Decision::Deferred;
        // The family that wins may not be able to say it.
        if extracted.debug {
            context.debug = true;
            context.decision = Decision::Sampled;
        }
    }
    extracted
}

/// Families of which there may be a header. One walk over the names is cheaper than looking each header up.
fn present(headers: &HeaderMap) -> FamilySet {
    let family = |name: &HeaderName| match name.as_str().as_bytes() {
        b"traceparent" => Some(Family::W3c),
        b"b3" => Some(Family::B3Single),
        [b'x', b'-', b'b', b'3', b'-', ..] => Some(Family::B3Multi),
        b"uber-trace-id" => Some(Family::Jaeger),
        [b'x', b'-', b'd', b'a', b't', b'a', ..] => Some(Family::Datadog),
        b"x-amzn-trace-id" => Some(Family::XRay),
        b"grpc-trace-bin" => Some(Family::GrpcTraceBin),
        _ => None,
    };
    headers.keys().filter_map(family).collect()
}

/// Writes the context as W3C and as every family of the set, over whatever headers of these families
/// are there. Pass the families that came in and those of the settings.
pub fn inject(headers: &mut HeaderMap, context: &TraceContext, families: FamilySet) {
    for family in families.with(Family::W3c).iter() {
        (family.format().inject)(headers, context);
    }
}

/// Writes W3C and the families of the set as far as they did not come in, and leaves those alone that did: for a
/// hop that passes on what it got. Whoever is next may read another family than the one before.
pub fn complete(
    headers: &mut HeaderMap,
    context: &TraceContext,
    there: FamilySet,
    families: FamilySet,
) {
    for family in families.with(Family::W3c).without(there).iter() {
        (family.format().inject)(headers, context);
    }
}

/// Removes every header of these families, as at an edge that does not trust what comes in.
pub fn remove(headers: &mut HeaderMap, families: FamilySet) {
    for family in families.iter() {
        for name in family.format().headers {
            headers.remove(*name);
        }
    }
}
