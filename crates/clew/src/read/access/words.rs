//! Who may call, in words.

use clew_api::rest::access::{AccessClients, AccessGrant, AccessPath, AccessRequest, AccessTable};
use clew_model::identity::Identity;

/// `everyone (default)`, `nobody`, `webapp (GET /books/{id}); whoever is of the mesh from 10.0.0.0/8`.
pub(in crate::read) fn may_call(table: &AccessTable, service: &str) -> String {
    let grants = table.of(service).iter();
    let words: Vec<String> = grants.map(|grant| grant_in_words(grant, table)).collect();
    let words = match words.is_empty() {
        true => "nobody".to_owned(),
        false => words.join("; "),
    };
    match table.own(service) {
        Some(_) => words,
        None => format!("{words} (default)"),
    }
}

fn grant_in_words(grant: &AccessGrant, table: &AccessTable) -> String {
    let mut words = match &grant.clients {
        AccessClients::Anyone => "everyone".to_owned(),
        AccessClients::Meshed => "whoever is of the mesh".to_owned(),
        AccessClients::Identities(those) => {
            let names: Vec<String> = those.iter().map(|id| short(id, table)).collect();
            names.join(", ")
        }
    };
    if !grant.requests.is_empty() {
        let requests: Vec<String> = grant.requests.iter().map(request_in_words).collect();
        words = format!("{words} ({})", requests.join(", "));
    }
    if !grant.networks.is_empty() {
        words = format!("{words} from {}", grant.networks.join(", "));
    }
    words
}

/// As `--allow` takes it: no longer than it has to be.
fn short(id: &str, table: &AccessTable) -> String {
    let is_of_mesh =
        |identity: &Identity| Some(identity.trust_domain()) == table.trust_domain.as_deref();
    let identity = Identity::parse(id).ok().filter(is_of_mesh);
    match identity.and_then(|identity| identity.workload()) {
        Some(workload) if workload.namespace.as_str() == table.namespace => {
            workload.name.to_string()
        }
        Some(workload) => format!("{}/{}", workload.namespace, workload.name),
        None => id.to_owned(),
    }
}

/// As `--match` takes it, where it can: `GET /books/*`.
fn request_in_words(wanted: &AccessRequest) -> String {
    let path = wanted.path.as_ref().map(|path| match path {
        AccessPath::Exact(path) | AccessPath::Template(path) => path.clone(),
        AccessPath::Prefix(path) => format!("{}/*", path.trim_end_matches('/')),
    });
    let parts = [wanted.method.clone(), path];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(" ")
}
