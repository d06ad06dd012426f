//! What a proxy and our control say to each other about things that control does not know, beside the
//! Linkerd proxy API and without changing it (docs/decisions/0001-unknown-targets.md).
//!
//! A proxy that sends no header is answered as the API says: NOT_FOUND for an unknown target. Ours sends
//! `clew-target`, and then control keeps the stream open, says `clew-target: unknown` in its response
//! headers, and sends the policy as soon as there is one.

use tonic::metadata::{MetadataMap, MetadataValue};

const HEADER: &str = "clew-target";
const WAIT: &str = "wait";
const KNOWN: &str = "known";
const UNKNOWN: &str = "unknown";

/// What a request says that its sender wants, should control not know what it is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asker {
    /// An error, as the Linkerd proxy API has it.
    #[default]
    Plain,
    /// To be told at once, and to be told when it becomes known.
    Waits,
    /// The same; and it holds an earlier answer, on which it goes on. A control that has just started, and
    /// whose members have yet to join again, does better to say nothing than that it knows nothing, or little.
    Knows,
}

impl Asker {
    /// What the headers of a request say.
    pub fn of(headers: &MetadataMap) -> Self {
        match headers.get(HEADER).map(MetadataValue::as_bytes) {
            Some(value) if value == WAIT.as_bytes() => Self::Waits,
            Some(value) if value == KNOWN.as_bytes() => Self::Knows,
            _ => Self::Plain,
        }
    }

    /// Says it in the headers of a request.
    pub fn mark(self, headers: &mut MetadataMap) {
        let value = match self {
            Self::Plain => return,
            Self::Waits => WAIT,
            Self::Knows => KNOWN,
        };
        headers.insert(HEADER, MetadataValue::from_static(value));
    }

    /// Whether a stream about something unknown is to be kept open.
    pub fn waits(self) -> bool {
        self != Self::Plain
    }
}

/// Says in the headers of a response that control does not know what was asked about, yet.
pub fn mark_unknown(headers: &mut MetadataMap) {
    headers.insert(HEADER, MetadataValue::from_static(UNKNOWN));
}

/// Whether the headers of a response say so.
pub fn is_unknown(headers: &MetadataMap) -> bool {
    headers.get(HEADER).is_some_and(|value| value == UNKNOWN)
}
