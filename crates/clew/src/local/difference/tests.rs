#![allow(clippy::unwrap_used)]

use super::Difference;
use crate::local::mesh_file::parse;
use crate::local::plan::MeshPlan;

const RUNNING: &str = "
mesh: a
services:
  books: { port: 7002, run: books, protocol: http1 }
  web: { run: web, to: [books] }
  old: { run: old }
";

fn plan(text: &str) -> MeshPlan {
    parse("mesh.yaml", text).unwrap()
}

#[test]
fn a_plan_does_not_differ_from_itself() {
    let difference = Difference::between(&plan(RUNNING), &plan(RUNNING));
    assert!(difference.now.is_empty() && difference.later.is_empty());
    assert!(difference.telemetry.is_empty());
    assert_eq!(difference.plan.services.len(), 3);
}

/// Control tells proxies of it: nothing has to be started anew for it.
#[test]
fn who_may_call_changes_while_all_runs() {
    let wanted = "
mesh: a
namespace: b
access: { default: meshed }
services:
  books: { port: 7002, run: books, protocol: http1, access: { allow: [ { from: web } ] } }
  web: { run: web --new, to: [books], access: { default: deny } }
  new: { access: { default: deny } }
";
    let difference = Difference::between(&plan(RUNNING), &plan(wanted));
    assert_eq!(
        difference.now,
        [
            "~ access.default: allow -> meshed",
            "~ service books: access",
            "~ service web: run, access",
            "+ service new",
            "- service old",
        ]
    );
    let changed = difference
        .changed
        .iter()
        .map(|service| service.name.as_str());
    assert_eq!(changed.collect::<Vec<_>>(), ["web"]);
    // Workloads have the namespace in which they were started.
    let table = difference.plan.access_table();
    let in_a = plan(&wanted.replace("namespace: b", "namespace: default"));
    assert_eq!(table, in_a.access_table());
    let again = Difference::between(&difference.plan, &plan(wanted));
    assert!(again.now.is_empty() && again.changed.is_empty());
    assert_eq!(again.later, ["namespace"]);
}

#[test]
fn what_can_change_while_all_runs_is_told_apart_from_what_cannot() {
    let wanted = "
mesh: b
api: 127.0.0.1:9
telemetry: { sampling: { ratio: 0.5, max_per_second: 7 }, write: [b3], show_headers: [a, b], audit: false }
retention: { age: 1h }
gateway: { routes: [ { to: web } ] }
services:
  new: { port: 7003, routes: [ { name: all, match: /* } ] }
  books: { port: 7002, run: books, protocol: grpc, routes: [ { name: all, match: /* } ] }
  web: { run: web --new, env: { A: b }, restart: never, dir: there, to: [] }
";
    let difference = Difference::between(&plan(RUNNING), &plan(wanted));
    assert_eq!(
        difference.now,
        [
            "~ telemetry.sampling.ratio: 1 -> 0.5",
            "~ telemetry.sampling.max_per_second: no limit -> 7",
            "~ telemetry.write: [] -> [b3]",
            "~ telemetry.show_headers: [] -> [a, b]",
            "~ telemetry.audit: true -> false",
            "+ service new",
            "~ service web: run, dir, env, restart, to",
            "- service old",
        ]
    );
    assert_eq!(
        difference.later,
        [
            "mesh",
            "api",
            "retention",
            "gateway",
            "services.new.routes",
            "services.books.protocol",
            "services.books.routes",
        ]
    );
    // What is left for the next start is named again the next time, and nothing else is.
    let again = Difference::between(&difference.plan, &plan(wanted));
    assert_eq!(again.later, difference.later);
    assert!(again.now.is_empty() && again.telemetry.is_empty());
}
