//! Why a request is not answered: RFC 9457 problems.

use axum::http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use clew_api::client::CallError;
use clew_api::convert::ConversionError;
use clew_api::rest::problem::{PROBLEM_JSON, Problem};
use clew_store::ReadError;
use std::time::Duration;

macro_rules! kinds {
    ($($kind:ident = $status:ident, $name:literal, $title:literal;)*) => {
        /// Every kind of refusal that there is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Kind {
            $($kind,)*
        }

        impl Kind {
            #[cfg(test)]
            pub(super) const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// Status, name in the type, and title.
            pub(super) fn parts(self) -> (StatusCode, &'static str, &'static str) {
                match self {
                    $(Self::$kind => (StatusCode::$status, $name, $title),)*
                }
            }
        }
    };
}

kinds! {
    BadValue = BAD_REQUEST, "bad-value", "A value makes no sense";
    MissingParameter = BAD_REQUEST, "missing-parameter", "A parameter is missing";
    UnknownParameter = BAD_REQUEST, "unknown-parameter", "There is no such parameter";
    BadBody = BAD_REQUEST, "bad-body", "The body makes no sense";
    UnknownName = NOT_FOUND, "unknown-name", "There is nothing of this name";
    UnknownTrace = NOT_FOUND, "unknown-trace", "There is no such trace";
    AmbiguousTrace = CONFLICT, "ambiguous-trace", "Several traces fit";
    AmbiguousRoute = CONFLICT, "ambiguous-route", "Several workloads serve it";
    NoSuchPath = NOT_FOUND, "no-such-path", "There is nothing here";
    NoSuchMethod = METHOD_NOT_ALLOWED, "no-such-method", "Not with this method";
    Misdirected = MISDIRECTED_REQUEST, "misdirected", "This API has another name";
    TooManyStreams = SERVICE_UNAVAILABLE, "too-many-streams", "Too many streams";
    ControlSilent = GATEWAY_TIMEOUT, "control-silent", "Control does not answer";
    StoreSlow = GATEWAY_TIMEOUT, "store-slow", "The store took too long";
    StoreClosed = SERVICE_UNAVAILABLE, "store-closed", "The store is closed";
    StoreFailed = INTERNAL_SERVER_ERROR, "store-failed", "The store failed";
    RefusedByControl = BAD_REQUEST, "refused-by-control", "Control refused";
    ControlFailed = BAD_GATEWAY, "control-failed", "Control failed";
    Slow = REQUEST_TIMEOUT, "slow", "The request took too long to arrive";
    TooLarge = PAYLOAD_TOO_LARGE, "too-large", "The body is too large";
    Failed = INTERNAL_SERVER_ERROR, "failed", "The answer could not be put together";
}

/// A refusal, ready to be sent.
#[derive(Debug)]
pub(super) struct Refusal(Box<Problem>);

impl Refusal {
    fn new(kind: Kind, detail: String) -> Self {
        let (status, name, title) = kind.parts();
        Self(Box::new(Problem {
            kind: format!("urn:clew:problem:{name}"),
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
        let mut refusal = Self::new(Kind::BadValue, detail);
        refusal.0.parameter = Some(parameter.to_owned());
        refusal.0.given = Some(given.to_owned());
        refusal.0.expected = Some(expected.to_owned());
        refusal
    }

    /// A parameter that has to be there is not.
    pub(super) fn missing(parameter: &str, expected: &str) -> Self {
        let detail = format!("{parameter} is missing: expected {expected}");
        let mut refusal = Self::new(Kind::MissingParameter, detail);
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
        let mut refusal = Self::new(Kind::UnknownParameter, detail);
        refusal.0.parameter = Some(parameter.to_owned());
        refusal.0.given = Some(given.to_owned());
        refusal.0.expected = Some(expected);
        refusal
    }

    /// The body is not what it should be.
    pub(super) fn bad_body(detail: String) -> Self {
        Self::new(Kind::BadBody, detail)
    }

    /// Fields of the body have values that make no sense.
    pub(super) fn bad_fields(mistakes: &[ConversionError]) -> Self {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        Self::new(Kind::BadBody, lines.join("; "))
    }

    /// The body is larger than one may be.
    pub(super) fn too_large(detail: String) -> Self {
        Self::new(Kind::TooLarge, detail)
    }

    /// The body did not arrive in time.
    pub(super) fn slow(waited: Duration) -> Self {
        let detail = format!("the body did not arrive within {} s", waited.as_secs());
        Self::new(Kind::Slow, detail)
    }

    /// What was found could not be shown.
    pub(super) fn failed(detail: String) -> Self {
        Self::new(Kind::Failed, detail)
    }

    /// A name that nobody has.
    pub(super) fn unknown_name(parameter: &str, name: &str, known: Vec<String>) -> Self {
        let detail = format!("{parameter} {name:?} is not known");
        let mut refusal = Self::new(Kind::UnknownName, detail);
        refusal.0.parameter = Some(parameter.to_owned());
        refusal.0.given = Some(name.to_owned());
        refusal.0.known = known;
        refusal
    }

    /// No trace of this id, or of an id that begins so.
    pub(super) fn unknown_trace(id: &str) -> Self {
        let detail = format!("no trace whose id begins with {id} is in the store");
        let mut refusal = Self::new(Kind::UnknownTrace, detail);
        refusal.0.given = Some(id.to_owned());
        refusal
    }

    /// Several traces begin so.
    pub(super) fn ambiguous_trace(id: &str, found: Vec<String>) -> Self {
        let detail = format!("more than one trace id begins with {id}");
        let mut refusal = Self::new(Kind::AmbiguousTrace, detail);
        refusal.0.given = Some(id.to_owned());
        refusal.0.known = found;
        refusal
    }

    /// Several workloads serve this route.
    pub(super) fn ambiguous_route(route: &str, workloads: Vec<String>) -> Self {
        let detail = format!(
            "several workloads serve route {route:?}: say which one by the parameter workload (`--workload`)"
        );
        let mut refusal = Self::new(Kind::AmbiguousRoute, detail);
        refusal.0.parameter = Some("workload".to_owned());
        refusal.0.given = Some(route.to_owned());
        refusal.0.known = workloads;
        refusal
    }

    /// No such path.
    pub(super) fn no_such_path(path: &str) -> Self {
        let detail =
            format!("there is nothing at {path}; /api/v1/openapi.json lists what there is");
        Self::new(Kind::NoSuchPath, detail)
    }

    /// Not with this method.
    pub(super) fn no_such_method(method: &str, path: &str) -> Self {
        let detail = format!("{path} does not take {method}");
        Self::new(Kind::NoSuchMethod, detail)
    }

    /// The request was not meant for us: a browser was tricked (DNS rebinding, cross-site requests).
    pub(super) fn misdirected(header: &str, given: &str) -> Self {
        let detail = format!(
            "{header}: {given:?} does not name this API; address it by its IP address or as localhost"
        );
        Self::new(Kind::Misdirected, detail)
    }

    /// As many streams are open as may be.
    pub(super) fn too_many_streams(streams: &str, limit: usize) -> Self {
        let detail = format!("{limit} {streams} are open, which is as many as may be");
        Self::new(Kind::TooManyStreams, detail)
    }

    /// Control does not say what was asked.
    pub(super) fn control_silent(waited: Duration) -> Self {
        let detail = format!("control did not answer within {} s", waited.as_secs());
        Self::new(Kind::ControlSilent, detail)
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::TimedOut(_) => Self::new(Kind::StoreSlow, error.to_string()),
            ReadError::Closed => Self::new(Kind::StoreClosed, error.to_string()),
            ReadError::Query { .. } | ReadError::Malformed { .. } => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the store did not answer"
                );
                Self::new(Kind::StoreFailed, error.to_string())
            }
        }
    }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused { mistakes } => {
                Self::new(Kind::RefusedByControl, mistakes.join("; "))
            }
            CallError::Unanswered { .. } | CallError::Answer { .. } => {
                Self::new(Kind::ControlFailed, error.to_string())
            }
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
