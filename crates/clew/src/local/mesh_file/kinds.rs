//! Kinds of values that only `mesh.yaml` has.

use crate::cli::local::{LISTENS_FORM, parse_listens};
use crate::label::{LABEL_FORM, is_label};
use crate::local::keys::TRUST_DOMAIN;
use crate::local::plan::PortChoice;
use crate::local::plan::access::Caller;
use crate::local::words;
use clew_model::identity::Identity;
use clew_model::name::{ServiceName, Workload};
use clew_model::policy::{PathMatch, RequestMatch};
use clew_model::service::Protocol;
use clew_proxy::config::IpPrefix;
use clew_runtime::config::docs::Shape;
use clew_runtime::config::{
    Kind, Mistakes, Node, Place, Scalar, Value, cidr, host_pattern, list, one_of, scalar,
};
use std::sync::Arc;

/// The name of a mesh, a namespace or a service.
pub(super) fn name() -> Scalar<String> {
    scalar(LABEL_FORM, |text| is_label(text).then(|| text.to_owned()))
}

/// The name of a service.
pub(super) fn service_name() -> Scalar<ServiceName> {
    name().map(|name| ServiceName::new(name.as_str()))
}

/// A port number, with its address or without, or `auto`.
pub(super) fn port_choice() -> Scalar<PortChoice> {
    scalar(LISTENS_FORM, |text| match text {
        "auto" => Some(PortChoice::System),
        listens => parse_listens(listens).map(PortChoice::Fixed),
    })
}

/// What a port speaks.
pub(super) fn protocol() -> Scalar<Protocol> {
    one_of(&[
        ("detect", Protocol::Detect),
        ("http1", Protocol::Http1),
        ("http2", Protocol::Http2),
        ("grpc", Protocol::Grpc),
        ("opaque", Protocol::Opaque),
    ])
}

/// The name of an environment variable.
pub(super) fn variable() -> Scalar<String> {
    let expected = "a variable's name of letters, digits and _, not starting with a digit";
    scalar(expected, |text| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let starts_well = !text.starts_with(|first: char| first.is_ascii_digit());
        (!text.is_empty() && text.bytes().all(plain) && starts_well).then(|| text.to_owned())
    })
}

/// Any text that the environment can hold, the empty one too.
pub(super) fn variable_value() -> Scalar<String> {
    scalar("text", |text| {
        (!text.contains('\0')).then(|| text.to_owned())
    })
}

/// Any text that can be the name of a route in metrics.
pub(super) fn route_name() -> Scalar<String> {
    scalar("a name of at most 200 characters", |text| {
        let fits = (1..=200).contains(&text.len()) && !text.contains(char::is_control);
        fits.then(|| text.to_owned())
    })
}

/// A header's name.
pub(super) fn header() -> Scalar<Arc<str>> {
    scalar("a header's name", |text| {
        let name = http::HeaderName::from_bytes(text.as_bytes()).ok()?;
        Some(name.as_str().into())
    })
}

/// A network, or one address.
pub(super) fn network() -> Scalar<IpPrefix> {
    cidr().map(|(address, bits)| IpPrefix { address, bits })
}

/// Who may call. Whether a name is one of the file's is for whoever knows them all.
pub(super) fn caller() -> Scalar<Caller> {
    let expected = "the name of a service, gateway, NAMESPACE/WORKLOAD, a SPIFFE id \
                    (spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/WORKLOAD), meshed or anyone";
    scalar(expected, |text| match text {
        "anyone" => Some(Caller::Anyone),
        "meshed" => Some(Caller::Meshed),
        name if is_label(name) => Some(Caller::OfPlan(name.into())),
        id if id.starts_with("spiffe:") => Identity::parse(id).ok().map(Caller::Identity),
        other => {
            let (namespace, name) = other.split_once('/')?;
            let workload = Workload::new(name, namespace);
            let identity = Identity::new(TRUST_DOMAIN, &workload).ok();
            identity.map(Caller::Identity)
        }
    })
}

/// A host of the gateway: `None` is any.
pub(super) fn gateway_host() -> Scalar<Option<Arc<str>>> {
    scalar("a host name, *.NAME, or * for any", |text| match text {
        "*" => Some(None),
        host => host_pattern()
            .read_text("", host)
            .ok()
            .map(|host| Some(host.into())),
    })
}

/// A path, of which whole segments are compared.
pub(super) fn path_prefix() -> Scalar<Arc<str>> {
    scalar("a path that starts with /", |text| {
        is_path(text).then(|| text.into())
    })
}

/// `[METHOD ]PATH`, where the path is whole, ends in `/*`, or has `{placeholders}`.
pub(super) fn request_match() -> Scalar<RequestMatch> {
    scalar(MATCH_FORM, parse_match)
}

/// What a match has to look like.
pub(crate) const MATCH_FORM: &str =
    "[METHOD ]PATH, where PATH may hold {placeholders} or end in /*";

/// The requests that [`MATCH_FORM`] names.
pub(crate) fn parse_match(text: &str) -> Option<RequestMatch> {
    let (method, path) = match text.split_once(' ') {
        Some((method, path)) => (Some(method), path.trim_start()),
        None => (None, text),
    };
    let is_method = |method: &str| {
        !method.is_empty()
            && method
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'-')
    };
    if !method.is_none_or(is_method) || !is_path(path) {
        return None;
    }
    let path = match path.strip_suffix("/*") {
        Some(prefix) if is_plain(prefix) => PathMatch::Prefix(or_root(prefix).into()),
        Some(_) => return None,
        None if is_plain(path) => PathMatch::Exact(path.into()),
        None => PathMatch::Template(is_template(path).then(|| path.into())?),
    };
    Some(RequestMatch {
        path: Some(path),
        method: method.map(Into::into),
    })
}

fn or_root(prefix: &str) -> &str {
    if prefix.is_empty() { "/" } else { prefix }
}

fn is_path(text: &str) -> bool {
    let refused = |character: char| {
        character.is_control() || character.is_whitespace() || matches!(character, '?' | '#')
    };
    text.starts_with('/') && !text.contains(refused)
}

fn is_plain(path: &str) -> bool {
    !path.contains(['{', '}', '*'])
}

/// Every segment is plain or one whole placeholder.
fn is_template(path: &str) -> bool {
    path.split('/').all(|segment| {
        let placeholder = segment
            .strip_prefix('{')
            .and_then(|inner| inner.strip_suffix('}'));
        placeholder.map_or_else(
            || is_plain(segment),
            |name| !name.is_empty() && is_plain(name),
        )
    })
}

/// A command: one text, or a list of its words.
#[derive(Debug)]
pub(super) struct CommandLine;

impl Kind for CommandLine {
    type Value = Vec<String>;

    fn read(&self, node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Vec<String>> {
        let expected = match &node.value {
            Value::List(_) => return list(word()).not_empty().read(node, place, mistakes),
            Value::Text(text) => match words::split(text) {
                Ok(words) => return Some(words),
                Err(error) => error.to_string(),
            },
            _ => self.shape().expected(),
        };
        mistakes.push(place.mistake(node.given(), expected));
        None
    }

    fn shape(&self) -> Shape {
        Shape::Scalar("a command, as text or as a list of its words".to_owned())
    }
}

fn word() -> Scalar<String> {
    scalar("a word of a command", |text| {
        (!text.contains('\0')).then(|| text.to_owned())
    })
}
