//! Prometheus reads the proxies: classic histograms, native ones, and exemplars, asserted by its own query API.

use clew_testkit::programs::{
    LocalMesh, Program, Shell, command, eventually, finish, peer, prometheus, stdout,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use tempfile::TempDir;

/// Requests that the mesh has served before anything is asked.
const REQUESTS: u32 = 20;

struct Scene {
    mesh: LocalMesh,
    prometheus: Prometheus,
    _books: Program,
    _shell: Shell,
}

impl Scene {
    /// books <- shell, asked [`REQUESTS`] times, and a Prometheus with these features.
    async fn set(features: &str) -> Self {
        let mesh = LocalMesh::start().await;
        let books = mesh.serve("books", &[], &peer("books.py", &[])).await;
        let shell = mesh.shell("shell", &["--to", "books"]).await;
        let listener = shell.variable("CLEW_BOOKS_URL");
        let url = format!("{listener}/books/[1-{REQUESTS}]");
        let curl = ["curl", "--silent", "--fail", "--output", "/dev/null", &url];
        shell.output(&curl).await;
        // All have ended.
        mesh.stat().await;
        let prometheus = Prometheus::start(&mesh, features).await;
        let scene = Self {
            mesh,
            prometheus,
            _books: books,
            _shell: shell,
        };
        for side in ["inbound", "outbound"] {
            scene.is_read(side).await;
        }
        scene
    }

    /// Waits until Prometheus has read a side. It takes five seconds to look for the first time: it knows its targets
    /// no sooner.
    async fn is_read(&self, side: &str) {
        let query = format!("sum(response_total{{direction=\"{side}\"}})");
        self.eventually(&query, f64::from(REQUESTS)).await;
    }

    async fn eventually(&self, query: &str, expected: f64) {
        eventually(&format!("{query} to be {expected}"), async || {
            let found = self.prometheus.number(query).await;
            (found == Some(expected)).then_some(())
        })
        .await;
    }
}

/// A server of its own, whose data end with it.
struct Prometheus {
    _program: Program,
    _folder: TempDir,
    address: SocketAddr,
}

impl Prometheus {
    /// Reads every member of a mesh once a second.
    async fn start(mesh: &LocalMesh, features: &str) -> Self {
        let members = mesh.members().await.into_iter();
        let targets: Vec<String> = members
            .filter_map(|member| member.admin_address)
            .map(|address| format!("'{address}'"))
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("prometheus.yaml");
        let settings = include_str!("../../../../tests/peers/prometheus.yaml")
            .replace("@TARGETS@", &targets.join(", "));
        std::fs::write(&file, settings).unwrap();
        let mut words = command(prometheus());
        words.current_dir(folder.path());
        words.arg("--config.file").arg(file);
        words.args(["--web.listen-address", "127.0.0.1:0"]);
        words.args(["--storage.tsdb.path", "data"]);
        words.args(["--enable-feature", features]);
        let program = Program::start("prometheus", words);
        // ... msg="Listening on" address=127.0.0.1:41805
        let line = program.says("\"Listening on\"").await;
        let address = line.split("address=").nth(1).unwrap();
        let address = address.split_whitespace().next().unwrap();
        let address = address.trim_matches('"').parse().unwrap();
        program
            .says("Server is ready to receive web requests")
            .await;
        Self {
            _program: program,
            _folder: folder,
            address,
        }
    }

    /// What its API answers.
    async fn ask(&self, what: &str, parameters: &[String]) -> Value {
        let mut curl = command("curl");
        curl.args(["--silent", "--show-error", "--get"]);
        for parameter in parameters {
            curl.args(["--data-urlencode", parameter]);
        }
        curl.arg(format!("http://{}/api/v1/{what}", self.address));
        let output = finish(curl).await;
        let answer: Value = serde_json::from_str(stdout(&output)).unwrap();
        assert_eq!(answer["status"], "success", "{parameters:?}: {answer}");
        answer["data"].clone()
    }

    /// The series that a query finds.
    async fn series(&self, query: &str) -> Vec<Value> {
        let data = self.ask("query", &[format!("query={query}")]).await;
        data["result"].as_array().unwrap().clone()
    }

    /// The value of the only series of a query.
    async fn number(&self, query: &str) -> Option<f64> {
        let series = self.series(query).await;
        let value = series.first()?["value"][1].as_str()?;
        value.parse().ok()
    }

    /// Traces that the exemplars of a query name.
    async fn traces_of_exemplars(&self, query: &str) -> BTreeSet<String> {
        let parameters = [
            format!("query={query}"),
            "start=0".to_owned(),
            "end=4102444800".to_owned(),
        ];
        let data = self.ask("query_exemplars", &parameters).await;
        let series = data.as_array().unwrap().iter();
        let exemplars = series.flat_map(|series| series["exemplars"].as_array().unwrap());
        exemplars
            .map(|exemplar| exemplar["labels"]["trace_id"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// `family` is the name under which Prometheus has them.
async fn assert_exemplars_name_stored_traces(scene: &Scene, family: &str) {
    let query = format!("{family}{OUTBOUND} or {family}{INBOUND}");
    let named = scene.prometheus.traces_of_exemplars(&query).await;
    assert!(!named.is_empty(), "{query}");
    for id in named {
        let trace = scene.mesh.trace(&id, 2).await;
        assert_eq!(trace.chain(), ["shell client", "books server"]);
    }
}

const OUTBOUND: &str = "{direction=\"outbound\", dst_service=\"books\"}";
const INBOUND: &str = "{direction=\"inbound\", client_workload=\"shell\"}";

#[tokio::test]
async fn classic_histograms_answer_quantiles_and_their_exemplars_name_stored_traces() {
    let scene = Scene::set("exemplar-storage").await;
    for labels in [OUTBOUND, INBOUND] {
        let count = format!("sum(response_latency_ms_count{labels})");
        scene.eventually(&count, f64::from(REQUESTS)).await;
        let all = format!("sum(response_latency_ms_bucket{labels})by(le)");
        let median = format!("histogram_quantile(0.5, {all})");
        let median = scene.prometheus.number(&median).await.unwrap();
        let most = format!("histogram_quantile(1, {all})");
        let most = scene.prometheus.number(&most).await.unwrap();
        assert!(0.0 < median && median <= most, "{median} {most}");
    }
    assert_exemplars_name_stored_traces(&scene, "response_latency_ms_bucket").await;
}

#[tokio::test]
async fn native_histograms_answer_quantiles_and_their_exemplars_name_stored_traces() {
    let scene = Scene::set("native-histograms,exemplar-storage").await;
    for labels in [OUTBOUND, INBOUND] {
        let all = format!("sum(response_latency_ms{labels})");
        let count = format!("histogram_count({all})");
        scene.eventually(&count, f64::from(REQUESTS)).await;
        let sum = format!("histogram_sum({all})");
        let sum = scene.prometheus.number(&sum).await.unwrap();
        let median = format!("histogram_quantile(0.5, {all})");
        let median = scene.prometheus.number(&median).await.unwrap();
        let most = format!("histogram_quantile(1, {all})");
        let most = scene.prometheus.number(&most).await.unwrap();
        assert!(0.0 < median && median <= most, "{median} {most}");
        // No bucket of schema 3 is wider than a tenth of where it is.
        assert!(most <= sum * 1.1, "{most} {sum}");
    }
    assert_exemplars_name_stored_traces(&scene, "response_latency_ms").await;
}

/// Every label that docs/metrics.md promises and that holds here, and no other but Prometheus's own.
#[tokio::test]
async fn series_have_the_labels_that_are_documented() {
    let scene = Scene::set("exemplar-storage").await;
    let ours = [
        ("workload", "shell"),
        ("namespace", "default"),
        ("direction", "outbound"),
        ("dst_service", "books"),
        ("dst_workload", "books"),
        ("dst_namespace", "default"),
        ("server_id", "spiffe://cluster.local/ns/default/sa/books"),
        ("route", "GET /books/{id}"),
        ("tls", "mtls"),
    ];
    assert_labels(&scene, OUTBOUND, &ours).await;
    let theirs = [
        ("workload", "books"),
        ("namespace", "default"),
        ("direction", "inbound"),
        ("client_workload", "shell"),
        ("client_namespace", "default"),
        ("client_id", "spiffe://cluster.local/ns/default/sa/shell"),
        ("route", "GET /books/{id}"),
        ("tls", "mtls"),
    ];
    assert_labels(&scene, INBOUND, &theirs).await;
}

async fn assert_labels(scene: &Scene, labels: &str, expected: &[(&str, &str)]) {
    let response = [("classification", "success"), ("status_code", "200")];
    for (family, more) in [("request_total", &[][..]), ("response_total", &response)] {
        let series = scene.prometheus.series(&format!("{family}{labels}")).await;
        let [series] = &series[..] else {
            panic!("not one series of {family}: {series:#?}");
        };
        let mut found: BTreeMap<String, String> =
            serde_json::from_value(series["metric"].clone()).unwrap();
        for own in ["__name__", "instance", "job"] {
            assert!(found.remove(own).is_some(), "{own}");
        }
        let expected = expected.iter().chain(more);
        let expected: BTreeMap<String, String> = expected
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(found, expected, "{family}");
    }
}
