//! What the semantic conventions say of one hop: name, status and error type of its span.

use clew_model::learn;
use http::Method;

use super::limited;
use crate::error::{Blame, Reason};
use crate::grpc;
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

/// The span's name, given to `write` in parts: the method of gRPC, or a method of HTTP that everyone knows and the
/// template of the path, where there is one. Without such a method it is `HTTP`.
pub(super) fn span_name(record: &HopRecord, write: impl FnOnce(&[&str])) {
    let route = record.key.route.as_str();
    if record.is_grpc
        && let Some(method) = learn::grpc_method(record.path.path())
    {
        // A learned route that is not told apart has a name of its own.
        return write(&[if record.route_is_configured {
            method
        } else {
            route
        }]);
    }
    let path = record.route_path.as_deref();
    match known_method(&record.method) {
        Some(method) => match path {
            Some(path) => write(&[method, " ", limited(path)]),
            None if path_of_method(route, method).is_some() => write(&[route]),
            None => write(&[method, " ", route]),
        },
        None => write(&[
            "HTTP ",
            limited(path.unwrap_or_else(|| path_of_route(route))),
        ]),
    }
}

/// The rest of `GET /path` after `GET `.
fn path_of_method<'a>(route: &'a str, method: &str) -> Option<&'a str> {
    route.strip_prefix(method)?.strip_prefix(' ')
}

/// A route without the method that may stand before its path.
fn path_of_route(route: &str) -> &str {
    match route.split_once(' ') {
        Some((method, path))
            if path.starts_with('/')
                && method
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte == b'_') =>
        {
            path
        }
        _ => route,
    }
}

/// The method's text, when it is one that everyone knows.
pub(super) fn known_method(method: &Method) -> Option<&'static str> {
    let known = learn::known_method(method.as_str());
    (known != learn::OTHER_METHOD).then_some(known)
}

/// Service and method of a gRPC path, `/package.Service/Method`.
pub(super) fn grpc_method(path: &str) -> Option<(&str, &str)> {
    learn::grpc_method(path)?.split_once('/')
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
            grpc::is_server_error(status)
        };
        let error_type = is_error.then(|| grpc::name(status));
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
