//! A small network of namespaces, and a mesh in it.
//!
//! ```text
//!   hub            bridge 10.77.0.1      control, observe, and who reads from them
//!    |-- webapp    eth0   10.77.0.2      application and proxy
//!    |-- books     eth0   10.77.0.3      application and proxy
//! ```
//!
//! No interface, address or rule is outside of the namespaces, and their names hold the test's process id and a
//! number, so that any number of these can be at one time.

use clew_testkit::programs::{
    Program, clew, clew_proxy, command, eventually, finish, stderr, stdout,
};
use serde::de::DeserializeOwned;
use std::ffi::{OsStr, OsString};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use tempfile::TempDir;
use tokio::process::Command;

const HUB: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// User of the proxies, as `clew-proxy redirect` expects it.
const PROXY_USER: &str = "2102";
/// Beginning of the names of namespaces.
const PREFIX: &str = "clew-test";

/// The network and the mesh's roles in it. All of it goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Network {
    // Dropped first: what runs in a namespace ends before it.
    _roles: Program,
    hub: Namespace,
    hosts: AtomicU8,
    files: TempDir,
}

/// One namespace: deleted when it is dropped.
#[derive(Debug)]
struct Namespace {
    name: String,
}

impl Network {
    /// An empty mesh.
    pub(crate) async fn start() -> Self {
        sweep().await;
        let hub = Namespace::create("hub").await;
        hub.ip(&["link", "add", "bridge", "type", "bridge"]).await;
        hub.ip(&["address", "add", &format!("{HUB}/24"), "dev", "bridge"])
            .await;
        hub.ip(&["link", "set", "bridge", "up"]).await;
        let files = tempfile::tempdir().unwrap();
        // The proxy's user has to reach the proxy, wherever this repository lies.
        std::fs::set_permissions(files.path(), PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::copy(clew_proxy(), files.path().join("clew-proxy")).unwrap();
        let roles = Program::start("roles", roles(&hub, files.path()));
        roles.says("{\"api\"").await;
        Self {
            _roles: roles,
            hub,
            hosts: AtomicU8::new(2),
            files,
        }
    }

    /// A host that is no member of the mesh.
    pub(crate) async fn host(&self, name: &str) -> Host {
        let address = Ipv4Addr::new(10, 77, 0, self.hosts.fetch_add(1, Ordering::Relaxed));
        let namespace = Namespace::create(name).await;
        let inside = namespace.name.as_str();
        let peer = format!("to-{}", address.octets()[3]);
        self.hub
            .ip(&[
                "link", "add", &peer, "type", "veth", "peer", "name", "eth0", "netns", inside,
            ])
            .await;
        self.hub
            .ip(&["link", "set", &peer, "master", "bridge", "up"])
            .await;
        namespace
            .ip(&["address", "add", &format!("{address}/24"), "dev", "eth0"])
            .await;
        namespace.ip(&["link", "set", "eth0", "up"]).await;
        namespace
            .ip(&["route", "add", "default", "via", &HUB.to_string()])
            .await;
        Host {
            name: name.to_owned(),
            address,
            proxy: None,
            namespace,
        }
    }

    /// A host with a proxy and the rules of redirection, whose application answers to these ports: number,
    /// service, protocol. It has joined.
    pub(crate) async fn instance(&self, name: &str, ports: &[&str]) -> Host {
        self.instance_with(name, ports, &[]).await
    }

    /// The same with more flags of `clew-proxy redirect`.
    pub(crate) async fn instance_with(&self, name: &str, ports: &[&str], rules: &[&str]) -> Host {
        let mut host = self.host(name).await;
        let mut redirect = host.command(self.proxy());
        redirect.arg("redirect").args(rules);
        let redirected = finish(redirect).await;
        assert!(redirected.status.success(), "{}", stderr(&redirected));
        let mut proxy = self.run_proxy(&host);
        proxy.args(["--redirected-inbound", "0.0.0.0:4143"]);
        proxy.args(["--redirected-outbound", "0.0.0.0:4140"]);
        for port in ports {
            proxy.args(["--port", &format!("{}:{port}", host.address)]);
        }
        self.start_proxy(&mut host, proxy).await;
        host
    }

    /// A gateway, which needs no redirection. It has joined.
    pub(crate) async fn gateway(&self, name: &str, listen: &str, routes: &[&str]) -> Host {
        let mut host = self.host(name).await;
        let mut proxy = self.run_proxy(&host);
        // Ports below 1024 are for everyone in this namespace.
        let allow = "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start";
        host.output(&["sh", "-c", allow], &[]).await;
        proxy.args(["--gateway", listen]);
        for route in routes {
            proxy.args(["--route", route]);
        }
        self.start_proxy(&mut host, proxy).await;
        host
    }

    async fn start_proxy(&self, host: &mut Host, mut command: Command) {
        let name = host.name.clone();
        command
            .arg("--token-file")
            .arg(self.token_file(&name).await);
        let proxy = Program::start(&format!("proxy of {name}"), command);
        proxy.says("listening").await;
        host.proxy = Some(proxy);
        eventually(&format!("{name} to join"), async || {
            let members = self.look::<serde_json::Value>(&["stat", &name]).await?;
            let members = members["workloads"][0]["instances"].as_u64()?;
            (members > 0).then_some(())
        })
        .await;
    }

    /// What proves who a workload is, where the proxy's user can read it.
    async fn token_file(&self, workload: &str) -> PathBuf {
        let mut token = self.hub.command(clew().as_os_str());
        token.args(["token", workload, "--api", &format!("http://{HUB}:8084")]);
        token.env("XDG_STATE_HOME", self.files.path());
        let output = finish(token).await;
        assert!(output.status.success(), "{output:?}");
        let file = self.files.path().join(format!("{workload}.token"));
        std::fs::write(&file, &output.stdout).unwrap();
        file
    }

    /// The proxy, where its user can run it.
    pub(crate) fn proxy(&self) -> PathBuf {
        self.files.path().join("clew-proxy")
    }

    /// A command as the proxy's user.
    pub(crate) fn as_proxy_user(&self, host: &Host) -> Command {
        let user = [
            "--reuid",
            PROXY_USER,
            "--regid",
            PROXY_USER,
            "--clear-groups",
            "--",
        ];
        let mut command = host.command(OsStr::new("setpriv"));
        command.args(user).arg(self.proxy());
        command
    }

    fn run_proxy(&self, host: &Host) -> Command {
        let address = host.address;
        let mut command = self.as_proxy_user(host);
        command.args(["run", "--workload", &host.name]);
        command.args(["--control", &format!("http://{HUB}:8086")]);
        command.args(["--otlp", &format!("http://{HUB}:4317")]);
        command.args([
            "--admin",
            &format!("{address}:4191"),
            "--tap",
            &format!("{address}:4190"),
        ]);
        command
    }

    /// Runs a `clew` command that reads. `None` when it found nothing.
    pub(crate) async fn look<T: DeserializeOwned>(&self, words: &[&str]) -> Option<T> {
        let mut look = self.hub.command(clew().as_os_str());
        look.args(words)
            .args(["-o", "json", "--api", &format!("http://{HUB}:8084")]);
        let output = finish(look).await;
        match output.status.code() {
            Some(0) => Some(serde_json::from_str(stdout(&output)).unwrap()),
            Some(2) => None,
            code => panic!("clew {words:?} ended with {code:?}: {}", stderr(&output)),
        }
    }

    /// Reads all proxies now.
    pub(crate) async fn scrape(&self) {
        let mut scrape = self.hub.command(OsStr::new("curl"));
        let url = format!("http://{HUB}:8084/api/v1/scrape");
        scrape.args([
            "--silent",
            "--show-error",
            "--fail",
            "--request",
            "POST",
            &url,
        ]);
        let output = finish(scrape).await;
        assert!(output.status.success(), "{output:?}");
        let report: serde_json::Value = serde_json::from_str(stdout(&output)).unwrap();
        assert_eq!(report["failed"], serde_json::json!([]), "{report}");
    }
}

/// A host in the network.
#[derive(Debug)]
pub(crate) struct Host {
    /// Its name, and its workload's.
    pub(crate) name: String,
    /// Its address.
    pub(crate) address: Ipv4Addr,
    // Dropped before the namespace that it runs in.
    proxy: Option<Program>,
    namespace: Namespace,
}

impl Host {
    /// A command in this place.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.namespace.command(program.as_ref())
    }

    /// Starts a server on a port of this host, and waits until it listens.
    pub(crate) async fn serve(
        &self,
        port: u16,
        words: &[OsString],
        variables: &[(&str, &str)],
    ) -> Program {
        let mut server = self.command(&words[0]);
        server.args(&words[1..]);
        server.env("HOST", "0.0.0.0").env("PORT", port.to_string());
        server.envs(variables.iter().copied());
        let server = Program::start(&self.name, server);
        server.says("Running on").await;
        server
    }

    /// Runs a command here, successfully, and gives what it wrote.
    pub(crate) async fn output<W: AsRef<OsStr>>(
        &self,
        words: &[W],
        variables: &[(&str, &str)],
    ) -> String {
        let mut command = self.command(&words[0]);
        command.args(&words[1..]).envs(variables.iter().copied());
        let what = format!("{:?}", command.as_std());
        let output = finish(command).await;
        assert!(output.status.success(), "{what}: {output:?}");
        stdout(&output).trim_end().to_owned()
    }
}

impl Namespace {
    async fn create(purpose: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}-{}-{number}-{purpose}", std::process::id());
        let namespace = Self { name };
        ip(&["netns", "add", &namespace.name]).await;
        namespace.ip(&["link", "set", "lo", "up"]).await;
        namespace
    }

    /// `ip` inside of it.
    async fn ip(&self, words: &[&str]) {
        ip(&[&["-n", &self.name], words].concat()).await;
    }

    fn command(&self, program: &OsStr) -> Command {
        let mut command = command("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let mut delete = std::process::Command::new("ip");
        delete.args(["netns", "delete", &self.name]);
        if !delete.status().is_ok_and(|status| status.success()) {
            eprintln!("the namespace {} is left over", self.name);
        }
    }
}

fn roles(hub: &Namespace, state: &Path) -> Command {
    let mut roles = hub.command(clew().as_os_str());
    roles.args(["roles", "--api", &format!("http://{HUB}:8084")]);
    roles.args(["--control", &format!("{HUB}:8086")]);
    roles.args(["--otlp-grpc", &format!("{HUB}:4317")]);
    roles.args(["--otlp-http", &format!("{HUB}:4318")]);
    roles.env("XDG_STATE_HOME", state);
    roles
}

async fn ip(words: &[&str]) {
    let mut ip = command("ip");
    ip.args(words);
    let output = finish(ip).await;
    assert!(output.status.success(), "ip {words:?}: {}", stderr(&output));
}

/// Deletes what tests have left that were killed before they could.
async fn sweep() {
    let mut list = command("ip");
    list.args(["netns", "list"]);
    let output = finish(list).await;
    for line in stdout(&output).lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        let owner = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').nth(1));
        let is_left = owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists());
        if is_left {
            end_processes_in(name).await;
            let mut delete = command("ip");
            delete.args(["netns", "delete", name]);
            // Another test may have just done it.
            drop(finish(delete).await);
        }
    }
}

/// Ends what a test that was killed has left running in its namespace.
async fn end_processes_in(namespace: &str) {
    let mut list = command("ip");
    list.args(["netns", "pids", namespace]);
    let output = finish(list).await;
    for pid in stdout(&output).split_whitespace() {
        let mut kill = command("kill");
        kill.args(["-KILL", pid]);
        // It may have ended by itself.
        drop(finish(kill).await);
    }
}
