//! `clew demo`: begins, ends by itself, and leaves behind what it counted.

use super::golden::{Counts, inbound};
use clew_api::rest::golden::Stat;
use clew_testkit::programs::{LocalMesh, Program, Whereabouts, clew, command, eventually, finish};
use rustix::process::Signal;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A demo that has ended, and the file that its numbers and spans are kept in.
struct Over {
    written: Vec<String>,
    store: PathBuf,
    _state: TempDir,
}

/// Runs a short demo to its end.
async fn demo(flags: &[&str]) -> Over {
    let state = tempfile::tempdir().unwrap();
    let store = state.path().join("demo.db");
    let mut demo = command(clew());
    demo.args([
        "demo",
        "--api",
        "http://127.0.0.1:0",
        "--for",
        "3s",
        "--store",
    ]);
    demo.arg(&store).args(flags);
    demo.env("XDG_STATE_HOME", state.path());
    let mut demo = Program::start("demo", demo);
    assert_eq!(demo.exit_code().await, 0);
    Over {
        written: demo.written(),
        store,
        _state: state,
    }
}

/// The roles, with what a demo has left.
async fn look_at(store: &Path) -> LocalMesh {
    LocalMesh::start_with(&["--store", store.to_str().unwrap()]).await
}

/// What the generator counted, from the last line of its table: sent, OK, 5xx, failed, given up.
fn counted(written: &[String]) -> Counts {
    let line = written.iter().rfind(|line| line.starts_with("all "));
    let line = line.unwrap_or_else(|| panic!("no count in {written:#?}"));
    let number = |column: usize| -> u64 {
        let column = line.split_whitespace().nth(column).unwrap();
        column.parse().unwrap()
    };
    assert_eq!(number(4), 0, "every request has an answer: {line}");
    Counts {
        requests: number(1),
        successes: number(2),
        failures: number(3),
        cancelled: number(5),
    }
}

/// What a workload served.
fn served(stat: &Stat, workload: &str) -> Counts {
    let mut workloads = stat.workloads.iter();
    inbound(workloads.find(|stat| stat.workload == workload).unwrap())
}

/// The address that the demo names first.
fn first_named(written: &[String]) -> &str {
    let mut lines = written.iter().map(|line| line.trim());
    lines.find(|line| line.contains("http://")).unwrap()
}

#[tokio::test]
async fn the_demo_ends_by_itself_and_its_last_numbers_are_the_generators() {
    let over = demo(&["--rps", "60"]).await;
    let counted = counted(&over.written);
    assert!(counted.requests > 0);
    let first = first_named(&over.written);
    assert!(first.starts_with("dashboard  http://127.0.0.1:"), "{first}");

    let mesh = look_at(&over.store).await;
    let stat: Stat = mesh.ask(&["stat", "-t", "1h"]).await;
    for name in ["gateway", "webapp"] {
        assert_eq!(served(&stat, name), counted, "{name}");
    }
    let traces = mesh.traces(&[]).await.traces;
    assert_eq!(u64::try_from(traces.len()).unwrap(), counted.requests);
    for trace in &traces {
        assert_eq!((trace.roots, trace.missing_parents), (1, 0), "{trace:?}");
        assert_eq!(trace.root.service, "gateway");
    }
}

#[tokio::test]
async fn without_a_single_trace_the_demos_numbers_are_the_generators_too() {
    let over = demo(&["--rps", "30", "--sample", "0"]).await;
    let mesh = look_at(&over.store).await;
    let stat: Stat = mesh.ask(&["stat", "-t", "1h"]).await;
    for name in ["gateway", "webapp"] {
        assert_eq!(served(&stat, name), counted(&over.written), "{name}");
    }
    let traces = mesh.traces(&[]).await.traces;
    assert!(traces.is_empty(), "{traces:#?}");
}

/// Every request that books makes begins a trace of its own, and nothing else does.
#[tokio::test]
async fn a_service_that_drops_the_context_splits_traces_exactly_there() {
    let over = demo(&["--rps", "20", "--drop-context", "books"]).await;
    let mesh = look_at(&over.store).await;
    let found = mesh.traces(&[]).await;
    assert!(
        !found.truncated,
        "there are more traces than can be looked at"
    );

    let mut roots = HashSet::new();
    for summary in &found.traces {
        let spans = usize::try_from(summary.spans).unwrap();
        let trace = mesh.trace(&summary.trace_id, spans).await;
        match summary.root.service.as_str() {
            "books" => assert_eq!(trace.chain(), ["books client", "authors server"]),
            "gateway" => {
                let of_books = |span: &&clew_api::rest::span::Span| span.service == "books";
                let kinds: HashSet<_> = trace
                    .spans()
                    .iter()
                    .filter(of_books)
                    .map(|s| &s.kind)
                    .collect();
                assert!(!kinds.contains(&"client".to_owned()), "{trace:#?}");
            }
            other => panic!("a trace begins at {other}: {trace:#?}"),
        }
        roots.insert(summary.root.service.clone());
    }
    assert_eq!(roots.len(), 2, "{roots:?}");
}

/// Two signals of different kinds, because two of one kind may arrive as one.
#[tokio::test]
async fn a_demo_that_is_told_twice_to_end_waits_for_no_count() {
    let state = tempfile::tempdir().unwrap();
    let mut demo = command(clew());
    demo.args(["demo", "--api", "http://127.0.0.1:0"]);
    demo.args(["--ready-file", "/dev/stdout"]);
    demo.env("XDG_STATE_HOME", state.path());
    let mut demo = Program::start("demo", demo);
    let whereabouts = demo.says("{\"api\"").await;
    let whereabouts: Whereabouts = serde_json::from_str(&whereabouts).unwrap();
    eventually("traffic", async || {
        let mut edges = command(clew());
        edges.args(["edges", "--api", &whereabouts.api.to_string()]);
        let found = finish(edges).await;
        (found.status.code() == Some(0)).then_some(())
    })
    .await;

    demo.signal(Signal::INT);
    demo.signal(Signal::TERM);

    assert_eq!(demo.exit_code().await, 0);
    let written = demo.written();
    let is_count = |line: &String| line.contains("What the traffic generator counted");
    assert!(!written.iter().any(is_count), "{written:#?}");
}

#[tokio::test]
async fn a_service_that_cannot_drop_the_context_is_wrong_usage() {
    let mut demo = command(clew());
    demo.args([
        "demo",
        "--api",
        "http://127.0.0.1:0",
        "--drop-context",
        "authors",
    ]);
    let output = finish(demo).await;
    assert_eq!(output.status.code(), Some(64), "{output:?}");
}
