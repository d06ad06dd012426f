//! The one shape of every refusal: RFC 9457, `application/problem+json`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Content type of a [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request was not answered (RFC 9457, section 3.1, with members of our own).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem, as a URI: `urn:clew:problem:unknown-name`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same in words, equal for all problems of the kind.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What was wrong with this request, in one sentence for a person.
    pub detail: String,
    /// The query parameter, path segment or field that was wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Its value as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
    /// What would have been right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// Names that exist, where an unknown one was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<String>,
}

impl Problem {
    /// For a person: what was wrong, what would have been right, and what there is.
    pub fn in_words(&self) -> String {
        let mut words = self.detail.clone();
        if !self.known.is_empty() {
            words = format!("{words}; there are: {}", self.known.join(", "));
        }
        words
    }
}
