//! `clew version`: of this program, of the roles, and of every proxy that is in the mesh.

use super::{ReadError, say_unless_json};
use crate::cli::read::{Format, VersionArgs};
use crate::client::{ApiClient, ApiError, Question};
use crate::exit::Exit;
use crate::output;
use crate::output::table::{Cell, Table};
use crate::output::{DOUBTFUL, clean, painted};
use clew_api::rest::Version;
use clew_api::rest::members::{Instance, Instances};
use clew_runtime::buildinfo::{COMMIT, VERSION};
use serde::Serialize;
use std::collections::BTreeMap;

/// A mesh of other versions, or none, is no failure: the question was which versions there are.
pub(super) async fn run(args: &VersionArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let (versions, problem) = Versions::ask(api).await;
    let text = match args.output.format {
        Format::Table => versions.render(false),
        Format::Wide => versions.render(true),
        Format::Json => versions.json()?,
    };
    output::print(&text).map_err(ReadError::Write)?;
    if let Some(problem) = problem {
        say_unless_json(args.output, &problem.to_string());
    }
    Ok(Exit::Ok)
}

/// All versions that could be read.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Versions {
    /// Of this program.
    version: String,
    /// The commit that it was built of, where the build was told.
    commit: Option<String>,
    /// Of the roles; absent when no mesh answers.
    roles: Option<String>,
    /// Of the members of the mesh.
    proxies: Vec<ProxyVersion>,
    /// What differs, in words; empty when nothing does.
    skew: Vec<String>,
}

/// One member.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct ProxyVersion {
    instance: String,
    workload: String,
    namespace: String,
    version: String,
}

impl Versions {
    /// What can be read, and why the rest cannot.
    async fn ask(api: &ApiClient) -> (Self, Option<ApiError>) {
        let roles = match api.get::<Version>(&Question::new("/version")).await {
            Ok(answer) => answer.body.version,
            Err(problem) => return (Self::new(None, Vec::new()), Some(problem)),
        };
        match api.get::<Instances>(&Question::new("/instances")).await {
            Ok(answer) => (Self::new(Some(roles), answer.body.instances), None),
            Err(problem) => (Self::new(Some(roles), Vec::new()), Some(problem)),
        }
    }

    fn new(roles: Option<String>, members: Vec<Instance>) -> Self {
        let proxies = members.into_iter().map(|member| ProxyVersion {
            instance: member.id,
            workload: member.workload,
            namespace: member.namespace,
            version: member.version,
        });
        let mut versions = Self {
            version: VERSION.to_owned(),
            commit: COMMIT.map(str::to_owned),
            roles,
            proxies: proxies.collect(),
            skew: Vec::new(),
        };
        versions.skew = versions.differences();
        versions
    }

    /// What is not of this program's version.
    fn differences(&self) -> Vec<String> {
        let own = &self.version;
        let mut differences = Vec::new();
        if let Some(roles) = self.roles.as_ref().filter(|roles| *roles != own) {
            differences.push(format!("the roles are {roles}, this clew is {own}"));
        }
        for (version, proxies) in self.by_version() {
            if version != own {
                let of = workloads(&proxies);
                let are = match proxies.len() {
                    1 => "1 proxy is".to_owned(),
                    several => format!("{several} proxies are"),
                };
                differences.push(format!("{are} {version} ({of}), this clew is {own}"));
            }
        }
        differences
    }

    fn by_version(&self) -> BTreeMap<&str, Vec<&ProxyVersion>> {
        let mut by_version: BTreeMap<&str, Vec<&ProxyVersion>> = BTreeMap::new();
        for proxy in &self.proxies {
            by_version.entry(&proxy.version).or_default().push(proxy);
        }
        by_version
    }

    fn render(&self, is_wide: bool) -> String {
        let mut table = Table::new()
            .text("PROGRAM")
            .text("VERSION")
            .number("INSTANCES");
        if is_wide {
            table = table.text("OF");
        }
        let mut row = |program: &str, version: Option<&str>, proxies: &[&ProxyVersion]| {
            let count = (!proxies.is_empty()).then(|| proxies.len().to_string());
            let style = match version {
                Some(version) if version != self.version => DOUBTFUL,
                _ => anstyle::Style::new(),
            };
            let version = version.map_or_else(Cell::none, |text| Cell::styled(text, style));
            let mut cells = vec![Cell::new(program), version, Cell::or_none(count)];
            if is_wide {
                let names = proxies.iter().map(|proxy| proxy.instance.as_str());
                let names: Vec<&str> = names.collect();
                cells.push(Cell::or_none((!names.is_empty()).then(|| names.join(" "))));
            }
            table.row(cells);
        };
        row("clew", Some(&self.version), &[]);
        row("roles", self.roles.as_deref(), &[]);
        for (version, proxies) in self.by_version() {
            row("proxies", Some(version), &proxies);
        }
        let mut text = table.render();
        for difference in &self.skew {
            let line = format!("versions differ: {}", clean(difference));
            text.push_str(&painted(&line, DOUBTFUL));
            text.push('\n');
        }
        text
    }

    fn json(&self) -> Result<String, ReadError> {
        let mut text = serde_json::to_string_pretty(self).map_err(ReadError::Json)?;
        text.push('\n');
        Ok(text)
    }
}

/// The workloads of proxies, each once.
fn workloads(proxies: &[&ProxyVersion]) -> String {
    let mut names: Vec<&str> = proxies.iter().map(|proxy| &*proxy.workload).collect();
    names.dedup();
    names.join(", ")
}

#[cfg(test)]
mod tests;
