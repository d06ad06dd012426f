//! What the semantic conventions say of one hop: name, status and error type of its span.

use http::Method;

use crate::error::{Blame, Reason};
use crate::hop::{Direction, End, HopRecord};

/// How the span ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict<'a> {
    /// Its status is Error; otherwise it is left unset.
    pub(super) is_error: bool,
    /// `error.type`: a reason, a gRPC status by name, or an HTTP status.
    pub(super) error_type: Option<&'a str>,
    /// The caller gave up.
    pub(super) cancelled: bool,
}

/// The span's name, given to `write` in parts. Without a method that everyone knows it is `HTTP`.
pub(super) fn span_name(record: &HopRecord, write: impl FnOnce(&[&str])) {
    let route = record.key.route.as_str();
    if record.is_grpc {
        // A learned route of gRPC is the method already; a configured one may be called anything.
        let method = record.path.path().trim_start_matches('/');
        return write(&[if record.route_is_configured {
            super::limited(method)
        } else {
            route
        }]);
    }
    match known_method(&record.method) {
        Some(method) if path_of_method(route, method).is_some() => write(&[route]),
        Some(method) => write(&[method, " ", route]),
        None => write(&["HTTP ", path_of_route(route)]),
    }
}

/// The rest of `GET /path` after `GET `.
fn path_of_method<'a>(route: &'a str, method: &str) -> Option<&'a str> {
    route.strip_prefix(method)?.strip_prefix(' ')
}

/// A route without the method that may stand before its path.
pub(super) fn path_of_route(route: &str) -> &str {
    match route.split_once(' ') {
        Some((method, path))
            if path.starts_with('/') && method.bytes().all(|byte| byte.is_ascii_uppercase()) =>
        {
            path
        }
        _ => route,
    }
}

/// The method's text, of the methods of RFC 9110 and PATCH (RFC 5789); all others are `_OTHER`.
pub(super) fn known_method(method: &Method) -> Option<&'static str> {
    Some(match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => return None,
    })
}

/// Service and method of a gRPC path, `/package.Service/Method`.
pub(super) fn grpc_method(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix('/')?.rsplit_once('/')
}

/// Host and port of an authority; a port that is not written is the scheme's.
pub(super) fn server_address<'a>(authority: &'a str, scheme: &str) -> Option<(&'a str, u16)> {
    let default_port = if scheme == "https" { 443 } else { 80 };
    let (host, port) = match authority.rsplit_once(':') {
        // The last colon of `[::1]` is inside the address.
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().unwrap_or(default_port)),
        _ => (authority, default_port),
    };
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    (!host.is_empty()).then_some((host, port))
}

/// Status and error type.
///
/// - A reason of ours comes first: it says more than the status that it was answered with. It is an error,
///   except on the SERVER side when the client is to blame for it, as for any other 4xx.
/// - A caller that gave up is neither; an error of the server's before that still shows in the status code.
/// - gRPC: any status but OK on CLIENT; on SERVER those that the conventions count as the server's.
/// - HTTP: 4xx and 5xx on CLIENT, 5xx on SERVER.
pub(super) fn verdict(record: &HopRecord) -> Verdict<'_> {
    let is_client = record.key.direction == Direction::Outbound;
    match record.outcome {
        End::CancelledByClient => {
            return Verdict {
                cancelled: true,
                ..Verdict::default()
            };
        }
        End::Failed(Reason::ClientCancelled) => {
            return Verdict {
                cancelled: true,
                ..Verdict::default()
            };
        }
        End::Failed(reason) => {
            let is_error = is_client || reason.blame() != Blame::Client;
            return Verdict {
                is_error,
                error_type: Some(reason.as_str()),
                cancelled: false,
            };
        }
        End::Complete => {}
    }
    if let Some(status) = record.grpc_status.filter(|_| record.is_grpc) {
        let is_error = if is_client {
            status != 0
        } else {
            GRPC_SERVER_ERRORS.contains(&status)
        };
        let error_type = is_error.then(|| {
            GRPC_STATUSES
                .get(usize::from(status))
                .copied()
                .unwrap_or("UNKNOWN")
        });
        return Verdict {
            is_error,
            error_type,
            cancelled: false,
        };
    }
    let Some(status) = &record.status else {
        return Verdict::default();
    };
    let is_error = status.is_server_error() || (is_client && status.is_client_error());
    Verdict {
        is_error,
        error_type: is_error.then(|| status.as_str()),
        cancelled: false,
    }
}

/// UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS.
const GRPC_SERVER_ERRORS: [u16; 6] = [2, 4, 12, 13, 14, 15];

const GRPC_STATUSES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
