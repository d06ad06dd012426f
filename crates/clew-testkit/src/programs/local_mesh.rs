//! A mesh on this machine, as its users have it.

use super::process::{Program, command, finish};
use super::shell::Shell;
use super::whole_trace::WholeTrace;
use super::{clew, eventually, stderr, stdout};
use crate::client::{Answer, Client, request};
use crate::{body, within};
use clew_api::rest::API_PREFIX;
use clew_api::rest::golden::{Golden, Stat, WorkloadStat};
use clew_api::rest::members::{Instance, Instances};
use clew_api::rest::scrape::Scrape;
use clew_api::rest::traces::{Trace, Traces};
use http::{Method, StatusCode};
use rustix::process::Signal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::process::Command;

/// A mesh whose roles run in a process that the test has started. Commands on it find it, and no other: the
/// state directory is its own too.
#[derive(Debug)]
pub struct LocalMesh {
    /// `clew roles`, `clew up` or whatever the roles are in.
    pub roles: Program,
    whereabouts: Whereabouts,
    state: TempDir,
}

/// What the roles' process says of itself in one line of JSON.
#[derive(Clone, Debug, Deserialize)]
pub struct Whereabouts {
    /// The API.
    pub api: SocketAddr,
    /// Control.
    pub control: SocketAddr,
    /// OTLP over gRPC.
    pub otlp_grpc: Option<SocketAddr>,
    /// OTLP over HTTP.
    pub otlp_http: Option<SocketAddr>,
    /// Zipkin.
    pub zipkin: Option<SocketAddr>,
    /// The gateway, where the process has one.
    #[serde(default)]
    pub gateway: Option<SocketAddr>,
}

impl LocalMesh {
    /// A mesh of roles alone, on ports that the system gives.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with more flags of `clew roles`.
    pub async fn start_with(flags: &[&str]) -> Self {
        let ports = ["--otlp-grpc", "--otlp-http", "--zipkin"].map(|flag| [flag, "127.0.0.1:0"]);
        let flags = [&["roles"], ports.as_flattened(), flags].concat();
        Self::of_command(&flags).await
    }

    /// An application as a file for `clew up` describes it.
    pub async fn up(file: &std::path::Path) -> Self {
        let file = file.to_str().unwrap();
        Self::of_command(&["up", "-f", file, "--ready-file", "/dev/stdout"]).await
    }

    async fn of_command(words: &[&str]) -> Self {
        let state = tempfile::tempdir().unwrap();
        let mut roles = command(clew());
        roles.args(words).env("CLEW_API", "http://127.0.0.1:0");
        roles.env("XDG_STATE_HOME", state.path());
        let roles = Program::start(words[0], roles);
        let line = roles.says("{\"api\"").await;
        Self {
            whereabouts: serde_json::from_str(&line).unwrap(),
            roles,
            state,
        }
    }

    /// Kills the process of the roles, which cannot prepare for it.
    pub async fn kill_roles(&mut self) {
        self.roles.signal(Signal::KILL);
        self.roles.ended().await;
    }

    /// Starts roles where those that were killed had their API. They answer when this returns.
    pub async fn start_roles_again(&mut self) {
        self.roles = Program::start("roles", self.clew(&["roles"]));
        let line = self.roles.says("{\"api\"").await;
        self.whereabouts = serde_json::from_str(&line).unwrap();
    }

    /// Where it is.
    pub fn whereabouts(&self) -> &Whereabouts {
        &self.whereabouts
    }

    /// The gateway of an application.
    pub fn gateway_address(&self) -> SocketAddr {
        self.whereabouts.gateway.unwrap()
    }

    /// A file with a token that proves to be a workload; it is there as long as the mesh.
    pub async fn token_file(&self, workload: &str) -> PathBuf {
        let token = finish(self.clew(&["token", workload])).await;
        assert!(token.status.success(), "{token:?}");
        let file = self.state.path().join(format!("{workload}.token"));
        std::fs::write(&file, &token.stdout).unwrap();
        file
    }

    /// A `clew` command on this mesh.
    pub fn clew<W: AsRef<OsStr>>(&self, words: &[W]) -> Command {
        let mut command = command(clew());
        command
            .args(words)
            .env("CLEW_API", format!("http://{}", self.whereabouts.api))
            .env("XDG_STATE_HOME", self.state.path());
        command
    }

    /// Runs a command that reads, and understands its answer. `None` when it found nothing (exit code 2).
    ///
    /// # Panics
    /// It fails.
    pub async fn look<T: DeserializeOwned>(&self, words: &[&str]) -> Option<T> {
        let output = finish(self.clew(&[words, &["-o", "json"]].concat())).await;
        match output.status.code() {
            Some(0) => Some(serde_json::from_str(stdout(&output)).unwrap()),
            Some(2) => None,
            code => panic!("clew {words:?} ended with {code:?}: {}", stderr(&output)),
        }
    }

    /// The same, where there must be something.
    pub async fn ask<T: DeserializeOwned>(&self, words: &[&str]) -> T {
        let answer = self.look(words).await;
        answer.unwrap_or_else(|| panic!("clew {words:?} found nothing"))
    }

    /// `clew run` of a process, with flags before its words. It may not have joined yet.
    pub fn run(&self, name: &str, flags: &[&str], words: &[OsString]) -> Program {
        self.run_with(name, flags, words, &[])
    }

    /// The same with variables in its environment.
    pub fn run_with(
        &self,
        name: &str,
        flags: &[&str],
        words: &[OsString],
        variables: &[(&str, &str)],
    ) -> Program {
        let mut command = self.clew(&["run", "--name", name]);
        command.args(flags).arg("--").args(words);
        command.envs(variables.iter().copied());
        Program::start(name, command)
    }

    /// `clew run` of a server of `tests/peers`, on a port that the system gives; it listens and has joined.
    pub async fn serve(&self, name: &str, flags: &[&str], words: &[OsString]) -> Program {
        self.serve_with(name, flags, words, &[]).await
    }

    /// The same with variables in its environment.
    pub async fn serve_with(
        &self,
        name: &str,
        flags: &[&str],
        words: &[OsString],
        variables: &[(&str, &str)],
    ) -> Program {
        let has_port = flags.contains(&"--port");
        let port: &[&str] = if has_port { &[] } else { &["--port", "auto"] };
        let server = self.run_with(name, &[port, flags].concat(), words, variables);
        server.says("Running on").await;
        self.joined(&server).await;
        server
    }

    /// `clew gateway` with these routes, on a port that the system gives; it has joined.
    pub async fn gateway(&self, routes: &[&str]) -> (Program, SocketAddr) {
        self.gateway_with(routes, &[]).await
    }

    /// The same with more flags.
    pub async fn gateway_with(&self, routes: &[&str], flags: &[&str]) -> (Program, SocketAddr) {
        let mut command = self.clew(&["gateway", "--listen", "127.0.0.1:0"]);
        command.args(flags);
        for route in routes {
            command.args(["--route", route]);
        }
        let gateway = Program::start("gateway", command);
        let line = gateway.says("listens on http://").await;
        let address = line.split("http://").nth(1).unwrap();
        let address = address.split(',').next().unwrap().parse().unwrap();
        self.joined(&gateway).await;
        (gateway, address)
    }

    /// A sidecar without an application, in whose surroundings a test runs commands.
    pub async fn shell(&self, name: &str, flags: &[&str]) -> Shell {
        let script = "env; echo --end; exec cat";
        let words = ["sh", "-c", script].map(OsString::from);
        let program = self.run(name, flags, &words);
        program.says("--end").await;
        self.joined(&program).await;
        Shell::of(program)
    }

    /// Waits until a proxy in this process is a member, and observe knows.
    pub async fn joined(&self, program: &Program) -> Instance {
        let pid = program.pid();
        eventually(&format!("process {pid} to join"), async || {
            let mut members = self.members().await.into_iter();
            members.find(|member| member.pid == pid && !member.leaving)
        })
        .await
    }

    /// Waits until no instance of a workload takes requests.
    pub async fn has_left(&self, workload: &str) {
        eventually(&format!("{workload} to leave"), async || {
            let members = self.members().await;
            let is_in = |member: &Instance| member.workload == workload && !member.leaving;
            (!members.iter().any(is_in)).then_some(())
        })
        .await;
    }

    /// The members, as the API tells them.
    pub async fn members(&self) -> Vec<Instance> {
        self.get::<Instances>("/instances").await.instances
    }

    /// Reads all proxies now: what they had counted can be asked for afterwards.
    pub async fn scrape(&self) {
        let answer = self.api(Method::POST, "/scrape").await;
        let report: Scrape = serde_json::from_str(answer.text()).unwrap();
        assert!(report.failed.is_empty(), "{report:?}");
    }

    /// Golden metrics, once every request has ended that has begun.
    pub async fn stat(&self) -> HashMap<String, WorkloadStat> {
        let is_at_rest = |stat: &Stat| {
            let mut all = stat.workloads.iter().flat_map(sides);
            all.all(|golden| golden.requests == golden.started)
        };
        let stat = eventually("every request to end", async || {
            self.scrape().await;
            let stat: Stat = self.ask(&["stat", "-t", "1h"]).await;
            is_at_rest(&stat).then_some(stat)
        })
        .await;
        let named = stat.workloads.into_iter();
        named.map(|stat| (stat.workload.clone(), stat)).collect()
    }

    /// A trace of so many spans, once they are there.
    ///
    /// # Panics
    /// There are more, or something is missing.
    pub async fn trace(&self, id: &str, spans: usize) -> WholeTrace {
        let mut there = 0;
        let whole = eventually(&format!("{spans} spans of trace {id}"), async || {
            let answer = self.api(Method::GET, &format!("/traces/{id}")).await;
            if answer.status == StatusCode::NOT_FOUND {
                return None;
            }
            let trace: Trace = serde_json::from_str(answer.text()).unwrap();
            there = trace.spans.len();
            (there >= spans).then_some(trace)
        })
        .await;
        assert_eq!(whole.spans.len(), spans, "{whole:#?}");
        WholeTrace::new(whole)
    }

    /// All traces of the last hour, newest first, whether or not anything may still be added to them.
    pub async fn traces(&self, flags: &[&str]) -> Traces {
        let all = ["traces", "-t", "1h", "--settled", "0s", "--limit", "500"];
        let window = clew_api::rest::window::WindowBounds {
            from: String::new(),
            to: String::new(),
            seconds: 0.0,
        };
        let none = Traces {
            window,
            traces: Vec::new(),
            truncated: false,
            searched_back_to: None,
        };
        self.look(&[&all, flags].concat()).await.unwrap_or(none)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        serde_json::from_str(self.api(Method::GET, path).await.text()).unwrap()
    }

    async fn api(&self, method: Method, path: &str) -> Answer {
        let api = self.whereabouts.api;
        let mut client = Client::http1(api).await;
        let uri = format!("http://{api}{API_PREFIX}{path}");
        within("the API", client.ask(request(method, &uri, body::empty()))).await
    }
}

/// The numbers of both sides, where there are some.
fn sides(stat: &WorkloadStat) -> impl Iterator<Item = &Golden> {
    let sides = stat.inbound.iter().chain(&stat.outbound);
    sides.filter_map(|side| side.golden.as_ref())
}
