//! Where names of routes come from. Control knows which were configured and by whom; of the others the name tells, for
//! proxies make only a few kinds of names.

use super::{Api, names};
use clew_api::client::{ControlClient, Instance};
use clew_api::convert::Resolution;
use clew_api::rest::golden::RouteSource;
use clew_model::learn::{NameForm, name_form};
use clew_model::policy::RuleSource;
use clew_model::service::Target;
use futures_util::{StreamExt as _, stream};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Services that control is asked about at the same time.
const MAX_CONCURRENT: usize = 32;
/// For all of them. Control answers in a millisecond or is not there.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Namespace and name of a service.
type Service = (String, String);
/// Configured routes by name.
type Rules = BTreeMap<String, RuleSource>;

/// Configured routes of services.
pub(super) struct RouteSources {
    members: Vec<Instance>,
    workload: String,
    rules: BTreeMap<Service, Rules>,
    /// Control has told of all of them.
    is_complete: bool,
}

impl RouteSources {
    /// Of the services that were addressed. `None` stands for those that the workload itself answers to.
    pub(super) async fn load<'a>(
        api: &Api,
        workload: &str,
        addressed: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    ) -> Self {
        let mut sources = Self {
            members: names::members(api),
            workload: workload.to_owned(),
            rules: BTreeMap::new(),
            is_complete: true,
        };
        let mut services = BTreeSet::new();
        for (namespace, service) in addressed {
            services.extend(sources.services(namespace, service));
        }
        let asked = services.len();
        let control = &api.sources.control;
        let mut answers = stream::iter(services)
            .map(async |service| load_rules(control, service).await)
            .buffer_unordered(MAX_CONCURRENT);
        let rules = &mut sources.rules;
        let collecting = async {
            while let Some(answer) = answers.next().await {
                rules.extend(answer);
            }
        };
        // What came in time counts.
        let _ = tokio::time::timeout(TIMEOUT, collecting).await;
        sources.is_complete = sources.rules.len() == asked;
        sources
    }

    /// Where the name of a route comes from; `None` when that is not known.
    pub(super) fn source(
        &self,
        namespace: &str,
        service: Option<&str>,
        route: &str,
    ) -> Option<RouteSource> {
        let form = name_form(route);
        if form == Some(NameForm::Shared) {
            return Some(RouteSource::Other);
        }
        let services = self.services(namespace, service);
        let mut rules = services.iter().filter_map(|of| self.rules.get(of));
        match (rules.find_map(|rules| rules.get(route)), form) {
            (Some(RuleSource::OpenApi), _) => Some(RouteSource::Openapi),
            (Some(RuleSource::Proto), _) => Some(RouteSource::Proto),
            // A name that no proxy makes was configured, though it may be no more.
            (Some(RuleSource::Configuration), _) | (None, None) => Some(RouteSource::Configured),
            (None, Some(_)) if !self.is_complete => None,
            (None, Some(NameForm::Template)) => Some(RouteSource::Learned),
            (None, Some(NameForm::GrpcMethod)) => Some(RouteSource::Grpc),
            (None, Some(NameForm::Shared)) => Some(RouteSource::Other),
        }
    }

    /// The services whose routes these may be. None of a host outside of the mesh.
    fn services(&self, namespace: &str, service: Option<&str>) -> BTreeSet<Service> {
        let ports = self.members.iter().flat_map(|member| {
            let workload = &member.workload;
            let ports = member.ports.iter();
            ports.map(move |port| (workload, port.service.as_str()))
        });
        let found = ports.filter(|(of, name)| match service {
            Some(service) => *name == service,
            None => of.name.as_str() == self.workload && of.namespace.as_str() == namespace,
        });
        let mut found: BTreeSet<Service> = found
            .map(|(of, name)| (of.namespace.to_string(), name.to_owned()))
            .collect();
        match service {
            // A short name is one of the caller's own namespace, where there is one.
            Some(service) => {
                let own = (namespace.to_owned(), service.to_owned());
                if found.contains(&own) {
                    found = BTreeSet::from([own]);
                }
            }
            // Its members may have left.
            None if found.is_empty() => {
                found.insert((namespace.to_owned(), self.workload.clone()));
            }
            None => {}
        }
        found
    }
}

async fn load_rules(control: &ControlClient, service: Service) -> Option<(Service, Rules)> {
    let authority = format!("{}.{}.svc.cluster.local", service.1, service.0);
    let rules = match control
        .load_outbound(&Target::Authority(authority.into()))
        .await
    {
        Ok(Resolution::Known(policy)) => {
            let rules = policy.routes.iter();
            rules
                .map(|rule| (rule.name.to_string(), rule.source))
                .collect()
        }
        Ok(Resolution::Unknown) => Rules::new(),
        Err(error) => {
            tracing::debug!(%error, "control does not tell of configured routes");
            return None;
        }
    };
    Some((service, rules))
}
