//! Who may call what: `GET access`, and `PUT` and `DELETE access/{service}`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who may call the services of the mesh: answer of `GET access`, and of each change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessTable {
    /// The domain of all identities, for example `cluster.local`. Absent: the mesh has no identities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_domain: Option<String>,
    /// The namespace of the services.
    pub namespace: String,
    /// Of services that have no word of their own; empty: nobody may call.
    pub default: Vec<AccessGrant>,
    /// Those that have, by name.
    pub services: Vec<ServiceAccess>,
}

/// Who may call one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceAccess {
    /// Its name.
    pub service: String,
    /// Whoever one of these admits; empty: nobody.
    pub grants: Vec<AccessGrant>,
}

/// Body of `PUT access/{service}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessChange {
    /// Whoever one of these admits may call from now on; empty: nobody.
    pub grants: Vec<AccessGrant>,
}

/// One reason to be admitted. All its parts must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessGrant {
    /// As people are told of it.
    pub name: String,
    /// Who the client has to be.
    pub clients: AccessClients,
    /// Where it has to be, in CIDR notation; empty: anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// What it has to ask, one of these; empty: anything, bytes that are not HTTP too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<AccessRequest>,
}

/// Who a client has to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccessClients {
    /// Anyone, in clear too.
    Anyone,
    /// Whoever has proven to be someone of the mesh.
    Meshed,
    /// One of these SPIFFE ids.
    Identities(Vec<String>),
}

/// What a request asks. Both parts must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessRequest {
    /// Its method, upper case. Absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Its path. Absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<AccessPath>,
}

/// A condition on the path of a request, without its query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccessPath {
    /// The path itself.
    Exact(String),
    /// The path, and everything below it.
    Prefix(String),
    /// `/books/{id}`: a name in braces is any one segment.
    Template(String),
}

impl AccessTable {
    /// Whether a service has a word of its own.
    pub fn own(&self, service: &str) -> Option<&[AccessGrant]> {
        let mut services = self.services.iter();
        let found = services.find(|of| of.service == service);
        found.map(|of| of.grants.as_slice())
    }

    /// Who may call a service.
    pub fn of(&self, service: &str) -> &[AccessGrant] {
        self.own(service).unwrap_or(&self.default)
    }
}
