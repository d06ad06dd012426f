//! `mesh.yaml`: a whole application and its mesh, in one file.
//!
//! Every key is declared once, here; docs/one-machine.md is compared with the declarations by a test.

mod access;
mod kinds;
mod telemetry;

pub(crate) use kinds::{MATCH_FORM, parse_match};

use super::described;
use super::plan::{GatewayPlan, MeshPlan, PortChoice, Program, Restart, ServicePlan};
use crate::cli::local::{kept_age, kept_bytes};
use access::{MeshAccess, OwnAccess};
use clew_model::name::{RouteName, ServiceName};
use clew_model::policy::{RequestMatch, RouteRule, RuleSource};
use clew_model::service::Protocol;
use clew_proxy::config::{GatewayRoute, IpPrefix};
use clew_runtime::config::docs::Shape;
use clew_runtime::config::{
    self, Kind, Located, Mistakes, Node, Place, Scalar, Settings, Table, Value, attempt, group,
    integer, list, located, map, one_of, one_or_many, path, socket_addr,
};
use clew_store::Retention;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use telemetry::Telemetry;

/// The workload name of the gateway, which no service may have.
pub(crate) const GATEWAY: &str = "gateway";

/// Reads a file. Paths in it are relative to the folder that it lies in.
pub(crate) fn load(file: &Path) -> Result<MeshPlan, Mistakes> {
    let mut plan = config::read_file::<MeshPlan>(file)?;
    let folder = file.parent().unwrap_or(Path::new(""));
    for program in plan
        .services
        .iter_mut()
        .filter_map(|service| service.program.as_mut())
    {
        let dir = folder.join(program.dir.take().unwrap_or_default());
        program.dir = (!dir.as_os_str().is_empty()).then_some(dir);
    }
    read_descriptions(&mut plan, folder)?;
    Ok(plan)
}

/// The routes that other files describe.
fn read_descriptions(plan: &mut MeshPlan, folder: &Path) -> Result<(), Mistakes> {
    let mut mistakes = Mistakes::default();
    for service in &mut plan.services {
        let Some(file) = service.described_by.take() else {
            continue;
        };
        match described::load(&folder.join(&file.value), &file.place) {
            Ok(routes) => service.routes = routes,
            Err(more) => mistakes.extend(more),
        }
    }
    match mistakes.is_empty() {
        true => Ok(()),
        false => Err(mistakes),
    }
}

/// Reads a text that is built in. Paths in it are relative to the working directory; descriptions of routes that
/// it names are not read.
pub(crate) fn parse(origin: &str, text: &str) -> Result<MeshPlan, Mistakes> {
    config::read::<MeshPlan>(origin, text)
}

impl Settings for MeshPlan {
    fn declare(t: &mut Table<'_>) -> Option<Self> {
        let name = t.required("mesh", kinds::name(), "Name of the mesh.");
        let namespace = t.default(
            "namespace",
            kinds::name(),
            "default",
            "Namespace of every workload.",
        );
        let api = t.optional(
            "api",
            socket_addr(),
            "Where the API answers; port 0: the system chooses. `--api` and `CLEW_API` come first.",
        );
        let telemetry = t.default("telemetry", group(), "{}", "What proxies report.");
        let access = t.default(
            "access",
            group(),
            "{}",
            "Who may call what: docs/access.md.",
        );
        let kept = t.default(
            "retention",
            group(),
            "{}",
            "How much is kept of spans and numbers.",
        );
        let gateway = t.optional(
            "gateway",
            group::<Gateway>(),
            "The way in for requests from outside.",
        );
        let services = t.required(
            "services",
            map(
                "service",
                kinds::service_name(),
                located(attempt(group::<Service>())),
            )
            .partial(),
            "The services of the application.",
        );
        // What could be read is checked against the rest, whatever else is wrong: all mistakes at once.
        let services = services?;
        let read_gateway = gateway.as_ref().and_then(Option::as_ref);
        let is_consistent = check_references(t, read_gateway, &services)
            & check_ports(t, &services)
            & check_replicas(t, &services);
        let telemetry: Telemetry = telemetry?;
        let access: MeshAccess = access?;
        let kept: Kept = kept?;
        let gateway = match gateway? {
            Some(gateway) => Some(gateway.into_plan()?),
            None => None,
        };
        let services = services
            .into_iter()
            .map(|(name, service)| service.value?.into_plan(name));
        let plan = Self {
            name: name?,
            namespace: namespace?,
            api: api?,
            telemetry: telemetry.0,
            access: access.0,
            retention: kept.0,
            gateway,
            services: services.collect::<Option<_>>()?,
        };
        is_consistent.then_some(plan)
    }
}

/// `None`: what stands there is no service at all, but the name is one.
type Services = [(ServiceName, Located<Option<Service>>)];

/// The services of which something could be read.
fn read_services(services: &Services) -> impl Iterator<Item = (&ServiceName, &Service)> {
    services
        .iter()
        .filter_map(|(name, service)| Some((name, service.value.as_ref()?)))
}

/// Every service that is named is one of the file's.
fn check_references(t: &mut Table<'_>, gateway: Option<&Gateway>, services: &Services) -> bool {
    let is_service = |wanted: &ServiceName| services.iter().any(|(name, _)| name == wanted);
    let mut mistakes = Vec::new();
    let mut check = |reference: &Located<ServiceName>| {
        if !is_service(&reference.value) {
            let given = format!("{:?}", reference.value);
            mistakes.push(
                reference
                    .place
                    .mistake(given, "the name of a service of this file"),
            );
        }
    };
    let routes = gateway.and_then(|gateway| gateway.routes.as_ref());
    routes
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|route| route.to.as_ref())
        .for_each(&mut check);
    read_services(services)
        .flat_map(|(_, service)| service.to.iter().flatten().flatten())
        .for_each(&mut check);
    let own = read_services(services).filter_map(|(_, service)| service.access.as_ref()?.as_ref());
    mistakes.extend(own.flat_map(|access| access.unknown_callers(is_service)));
    for (name, service) in services {
        if name.as_str() == GATEWAY && gateway.is_some() {
            mistakes.push(service.place.mistake("the gateway's name", "another name"));
        }
    }
    let is_well = mistakes.is_empty();
    mistakes.into_iter().for_each(|mistake| t.note(mistake));
    is_well
}

/// No two applications listen on one port.
fn check_ports(t: &mut Table<'_>, services: &Services) -> bool {
    let mut owners: HashMap<SocketAddr, &ServiceName> = HashMap::new();
    let mut is_well = true;
    for (name, service) in read_services(services) {
        let Some(Some(port)) = &service.port else {
            continue;
        };
        let PortChoice::Fixed(address) = port.value else {
            continue;
        };
        if let Some(owner) = owners.insert(address, name) {
            let given = format!("{}, which is the port of {owner}", address.port());
            t.note(port.place.mistake(given, "a port of its own"));
            is_well = false;
        }
    }
    is_well
}

/// Several instances need several ports, which only the system can choose; and what nobody can reach
/// needs no second instance.
fn check_replicas(t: &mut Table<'_>, services: &Services) -> bool {
    let mut is_well = true;
    for (_, service) in read_services(services) {
        let (Some(port), Some(replicas)) = (&service.port, &service.replicas) else {
            continue;
        };
        let port = port.as_ref().map(|port| port.value);
        if replicas.value > 1 && port != Some(PortChoice::System) {
            let given = replicas.value.to_string();
            t.note(replicas.place.mistake(given, "1, or port: auto"));
            is_well = false;
        }
    }
    is_well
}

/// A service as far as it could be read: what is `None` on the outside is wrong, and that is noted.
struct Service {
    port: Option<Option<Located<PortChoice>>>,
    replicas: Option<Located<u64>>,
    to: Option<Vec<Option<Located<ServiceName>>>>,
    protocol: Option<Protocol>,
    program: Option<Option<Program>>,
    access: Option<Option<OwnAccess>>,
    routes: Option<Routes>,
}

impl Service {
    fn into_plan(self, name: ServiceName) -> Option<ServicePlan> {
        let to = self.to?.into_iter();
        let (routes, described_by) = match self.routes? {
            Routes::Listed(routes) => (routes, None),
            Routes::DescribedBy(file) => (Vec::new(), Some(file)),
        };
        let access = match self.access? {
            Some(access) => Some(access.into_plan(&name)?),
            None => None,
        };
        Some(ServicePlan {
            name,
            access,
            port: self.port?.map(|port| port.value),
            protocol: self.protocol?,
            program: self.program?,
            replicas: u16::try_from(self.replicas?.value).ok()?,
            to: to
                .map(|service| Some(service?.value))
                .collect::<Option<_>>()?,
            routes,
            described_by,
        })
    }
}

impl Settings for Service {
    fn declare(t: &mut Table<'_>) -> Option<Self> {
        let port = t.optional(
            "port",
            located(kinds::port_choice()),
            "Port that the application listens on, on 127.0.0.1 or ADDRESS:PORT; `auto`: the system chooses and the \
             application reads `PORT`. Without it the service only calls others.",
        );
        let protocol = t.default(
            "protocol",
            kinds::protocol(),
            "detect",
            "What the port speaks.",
        );
        let run = t.optional(
            "run",
            kinds::CommandLine,
            "What to start, without a shell; `clew` is this very program. Without it someone else \
             starts the application.",
        );
        let dir = t.default(
            "dir",
            path(),
            ".",
            "Working directory, relative to the file.",
        );
        let env = t.default(
            "env",
            map("variable", kinds::variable(), kinds::variable_value()),
            "{}",
            "Environment, over what is inherited and what Clew sets.",
        );
        let restart = t.default(
            "restart",
            restart(),
            "on-failure",
            "Whether its program is started again when it has ended, after 1s, 2s, and so on up to 30s.",
        );
        let replicas = t.default(
            "replicas",
            located(integer(1..=64)),
            "1",
            "How many instances to start.",
        );
        let to = t.default(
            "to",
            list(attempt(located(kinds::service_name()))),
            "[]",
            "Services that it calls: each gets a listener, named by `CLEW_<SERVICE>_URL`.",
        );
        let access = t.optional(
            "access",
            group(),
            "Who may call it; without this, whoever the mesh's `access` says.",
        );
        let routes = t.default(
            "routes",
            RoutesOrFile,
            "[]",
            "Named routes, tried in this order; a request that none matches has a learned route. Or a file that \
             describes them, relative to this one: an OpenAPI document (3 or Swagger 2, YAML or JSON) or a `.proto`.",
        );
        Some(Self {
            port,
            replicas,
            to,
            protocol,
            program: program(run, dir, env, restart),
            access,
            routes,
        })
    }
}

fn program(
    run: Option<Option<Vec<String>>>,
    dir: Option<PathBuf>,
    env: Option<Vec<(String, String)>>,
    restart: Option<Restart>,
) -> Option<Option<Program>> {
    let (words, dir, env, restart) = (run?, Some(dir?), env?, restart?);
    Some(words.map(|words| Program {
        words,
        dir,
        env,
        restart,
    }))
}

fn restart() -> Scalar<Restart> {
    one_of(&[
        ("on-failure", Restart::OnFailure),
        ("never", Restart::Never),
        ("always", Restart::Always),
    ])
}

/// Routes as they are written.
enum Routes {
    Listed(Vec<RouteRule>),
    DescribedBy(Located<PathBuf>),
}

/// A list of routes, or the file that describes them.
struct RoutesOrFile;

impl Kind for RoutesOrFile {
    type Value = Routes;

    fn read(&self, node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Routes> {
        if let Value::Text(_) = &node.value {
            let file = located(path()).read(node, place, mistakes)?;
            return Some(Routes::DescribedBy(file));
        }
        let routes = list(group::<Route>()).read(node, place, mistakes)?;
        let routes = routes.into_iter().map(|route| route.0);
        Some(Routes::Listed(routes.collect()))
    }

    fn shape(&self) -> Shape {
        list(group::<Route>()).shape()
    }
}

struct Route(RouteRule);

impl Settings for Route {
    fn declare(t: &mut Table<'_>) -> Option<Self> {
        let name = t.required("name", kinds::route_name(), "Name in metrics and spans.");
        let matches = t.required(
            "match",
            one_or_many(kinds::request_match()),
            "Requests that it holds for: method and path. A path is whole, or holds placeholders for \
             single segments, or ends in `/*` for everything below.",
        );
        let matches: Vec<RequestMatch> = matches?;
        Some(Self(RouteRule {
            name: RouteName::new(name?),
            hosts: [].into(),
            matches: matches.into(),
            backend: None,
            failure_statuses: None,
            source: RuleSource::Configuration,
        }))
    }
}

/// The gateway as far as it could be read.
struct Gateway {
    listen: Option<SocketAddr>,
    routes: Option<Vec<Option<RouteTo>>>,
    trusted: Option<Vec<IpPrefix>>,
}

impl Gateway {
    fn into_plan(self) -> Option<GatewayPlan> {
        let routes = self.routes?.into_iter().map(|route| {
            let route = route?;
            Some(GatewayRoute {
                host: route.host?,
                path_prefix: route.path?,
                service: route.to?.value,
            })
        });
        Some(GatewayPlan {
            listen: self.listen?,
            routes: routes.collect::<Option<_>>()?,
            trusted: self.trusted?,
        })
    }
}

impl Settings for Gateway {
    fn declare(t: &mut Table<'_>) -> Option<Self> {
        let listen = t.default(
            "listen",
            socket_addr(),
            "127.0.0.1:8080",
            "Where it listens; port 0: the system chooses.",
        );
        let trusted = t.default(
            "trusted",
            list(kinds::network()),
            "[]",
            "Callers whose trace context is trusted: ingresses in front. All others start a new trace.",
        );
        let routes = t.required(
            "routes",
            list(attempt(group::<RouteTo>())).not_empty(),
            "Where requests go: the longest path of the most specific host wins.",
        );
        Some(Self {
            listen,
            routes,
            trusted,
        })
    }
}

/// A route of the gateway as far as it could be read.
struct RouteTo {
    host: Option<Option<Arc<str>>>,
    path: Option<Arc<str>>,
    to: Option<Located<ServiceName>>,
}

impl Settings for RouteTo {
    fn declare(t: &mut Table<'_>) -> Option<Self> {
        let host = t.default(
            "host",
            kinds::gateway_host(),
            "'*'",
            "Host that is asked for.",
        );
        let path = t.default(
            "path",
            kinds::path_prefix(),
            "/",
            "Path, in whole segments.",
        );
        let to = t.required(
            "to",
            located(kinds::service_name()),
            "Service that gets the request.",
        );
        Some(Self { host, path, to })
    }
}

struct Kept(Retention);

impl Settings for Kept {
    fn declare(t: &mut Table<'_>) -> Option<Self> {
        let age = t.default("age", kept_age(), "24h", "Nothing older is kept.");
        let size = t.default(
            "size",
            kept_bytes(),
            "1GiB",
            "The oldest go first past this size; 1GiB holds about two million spans of proxies.",
        );
        Some(Self(Retention {
            age: age?,
            bytes: size?,
        }))
    }
}

#[cfg(test)]
mod tests;
