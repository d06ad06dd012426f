//! Learned routes: names for requests whose route nobody configured, from their paths alone.
//!
//! Two layers. [`write_template`] looks at one path and replaces the segments that are plainly data:
//! numbers, UUIDs, hashes, dates. What it cannot know by looking at one path, [`Learner`] learns from
//! many: where siblings keep growing (`/tags/rust`, `/tags/go`, ...) the position is data as well.
//!
//! A raw path must never become a label value; the template of a path may.

mod class;
mod learner;
mod segment;
mod template;

pub use learner::{Learner, LearnerLimits};
pub use template::{MAX_SEGMENTS, MAX_TEMPLATE_BYTES, write_template};

use crate::name::RouteName;

#[cfg(test)]
mod tests;

/// Stands for a learned name: a position whose siblings kept growing, or text that no route would have.
pub(crate) const NAME: &str = "{name}";
/// Last segment of a template whose rest is not told apart.
pub(crate) const FOLD: &str = "\u{2026}";

/// Name of a learned HTTP route, such as `GET /books/{id}`.
pub fn route_name(method: &str, template: &str) -> RouteName {
    let method = known_method(method);
    let mut name = String::with_capacity(method.len() + 1 + template.len());
    name.push_str(method);
    name.push(' ');
    name.push_str(template);
    RouteName::new(name)
}

/// Name of requests whose path nobody is known to serve, past the number of such paths that are told apart:
/// `GET /…`, and for gRPC, where the method is the path, `/…`.
pub fn unproven_name(method: &str) -> RouteName {
    match method {
        "" => RouteName::new(format!("/{FOLD}")),
        method => route_name(method, &format!("/{FOLD}")),
    }
}

/// What kind of name a proxy gives to requests whose route nobody configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameForm {
    /// A template that was learned, `GET /books/{id}`.
    Template,
    /// A method of gRPC, `pkg.Service/Method`.
    GrpcMethod,
    /// Requests of many routes, or of none: `(other)`, `(unknown)`, `GET /…`.
    Shared,
}

/// What kind of name this is; `None` of a name that a proxy gives only where it was told so.
pub fn name_form(name: &str) -> Option<NameForm> {
    let (method, path) = name.split_once(' ').unwrap_or(("", name));
    let is_shared = path.strip_prefix('/') == Some(FOLD) || name.starts_with('(');
    if is_shared {
        return Some(NameForm::Shared);
    }
    if !method.is_empty() && (method == OTHER_METHOD || known_method(method) == method) {
        return Some(NameForm::Template);
    }
    grpc_method(&format!("/{name}")).map(|_| NameForm::GrpcMethod)
}

/// The method, when it is one of RFC 9110 or PATCH (RFC 5789); every other is `_OTHER`, as the
/// OpenTelemetry semantic conventions say of `http.request.method`.
pub fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or(OTHER_METHOD)
}

/// Stands for a method that not everyone knows.
pub const OTHER_METHOD: &str = "_OTHER";

/// `pkg.Service/Method` of a gRPC request's path; `None` when the path has not that shape (names of
/// the protobuf language, 256 bytes in all), so that nothing else becomes a route.
pub fn grpc_method(path: &str) -> Option<&str> {
    const MAX_BYTES: usize = 256;
    let name = path
        .strip_prefix('/')
        .filter(|name| name.len() <= MAX_BYTES)?;
    let (service, method) = name.split_once('/')?;
    (service.split('.').all(is_identifier) && is_identifier(method)).then_some(name)
}

fn is_identifier(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
