//! Why a request is not answered: RFC 9457 problems.

use axum::http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use clew_api::client::CallError;
use clew_api::rest::problem::{PROBLEM_JSON, Problem};
use clew_store::ReadError;
use std::time::Duration;

/// A refusal, ready to be sent.
#[derive(Debug)]
pub(super) struct Refusal(Box<Problem>);

impl Refusal {
    fn new(status: StatusCode, kind: &str, title: &str, detail: String) -> Self {
        Self(Box::new(Problem {
            kind: format!("urn:clew:problem:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail,
            parameter: None,
            given: None,
            expected: None,
            known: Vec::new(),
        }))
    }

    /// What was wrong, in one sentence.
    pub(super) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// A parameter, path segment or field has a value that makes no sense.
    pub(super) fn bad_value(parameter: &str, given: &str, expected: &str) -> Self {
        let detail = format!("{parameter}: expected {expected}, given {given:?}");
        let mut refusal = Self::new(
            StatusCode::BAD_REQUEST,
            "bad-value",
            "A value makes no sense",
            detail,
        );
        refusal.0.parameter = Some(parameter.to_owned());
        refusal.0.given = Some(given.to_owned());
        refusal.0.expected = Some(expected.to_owned());
        refusal
    }

    /// A parameter that has to be there is not.
    pub(super) fn missing(parameter: &str, expected: &str) -> Self {
        let detail = format!("{parameter} is missing: expected {expected}");
        let mut refusal = Self::new(
            StatusCode::BAD_REQUEST,
            "missing-parameter",
            "A parameter is missing",
            detail,
        );
        refusal.0.parameter = Some(parameter.to_owned());
        refusal.0.expected = Some(expected.to_owned());
        refusal
    }

    /// A parameter that there is not.
    pub(super) fn unknown_parameter(parameter: &str, given: &str, known: &[&str]) -> Self {
        let expected = match known {
            [] => "no parameter".to_owned(),
            known => format!("one of {}", known.join(", ")),
        };
        let detail = format!("there is no parameter {parameter:?}: expected {expected}");
        let title = "There is no such parameter";
        let mut refusal = Self::new(StatusCode::BAD_REQUEST, "unknown-parameter", title, detail);
        refusal.0.parameter = Some(parameter.to_owned());
        refusal.0.given = Some(given.to_owned());
        refusal.0.expected = Some(expected);
        refusal
    }

    /// The body is not what it should be.
    pub(super) fn bad_body(detail: String) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-body",
            "The body makes no sense",
            detail,
        )
    }

    /// A name that nobody has.
    pub(super) fn unknown_name(parameter: &str, name: &str, known: Vec<String>) -> Self {
        let detail = format!("{parameter} {name:?} is not known");
        let title = "There is nothing of this name";
        let mut refusal = Self::new(StatusCode::NOT_FOUND, "unknown-name", title, detail);
        refusal.0.parameter = Some(parameter.to_owned());
        refusal.0.given = Some(name.to_owned());
        refusal.0.known = known;
        refusal
    }

    /// No trace of this id, or of an id that begins so.
    pub(super) fn unknown_trace(id: &str) -> Self {
        let detail = format!("no trace whose id begins with {id} is in the store");
        let mut refusal = Self::new(
            StatusCode::NOT_FOUND,
            "unknown-trace",
            "There is no such trace",
            detail,
        );
        refusal.0.given = Some(id.to_owned());
        refusal
    }

    /// Several traces begin so.
    pub(super) fn ambiguous_trace(id: &str, found: Vec<String>) -> Self {
        let detail = format!("more than one trace id begins with {id}");
        let mut refusal = Self::new(
            StatusCode::CONFLICT,
            "ambiguous-trace",
            "Several traces fit",
            detail,
        );
        refusal.0.given = Some(id.to_owned());
        refusal.0.known = found;
        refusal
    }

    /// No such path.
    pub(super) fn no_such_path(path: &str) -> Self {
        let detail =
            format!("there is nothing at {path}; /api/v1/openapi.json lists what there is");
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-path",
            "There is nothing here",
            detail,
        )
    }

    /// Not with this method.
    pub(super) fn no_such_method(method: &str, path: &str) -> Self {
        let detail = format!("{path} does not take {method}");
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "no-such-method",
            "Not with this method",
            detail,
        )
    }

    /// The request was not meant for us: a browser was tricked (DNS rebinding, cross-site requests).
    pub(super) fn misdirected(header: &str, given: &str) -> Self {
        let detail = format!(
            "{header}: {given:?} does not name this API; address it by its IP address or as localhost"
        );
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            "misdirected",
            "This API has another name",
            detail,
        )
    }

    /// As many streams are open as may be.
    pub(super) fn too_many_streams(limit: usize) -> Self {
        let detail = format!("{limit} taps are open, which is as many as may be");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too-many-streams",
            "Too many streams",
            detail,
        )
    }

    /// Control does not say what was asked.
    pub(super) fn control_silent(waited: Duration) -> Self {
        let detail = format!("control did not answer within {} s", waited.as_secs());
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "control-silent",
            "Control does not answer",
            detail,
        )
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::TimedOut(_) => Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "store-slow",
                "The store took too long",
                error.to_string(),
            ),
            ReadError::Closed => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "store-closed",
                "The store is closed",
                error.to_string(),
            ),
            ReadError::Query { .. } | ReadError::Malformed { .. } => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the store did not answer"
                );
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "store-failed",
                    "The store failed",
                    error.to_string(),
                )
            }
        }
    }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused { mistakes } => Self::new(
                StatusCode::BAD_REQUEST,
                "refused-by-control",
                "Control refused",
                mistakes.join("; "),
            ),
            CallError::Unanswered { .. } | CallError::Answer { .. } => Self::new(
                StatusCode::BAD_GATEWAY,
                "control-failed",
                "Control failed",
                error.to_string(),
            ),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(self.0)).into_response();
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        response
    }
}
