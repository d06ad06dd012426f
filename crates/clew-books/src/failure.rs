//! What a service answers when it cannot do what it was asked.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// A failed call to another service.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No usable response: it could not be reached, went away, or answered something else than expected.
    #[error("{service} did not answer")]
    NoAnswer {
        /// The service that was called.
        service: &'static str,
    },
    /// The time for a call is over.
    #[error("{service} took too long")]
    TooLate {
        /// The service that was called.
        service: &'static str,
    },
    /// It answered with this status.
    #[error("{service} answered {status}")]
    Status {
        /// The service that was called.
        service: &'static str,
        /// Neither 2xx nor 3xx.
        status: StatusCode,
    },
}

/// What goes wrong while a request is served.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no such thing.
    #[error("no such {what}")]
    NotFound {
        /// Kind of the thing.
        what: &'static str,
    },
    /// The shelf is locked: the failure that is there on purpose.
    #[error("the shelf is locked")]
    ShelfLocked,
    /// A service that is needed for the answer failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Failure {
    /// Missing things stay missing across services; any other failure of a callee is a failure here.
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::Call(CallError::Status { status, .. }) if status.is_client_error() => *status,
            Self::Call(CallError::TooLate { .. }) => StatusCode::GATEWAY_TIMEOUT,
            Self::Call(CallError::NoAnswer { .. }) => StatusCode::BAD_GATEWAY,
            Self::ShelfLocked | Self::Call(CallError::Status { .. }) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (
            self.status(),
            Json(serde_json::json!({ "error": self.to_string() })),
        )
            .into_response()
    }
}
