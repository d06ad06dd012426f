//! What differs between two plans: what of it can be changed while all runs, and what cannot.

use super::plan::{MeshPlan, ServicePlan};
use clew_api::rest::settings::TelemetryChange;
use clew_model::name::ServiceName;
use clew_model::service::Protocol;
use clew_model::telemetry::{AccessLog, TelemetrySettings};

/// The difference, and what it leads to.
#[derive(Debug)]
pub(crate) struct Difference {
    /// Services to start.
    pub(crate) added: Vec<ServicePlan>,
    /// Services to end.
    pub(crate) removed: Vec<ServiceName>,
    /// Services to end and start, as they are to be.
    pub(crate) changed: Vec<ServicePlan>,
    /// What proxies are to be told.
    pub(crate) telemetry: TelemetryChange,
    /// What changes now, in words.
    pub(crate) now: Vec<String>,
    /// What changes with the next start only, in words.
    pub(crate) later: Vec<String>,
    /// What runs when all is changed that can be.
    pub(crate) plan: MeshPlan,
}

impl Difference {
    /// What leads from the plan that runs to the one that is wanted.
    pub(crate) fn between(running: &MeshPlan, wanted: &MeshPlan) -> Self {
        let mut difference = Self {
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
            telemetry: TelemetryChange::default(),
            now: Vec::new(),
            later: Vec::new(),
            plan: MeshPlan {
                services: Vec::new(),
                access: wanted.access,
                ..running.clone()
            },
        };
        difference.note_what_is_fixed(running, wanted);
        difference.compare_telemetry(&running.telemetry, &wanted.telemetry);
        if running.access != wanted.access {
            let (old, new) = (running.access.word(), wanted.access.word());
            let line = format!("~ access.default: {old} -> {new}");
            difference.now.push(line);
        }
        for service in &wanted.services {
            let known = running.services.iter().find(|s| s.name == service.name);
            difference.compare_service(known, service);
        }
        for service in &running.services {
            if !wanted.services.iter().any(|s| s.name == service.name) {
                difference.removed.push(service.name.clone());
                difference.now.push(format!("- service {}", service.name));
            }
        }
        difference
    }

    /// What the roles and the gateway are told once, when they start.
    fn note_what_is_fixed(&mut self, running: &MeshPlan, wanted: &MeshPlan) {
        let kept = |plan: &MeshPlan| (plan.retention.age, plan.retention.bytes);
        for (key, differs) in [
            ("mesh", running.name != wanted.name),
            ("namespace", running.namespace != wanted.namespace),
            ("api", running.api != wanted.api),
            ("retention", kept(running) != kept(wanted)),
            ("gateway", running.gateway != wanted.gateway),
        ] {
            if differs {
                self.later.push(key.to_owned());
            }
        }
    }

    fn compare_telemetry(&mut self, running: &TelemetrySettings, wanted: &TelemetrySettings) {
        let (old, new) = (words_of(running), words_of(wanted));
        for ((key, old), (_, new)) in old.iter().zip(&new) {
            if old != new {
                self.now.push(format!("~ telemetry.{key}: {old} -> {new}"));
            }
        }
        if running != wanted {
            self.telemetry = TelemetryChange {
                tracing: Some(wanted.tracing),
                sampling_ratio: Some(wanted.sampling.ratio),
                // Zero takes the limit away.
                sampling_max_per_second: Some(wanted.sampling.max_per_second.unwrap_or(0.0)),
                write_formats: Some(wanted.write.names().map(str::to_owned).collect()),
                access_log: Some(access_log(wanted.access_log).to_owned()),
                show_headers: Some(wanted.show_headers.iter().map(|h| h.to_string()).collect()),
                audit: Some(wanted.audit),
            };
            self.plan.telemetry = wanted.clone();
        }
    }

    /// Control is told of protocols and routes once, when it starts.
    fn compare_service(&mut self, running: Option<&ServicePlan>, wanted: &ServicePlan) {
        let name = &wanted.name;
        let declared = running.map_or((Protocol::Detect, Vec::new()), |running| {
            (running.protocol, running.routes.clone())
        });
        if running.is_some() && declared.0 != wanted.protocol {
            self.later.push(format!("services.{name}.protocol"));
        }
        if declared.1 != wanted.routes {
            self.later.push(format!("services.{name}.routes"));
        }
        let service = ServicePlan {
            // An instance tells the protocol of its port itself, where control was told nothing.
            protocol: running.map_or(wanted.protocol, |running| running.protocol),
            routes: declared.1,
            ..wanted.clone()
        };
        if let Some(running) = running {
            let mut keys = changed_keys(running, wanted);
            if !keys.is_empty() {
                self.changed.push(service.clone());
            }
            // Its proxies hear of it from control, and go on.
            if running.access != wanted.access {
                keys.push("access");
            }
            if !keys.is_empty() {
                let keys = keys.join(", ");
                self.now.push(format!("~ service {name}: {keys}"));
            }
        } else {
            self.now.push(format!("+ service {name}"));
            self.added.push(service.clone());
        }
        self.plan.services.push(service);
    }
}

/// The keys of a service that take effect when its instances are started anew.
fn changed_keys(running: &ServicePlan, wanted: &ServicePlan) -> Vec<&'static str> {
    let mut keys = Vec::new();
    let mut note = |key, differs: bool| keys.extend(differs.then_some(key));
    note("port", running.port != wanted.port);
    match (&running.program, &wanted.program) {
        (Some(old), Some(new)) => {
            note("run", old.words != new.words);
            note("dir", old.dir != new.dir);
            note("env", old.env != new.env);
            note("restart", old.restart != new.restart);
        }
        (old, new) => note("run", old.is_some() != new.is_some()),
    }
    note("replicas", running.replicas != wanted.replicas);
    note("to", running.to != wanted.to);
    keys
}

/// Settings as the file says them.
fn words_of(settings: &TelemetrySettings) -> [(&'static str, String); 7] {
    let limit = settings.sampling.max_per_second;
    let write: Vec<&str> = settings.write.names().collect();
    let headers: Vec<&str> = settings.show_headers.iter().map(|h| &**h).collect();
    [
        ("tracing", settings.tracing.to_string()),
        ("sampling.ratio", settings.sampling.ratio.to_string()),
        (
            "sampling.max_per_second",
            limit.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string()),
        ),
        ("write", format!("[{}]", write.join(", "))),
        ("access_log", access_log(settings.access_log).to_owned()),
        ("show_headers", format!("[{}]", headers.join(", "))),
        ("audit", settings.audit.to_string()),
    ]
}

fn access_log(which: AccessLog) -> &'static str {
    match which {
        AccessLog::Off => "off",
        AccessLog::Errors => "errors",
        AccessLog::All => "all",
    }
}

#[cfg(test)]
mod tests;
