//! The books application, meshed (`clew up`): what its traffic generator counted is what `clew stat` says.

use super::golden::{Counts, edges, inbound, outbound, routes};
use clew_api::rest::golden::{Golden, Stat, WorkloadStat};
use clew_testkit::programs::{LocalMesh, Program, clew, command, eventually, finish, stdout};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use tempfile::TempDir;

/// What the demo is made of, as anyone may write it.
const APPLICATION: &str = include_str!("../../../../examples/books.yaml");
const SERVICES: [&str; 4] = ["webapp", "books", "authors", "ratings"];

/// The application, up and listening.
struct Application {
    mesh: LocalMesh,
    _dir: TempDir,
}

impl Application {
    async fn up(ratio: f64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("books.yaml");
        let ports = APPLICATION.replace("127.0.0.1:8080", "127.0.0.1:0");
        let telemetry = format!("telemetry: {{ sampling: {{ ratio: {ratio} }} }}\n");
        std::fs::write(&file, ports + &telemetry).unwrap();
        Self {
            mesh: LocalMesh::up(&file).await,
            _dir: dir,
        }
    }

    fn traffic(&self, flags: &[&str]) -> tokio::process::Command {
        let mut traffic = command(clew());
        let url = format!("http://{}", self.mesh.gateway_address());
        traffic.args(["books-app", "traffic", "--json", "--url", &url]);
        traffic.args(flags);
        traffic
    }

    /// Sends requests, and gives what the generator counted.
    async fn send(&self, requests: u64, flags: &[&str]) -> Counted {
        let requests = requests.to_string();
        let all = [&["--requests", &requests, "--closed", "6"], flags].concat();
        let output = finish(self.traffic(&all)).await;
        assert!(output.status.success(), "{output:?}");
        Counted::of(stdout(&output).lines())
    }
}

/// What the generator counted, by itself.
#[derive(Debug)]
struct Counted {
    total: Value,
    /// Requests sent by route, as the mesh names them.
    routes: BTreeMap<String, u64>,
}

impl Counted {
    fn of<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let summary = lines.find_map(|mut line| line.get_mut("summary").map(Value::take));
        let summary = summary.expect("a summary");
        let mut routes = BTreeMap::new();
        for route in summary["routes"].as_array().unwrap() {
            // `GET /events (given up)` is a request for `GET /events`.
            let name = route["route"].as_str().unwrap().split(" (").next().unwrap();
            *routes.entry(name.to_owned()).or_default() += route["sent"].as_u64().unwrap();
        }
        Self {
            total: summary["total"].clone(),
            routes,
        }
    }

    fn number(&self, name: &str) -> u64 {
        self.total[name].as_u64().unwrap()
    }

    /// Answers by status.
    fn statuses(&self) -> BTreeMap<String, u64> {
        serde_json::from_value(self.total["status"].clone()).unwrap()
    }

    /// What the mesh has to say of these requests.
    fn counts(&self) -> Counts {
        let failures =
            |(status, count): (&String, &u64)| (status.as_str() >= "500").then_some(*count);
        let failures: u64 = self.statuses().iter().filter_map(failures).sum();
        Counts {
            requests: self.number("sent"),
            successes: self.number("answered") - failures,
            failures,
            cancelled: self.number("gave_up"),
        }
    }
}

fn golden(stat: &WorkloadStat) -> &Golden {
    stat.inbound.as_ref().unwrap().golden.as_ref().unwrap()
}

/// Both sides of the gateway and webapp have counted what the generator has counted.
async fn assert_agrees(mesh: &LocalMesh, counted: &Counted) -> HashMap<String, WorkloadStat> {
    assert_eq!(
        counted.number("failed"),
        0,
        "every request has an answer: {counted:?}"
    );
    let stat = mesh.stat().await;
    let expected = counted.counts();
    assert_eq!(inbound(&stat["gateway"]), expected, "{counted:?}");
    assert_eq!(outbound(&stat["gateway"]), expected);
    assert_eq!(inbound(&stat["webapp"]), expected);
    let mut statuses = counted.statuses();
    if expected.cancelled > 0 {
        // A caller that gives up has seen the status: it reads the start of a stream.
        *statuses.entry("200".to_owned()).or_default() += expected.cancelled;
    }
    assert_eq!(golden(&stat["gateway"]).statuses, statuses);
    for words in [
        &["gateway"][..],
        &["webapp"],
        &["webapp", "--from", "gateway"],
    ] {
        let by_route = routes(mesh, words).await.into_iter();
        let by_route: BTreeMap<_, _> = by_route
            .map(|(name, counts)| (name, counts.requests))
            .collect();
        assert_eq!(by_route, counted.routes, "clew routes {words:?}");
    }
    stat
}

#[tokio::test]
async fn not_one_request_of_ordinary_traffic_is_missing_and_every_trace_is_whole() {
    let application = Application::up(1.0).await;
    let counted = application.send(300, &[]).await;
    assert_agrees(&application.mesh, &counted).await;

    // What a client counted, its server counted.
    let mesh = &application.mesh;
    for (client, server) in [
        ("webapp", "books"),
        ("webapp", "authors"),
        ("webapp", "ratings"),
        ("books", "authors"),
    ] {
        let asked = routes(mesh, &[client, "--to", server]).await;
        assert!(!asked.is_empty(), "{client} -> {server}");
        assert_eq!(
            asked,
            routes(mesh, &[server, "--from", client]).await,
            "{client} -> {server}"
        );
    }

    // One trace for each request, from the edge, and nothing missing in any.
    let sent = usize::try_from(counted.number("sent")).unwrap();
    let traces = eventually("all spans to be stored", async || {
        let traces = mesh.traces(&[]).await.traces;
        let mut whole = traces
            .iter()
            .filter(|trace| trace.roots == 1 && trace.missing_parents == 0);
        (traces.len() == sent && whole.by_ref().count() == sent).then_some(traces)
    })
    .await;
    for trace in traces {
        assert!(
            trace.root.is_root && trace.root.service == "gateway",
            "{trace:?}"
        );
    }
}

#[tokio::test]
async fn requests_that_are_given_up_are_counted_once_and_as_such() {
    let application = Application::up(1.0).await;
    let counted = application.send(12, &["--only", "events-given-up"]).await;
    assert_eq!(counted.number("gave_up"), 12);
    let stat = assert_agrees(&application.mesh, &counted).await;
    // The application lets its own call go, so that books sees the same.
    assert_eq!(inbound(&stat["books"]).cancelled, 12);
    assert_eq!(golden(&stat["gateway"]).errors["client_cancelled"], 12);
}

#[tokio::test]
async fn failures_of_a_service_are_counted_where_they_happen_and_where_they_arrive() {
    let application = Application::up(1.0).await;
    let counted = application.send(100, &["--only", "edit"]).await;
    assert_eq!(counted.counts().failures, 2, "every 50th edit fails");
    let stat = assert_agrees(&application.mesh, &counted).await;
    assert_eq!(inbound(&stat["books"]).failures, 2);
    assert_eq!(inbound(&stat["authors"]).failures, 0);
}

/// 1. Traffic flows. 2. The process of authors is killed. 3. Its callers have heard that it is gone, and traffic
///    ends. 4. Whatever they answered meanwhile, the mesh has counted the same answers as the generator.
#[tokio::test]
async fn not_one_request_is_missing_when_a_service_dies_under_load() {
    let application = Application::up(1.0).await;
    let flags = [
        "--closed",
        "6",
        "--until-stdin-closes",
        "--progress",
        "--only",
        "author,book",
    ];
    let mut traffic = Program::start("traffic", application.traffic(&flags));
    traffic.says("progress").await;
    let authors = application.mesh.roles.child("books-app authors");
    clew_testkit::programs::kill(authors);
    eventually("webapp to hear that authors is gone", async || {
        application.mesh.scrape().await;
        let stat: Stat = application.mesh.ask(&["stat", "-t", "1h"]).await;
        let webapp = stat.workloads.iter().find(|w| w.workload == "webapp")?;
        let asked = webapp.outbound.as_ref()?.golden.as_ref()?;
        asked.errors.contains_key("no_endpoints").then_some(())
    })
    .await;
    traffic.hang_up();
    assert_eq!(traffic.exit_code().await, 0);

    let lines = traffic.written();
    let counted = Counted::of(lines.iter().map(String::as_str));
    assert!(counted.counts().failures > 0, "{counted:?}");
    assert_agrees(&application.mesh, &counted).await;
}

/// Metrics need no tracing: the same requests, with and without, leave the same numbers.
#[tokio::test]
async fn sampling_nothing_changes_no_number_and_leaves_no_trace() {
    let with = Application::up(1.0).await;
    let without = Application::up(0.0).await;
    let (sent, sent_without) = tokio::join!(with.send(150, &[]), without.send(150, &[]));
    assert_eq!(sent.routes, sent_without.routes, "the same requests");

    let (stat, stat_without) = (with.mesh.stat().await, without.mesh.stat().await);
    for service in SERVICES.iter().chain(&["gateway"]) {
        let (one, other) = (&stat[*service], &stat_without[*service]);
        assert_eq!(inbound(one), inbound(other), "{service}");
        assert_eq!(outbound(one), outbound(other), "{service}");
        let one = routes(&with.mesh, &[service]).await;
        assert_eq!(one, routes(&without.mesh, &[service]).await, "{service}");
    }
    assert_eq!(edges(&with.mesh).await, edges(&without.mesh).await);
    let traces = without.mesh.traces(&[]).await.traces;
    assert!(traces.is_empty(), "{traces:#?}");
}
