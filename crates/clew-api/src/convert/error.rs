//! What can be wrong with a message, and what is right but not applied.

use clew_model::name::RouteName;
use std::sync::Arc;

/// A message that does not make sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConversionError {
    /// A field without which the message says nothing.
    #[error("{field} is missing")]
    Missing {
        /// Name of the field in its proto file.
        field: &'static str,
    },
    /// A value outside of what the field allows.
    #[error("{field}: {value:?} is not {expected}")]
    Invalid {
        /// Name of the field in its proto file.
        field: &'static str,
        /// The value, cut to 100 characters.
        value: String,
        /// What it should have been.
        expected: &'static str,
    },
}

impl ConversionError {
    /// A value outside of what the field allows.
    pub(crate) fn invalid(
        field: &'static str,
        value: impl ToString,
        expected: &'static str,
    ) -> Self {
        let value = value.to_string().chars().take(100).collect();
        Self::Invalid {
            field,
            value,
            expected,
        }
    }
}

/// A value read from the wire, and what came with it that we do not apply.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<T> {
    /// The value.
    pub value: T,
    /// Worth a line in the log; empty when control is ours.
    pub ignored: Vec<Ignored>,
}

/// A part of a policy that this version does not apply.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Ignored {
    /// A match with a condition on headers. The match is skipped; a rule with no match left is skipped too.
    #[error("route {route}: a match by header is skipped")]
    HeaderCondition {
        /// The route.
        route: RouteName,
    },
    /// A match with a condition on the query. Skipped like the one on headers.
    #[error("route {route}: a match by query is skipped")]
    QueryCondition {
        /// The route.
        route: RouteName,
    },
    /// A path expression that is not a template. Skipped like the one on headers.
    #[error("route {route}: a match by the expression {regex:?} is skipped")]
    PathExpression {
        /// The route.
        route: RouteName,
        /// The expression.
        regex: Arc<str>,
    },
    /// A match with a method or a host that cannot be one. Skipped.
    #[error("route {route}: a match that can match nothing is skipped")]
    EmptyMatch {
        /// The route.
        route: RouteName,
    },
    /// Filters: injected failures, redirects, header changes. The rule holds without them.
    #[error("route {route}: filters are not applied")]
    Filters {
        /// The route.
        route: RouteName,
    },
    /// More than one backend. The rule holds with the one of the greatest weight.
    #[error("route {route}: only the first backend of the greatest weight is used")]
    Split {
        /// The route.
        route: RouteName,
    },
    /// A backend that is no service: a single address, or none, upon which the API wants requests to fail. Requests go
    /// to the service's own endpoints instead.
    #[error("route {route}: its backend is no service and is not used")]
    Backend {
        /// The route; `default` for that of everything else.
        route: RouteName,
    },
    /// Timeouts and retries. The rule holds without them.
    #[error("route {route}: timeouts and retries are not applied")]
    Resilience {
        /// The route.
        route: RouteName,
    },
    /// Circuit breaking of a service.
    #[error("circuit breaking is not applied")]
    FailureAccrual,
    /// Routes by TLS server name. The service is taken as opaque.
    #[error("routes by TLS server name are not applied")]
    TlsRoutes,
    /// An authorization that says what we cannot check: suffixes of names, exceptions of networks, names that are no SPIFFE ids,
    /// hosts of a route. It admits nobody.
    #[error("authorization {name:?} cannot be enforced, and admits nobody")]
    Authorization {
        /// Its name.
        name: Arc<str>,
    },
    /// Rate limits of a port.
    #[error("rate limits are not enforced")]
    RateLimit,
}
