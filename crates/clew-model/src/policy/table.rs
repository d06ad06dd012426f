//! Matching a request against the configured routes of a service.

use super::{PathMatch, RequestMatch, RouteRule};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// The configured routes of one service, in the order in which they are tried.
///
/// Which of several matching rules is the most specific (Gateway API, "HTTPRouteRule: matches") is
/// for control to decide, by the order that it gives them; here the first that matches wins.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteTable(Arc<[RouteRule]>);

impl RouteTable {
    /// A table of these rules, in this order.
    pub fn new(rules: Arc<[RouteRule]>) -> Self {
        Self(rules)
    }

    /// There is no configured route.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rules, in order.
    pub fn rules(&self) -> &[RouteRule] {
        &self.0
    }

    /// The first rule that matches, if any. Allocates nothing.
    ///
    /// `host` is as the client wrote it (case and port do not matter), empty when there was none;
    /// `method` is upper case; `path` is still encoded and without its query.
    pub fn match_request(&self, host: &str, method: &str, path: &str) -> Option<&RouteRule> {
        self.index_of(host, method, path)
            .and_then(|index| self.0.get(index))
    }

    /// The same, as the rule's place in [`RouteTable::rules`]: for who keeps something beside each rule.
    pub fn index_of(&self, host: &str, method: &str, path: &str) -> Option<usize> {
        let host = without_port(host);
        self.0
            .iter()
            .position(|rule| rule_matches(rule, host, method, path))
    }
}

fn rule_matches(rule: &RouteRule, host: &str, method: &str, path: &str) -> bool {
    let host_matches =
        rule.hosts.is_empty() || rule.hosts.iter().any(|pattern| host_matches(pattern, host));
    host_matches
        && (rule.matches.is_empty()
            || rule
                .matches
                .iter()
                .any(|condition| request_matches(condition, method, path)))
}

/// Whether a request, by its method in upper case and its path without the query, meets a condition.
pub(super) fn request_matches(condition: &RequestMatch, method: &str, path: &str) -> bool {
    condition
        .method
        .as_deref()
        .is_none_or(|wanted| wanted == method)
        && condition
            .path
            .as_ref()
            .is_none_or(|wanted| wanted.matches(path))
}

impl PathMatch {
    /// Whether a path, without its query, meets the condition.
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *path,
            Self::Prefix(prefix) => prefix_matches(prefix, path),
            Self::Template(template) => template_matches(template, path),
        }
    }
}

/// `/a` and `/a/` both match `/a`, `/a/` and `/a/b`, and not `/ab` (Gateway API, `PathMatchPathPrefix`:
/// "a trailing / is ignored").
fn prefix_matches(prefix: &str, path: &str) -> bool {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn template_matches(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    template.split('/').all(|pattern| {
        segments
            .next()
            .is_some_and(|segment| segment_matches(pattern, segment))
    }) && segments.next().is_none()
}

/// `{name}` stands for anything but nothing; text may stand before and after it: `{id}.json`.
fn segment_matches(pattern: &str, segment: &str) -> bool {
    let placeholder = pattern
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?.1)));
    match placeholder {
        None => pattern == segment,
        Some((before, after)) => {
            segment.len() > before.len() + after.len()
                && segment.starts_with(before)
                && segment.ends_with(after)
        }
    }
}

/// `*.example.com` matches one label or more before the rest, and not `example.com` itself (Gateway API,
/// `Hostname`).
fn host_matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(rest) if rest.starts_with('.') => host
            .len()
            .checked_sub(rest.len())
            .filter(|&labels| labels > 0)
            .and_then(|labels| host.get(labels..))
            .is_some_and(|end| end.eq_ignore_ascii_case(rest)),
        _ => pattern.eq_ignore_ascii_case(host),
    }
}

/// The host of an authority: no port, no brackets around an IPv6 address, no dot of the root.
fn without_port(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    let host = match authority.split_once(':') {
        // More colons than one are an IPv6 address without brackets.
        Some((host, port)) if !port.contains(':') => host,
        _ => authority,
    };
    host.strip_suffix('.').unwrap_or(host)
}
