//! `/log-level`: what the process logs, shown and changed.

use super::HEAD_TIMEOUT;
use super::body::AdminBody;
use super::respond::{Pages, refused_to, text};
use clew_runtime::logging::{LogControl, LoggingError, MAX_LEVELS_BYTES};
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Limited};
use std::error::Error;
use std::net::SocketAddr;

/// What may go wrong on a body.
pub(super) type BoxError = Box<dyn Error + Send + Sync>;

impl Pages {
    /// What is logged, on one line.
    pub(super) fn log_level(&self) -> Response<AdminBody> {
        match &self.log {
            Some(log) => shown(log),
            None => no_log(),
        }
    }

    /// Logs from now on what the body says. The process may hold more proxies than this one: they have one
    /// log.
    pub(super) async fn set_log_level<B>(
        &self,
        request: Request<B>,
        peer: SocketAddr,
    ) -> Response<AdminBody>
    where
        B: Body<Error: Into<BoxError>>,
    {
        if let Some(why) = refused_to(request.headers(), peer) {
            return text(StatusCode::FORBIDDEN, why);
        }
        let Some(log) = &self.log else {
            return no_log();
        };
        let body = Limited::new(request.into_body(), MAX_LEVELS_BYTES).collect();
        let Ok(body) = tokio::time::timeout(HEAD_TIMEOUT, body).await else {
            return text(StatusCode::REQUEST_TIMEOUT, "the body did not arrive\n");
        };
        let levels = match body {
            Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
            // Or it broke off; then nobody reads this.
            Err(_) => return text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long\n"),
        };
        match log.set(levels.trim()) {
            Ok(()) => shown(log),
            Err(error @ LoggingError::Filter(_)) => {
                text(StatusCode::BAD_REQUEST, format!("{error}\n"))
            }
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
        }
    }
}

fn shown(log: &LogControl) -> Response<AdminBody> {
    match log.current() {
        Ok(levels) => text(StatusCode::OK, format!("{levels}\n")),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

fn no_log() -> Response<AdminBody> {
    text(
        StatusCode::NOT_FOUND,
        "whoever runs this proxy lets nobody change its log\n",
    )
}
