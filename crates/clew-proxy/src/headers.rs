//! Headers that concern one connection, and Clew's own.

use clew_model::name::{InstanceId, Workload};
use http::header::{
    CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRANSFER_ENCODING,
    UPGRADE,
};
use http::uri::Authority;
use http::{Request, Version};

#[cfg(test)]
mod tests;

/// `namespace/workload/instance` of the client, from its sidecar to the server's. It never reaches an
/// application, and one that an application or an outsider sends is removed.
///
/// It adds the instance to the workload of the connection's certificate, and is believed no further. In a mesh without
/// identities it is a claim, which labels.
pub(crate) const CLIENT: HeaderName = HeaderName::from_static("clew-client");
/// Why the mesh answered in place of the server.
pub(crate) const ERROR: HeaderName = HeaderName::from_static("clew-error");

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// Whether the request says at most once which host it is for, and says it where it has to: with HTTP/1.1 in
/// `Host`, whose value can be a host (RFC 9112, section 3.2). What two readers could take for two different
/// hosts must not pass.
pub(crate) fn names_one_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => request.version() != Version::HTTP_11,
        (Some(host), None) => {
            host.as_bytes().iter().copied().all(is_of_host) && agrees(request, host)
        }
        (Some(_), Some(_)) => false,
    }
}

/// In HTTP/2, `Host` beside another `:authority` makes a request malformed (RFC 9113, section 8.3.1). In
/// HTTP/1 it is replaced by what the target names.
fn agrees<B>(request: &Request<B>, host: &HeaderValue) -> bool {
    let authority = request
        .uri()
        .authority()
        .filter(|_| request.version() == Version::HTTP_2);
    authority.is_none_or(|authority| {
        host.as_bytes()
            .eq_ignore_ascii_case(without_user_info(authority).as_bytes())
    })
}

/// Host and port. User info has no place in a request (RFC 9110, section 4.2.4), and is never recorded.
pub(crate) fn without_user_info(authority: &Authority) -> &str {
    let text = authority.as_str();
    text.rsplit_once('@').map_or(text, |(_, host)| host)
}

/// Whether the head is larger than the limit, where the codec does not see to it: in HTTP/2, counted as its
/// setting for the size of header lists counts (RFC 9113, section 6.5.2).
pub(crate) fn is_too_large<B>(request: &Request<B>, max_bytes: usize) -> bool {
    const EACH: usize = 32;
    if request.version() != Version::HTTP_2 {
        return false;
    }
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| EACH + name.as_str().len() + value.len());
    let target = request.uri().path_and_query();
    let target = target.map_or(0, |target| EACH + target.as_str().len());
    headers.sum::<usize>() + target > max_bytes
}

/// Characters of `uri-host` and `port` (RFC 3986, section 3.2.2).
fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]%".contains(&byte)
}

/// Removes what holds for one connection only (RFC 9110, section 7.6.1), but leaves an upgrade that is
/// to be passed on. `te: trailers` stays: gRPC needs it from end to end. So do the headers by which proxies and
/// their clients authenticate: only the HTTP proxy of the application is the one that they may be for.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap, keep_upgrade: bool) {
    if headers.contains_key(CONNECTION) {
        strip_named(headers);
    }
    for name in [
        KEEP_ALIVE,
        PROXY_CONNECTION,
        TRANSFER_ENCODING,
        HTTP2_SETTINGS,
    ] {
        headers.remove(name);
    }
    if headers.get_all(TE).iter().any(|te| te != "trailers") {
        headers.remove(TE);
    }
    if keep_upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    } else {
        headers.remove(UPGRADE);
    }
}

/// Removes `Connection` and the headers that it names.
fn strip_named(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        // Framing, routing and the upgrade itself are not the sender's to take away.
        .filter(|name| ![UPGRADE, HOST, TE].contains(name))
        .collect();
    for name in named {
        headers.remove(name);
    }
    headers.remove(CONNECTION);
}

/// The client asks for another protocol on this connection, and it is one that can be passed on: HTTP/2
/// in clear (`h2c`) by upgrade is not, prior knowledge has replaced it (RFC 9113, section 3.1).
pub(crate) fn asks_upgrade(headers: &HeaderMap) -> bool {
    if !headers.contains_key(UPGRADE) {
        return false;
    }
    let is_h2c = |token: &[u8]| token.trim_ascii().eq_ignore_ascii_case(b"h2c");
    let mut protocols = headers.get_all(UPGRADE).iter();
    if protocols.any(|list| list.as_bytes().split(|&byte| byte == b',').any(is_h2c)) {
        return false;
    }
    let mut tokens = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    tokens.any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
}

/// `application/grpc`, `application/grpc+proto`, ...
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes()
            .strip_prefix(b"application/grpc")
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'+' || rest[0] == b';')
    })
}

/// Responses that are long by nature.
pub(crate) fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// The value of [`CLIENT`] for an instance; `None` when its names cannot be written in a header.
pub(crate) fn client_value(workload: &Workload, instance: &InstanceId) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!(
        "{}/{}/{instance}",
        workload.namespace, workload.name
    ))
    .ok()
}

/// Reads a value of [`CLIENT`].
pub(crate) fn parse_client(value: &HeaderValue) -> Option<(Workload, InstanceId)> {
    let mut parts = value.to_str().ok()?.splitn(3, '/');
    let (namespace, workload, instance) = (parts.next()?, parts.next()?, parts.next()?);
    let plausible = |name: &str| !name.is_empty() && name.len() <= 253;
    (plausible(namespace) && plausible(workload) && plausible(instance)).then(|| {
        (
            Workload::new(workload, namespace),
            InstanceId::new(instance),
        )
    })
}
