//! `clew access`: who may call which service; shown, or changed and then shown.

mod words;

pub(super) use words::may_call;

use super::{ReadError, say_unless_json, show};
use crate::cli::access::AccessArgs;
use crate::client::{ApiClient, Question};
use crate::exit::Exit;
use crate::local::{MATCH_FORM, parse_match};
use crate::output::table::{Cell, Table};
use clew_api::rest::access::{
    AccessChange, AccessClients, AccessGrant, AccessPath, AccessRequest, AccessTable,
};
use clew_api::rest::members::Instances;
use clew_model::identity::Identity;
use clew_model::name::Workload;
use clew_model::policy::PathMatch;

/// A client that may be anyone, and one of whom it is enough to be of the mesh: no names of workloads.
const ANYONE: &str = "anyone";
const MESHED: &str = "meshed";
/// What a client has to look like.
const CLIENT_FORM: &str = "WORKLOAD, NAMESPACE/WORKLOAD, a SPIFFE id (spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/WORKLOAD), meshed or anyone";
/// The longest name that a grant is given, in bytes.
const MAX_NAME_BYTES: usize = 200;

pub(super) async fn run(args: &AccessArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let table = Question::new("/access");
    let is_change = args.deny || args.reset || !args.allow.is_empty();
    let answer = match &args.service {
        Some(service) if is_change => {
            let question = table.clone().segment(service);
            if args.reset {
                api.delete(&question).await?
            } else {
                let now = api.get::<AccessTable>(&table).await?;
                let grants = grants(args, &now.body)?;
                api.put(&question, &AccessChange { grants }).await?
            }
        }
        _ => api.get::<AccessTable>(&table).await?,
    };
    if let Some(service) = &args.service {
        let members = api.get::<Instances>(&Question::new("/instances")).await?;
        if !is_served(service, &members.body) {
            let word = format!("no member of the mesh serves {service} now");
            say_unless_json(args.output, &word);
        }
    }
    show(&answer, args.output, |table, _| {
        render(table, args.service.as_deref())
    })?;
    Ok(Exit::Ok)
}

fn is_served(service: &str, members: &Instances) -> bool {
    let ports = members.instances.iter().flat_map(|member| &member.ports);
    ports.into_iter().any(|port| port.service == service)
}

/// What the flags say: one grant, or, of `--deny`, none.
fn grants(args: &AccessArgs, now: &AccessTable) -> Result<Vec<AccessGrant>, ReadError> {
    if args.deny {
        return Ok(Vec::new());
    }
    let (name, clients) = clients(&args.allow, now)?;
    let requests = args.requests.iter().map(|text| request(text));
    Ok(vec![AccessGrant {
        name,
        clients,
        networks: args.networks.clone(),
        requests: requests.collect::<Result<_, _>>()?,
    }])
}

/// Clients, and what they are called together.
fn clients(named: &[String], now: &AccessTable) -> Result<(String, AccessClients), ReadError> {
    if let [one] = named {
        match one.as_str() {
            ANYONE => return Ok((ANYONE.to_owned(), AccessClients::Anyone)),
            MESHED => return Ok((MESHED.to_owned(), AccessClients::Meshed)),
            _ => {}
        }
    }
    if let Some(given) = named
        .iter()
        .find(|name| [ANYONE, MESHED].contains(&name.as_str()))
    {
        return Err(ReadError::Flag {
            flag: "allow",
            given: given.clone(),
            expected: "anyone and meshed to stand alone",
        });
    }
    let identities = named.iter().map(|name| identity(name, now));
    let identities: Vec<String> = identities.collect::<Result<_, _>>()?;
    let mut name = named.join(", ");
    if name.len() > MAX_NAME_BYTES {
        name = format!("{} workloads", named.len());
    }
    Ok((name, AccessClients::Identities(identities)))
}

/// The identity of a workload, in the words of the flag.
fn identity(client: &str, now: &AccessTable) -> Result<String, ReadError> {
    let wrong = || ReadError::Flag {
        flag: "allow",
        given: client.to_owned(),
        expected: CLIENT_FORM,
    };
    let identity = if client.starts_with("spiffe://") {
        Identity::parse(client)
    } else {
        let trust_domain = now.trust_domain.as_ref();
        let trust_domain = trust_domain.ok_or_else(|| ReadError::NoIdentities {
            client: client.to_owned(),
        })?;
        let (namespace, name) = client.split_once('/').unwrap_or((&now.namespace, client));
        Identity::new(trust_domain, &Workload::new(name, namespace))
    };
    identity.map(|of| of.to_string()).map_err(|_| wrong())
}

/// `[METHOD ]PATH`, as in `mesh.yaml`.
fn request(text: &str) -> Result<AccessRequest, ReadError> {
    let wanted = parse_match(text).ok_or_else(|| ReadError::Flag {
        flag: "match",
        given: text.to_owned(),
        expected: MATCH_FORM,
    })?;
    let path = wanted.path.map(|path| match path {
        PathMatch::Exact(path) => AccessPath::Exact(path.to_string()),
        PathMatch::Prefix(path) => AccessPath::Prefix(path.to_string()),
        PathMatch::Template(path) => AccessPath::Template(path.to_string()),
    });
    Ok(AccessRequest {
        method: wanted.method.as_deref().map(str::to_owned),
        path,
    })
}

/// One service, or all that have a word of their own and the default.
fn render(now: &AccessTable, service: Option<&str>) -> String {
    let mut table = Table::new().text("SERVICE").text("MAY_CALL");
    let mut row = |service: &str, name: &str| {
        table.row(vec![Cell::new(name), Cell::new(may_call(now, service))]);
    };
    match service {
        Some(service) => row(service, service),
        None => {
            for of in &now.services {
                row(&of.service, &of.service);
            }
            // No service has this name.
            row(
                "",
                if now.services.is_empty() {
                    "(all)"
                } else {
                    "(others)"
                },
            );
        }
    }
    table.render()
}

#[cfg(test)]
mod tests;
