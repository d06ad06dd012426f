//! The propagation audit of real applications: what becomes of the headers of a trace in each, counted to the last
//! request, by the route that it is seen on.

use super::golden::{Counts, inbound};
use clew_api::rest::propagation::{Propagation, RoutePropagation};
use clew_testkit::programs::{LocalMesh, Program, command, eventually, finish, peer, stdout};
use clew_testkit::within;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// How often each habit is asked for.
const TIMES: u64 = 5;

/// Requests by evidence or verdict.
type Shown = BTreeMap<String, u64>;

fn counts(each: &[(&str, u64)]) -> Shown {
    let each = each.iter();
    each.map(|(name, requests)| ((*name).to_owned(), *requests))
        .collect()
}

/// What a workload's outbound routes have shown, by name, once every request has ended.
pub(crate) async fn audit(mesh: &LocalMesh, workload: &str) -> BTreeMap<String, RoutePropagation> {
    mesh.stat().await;
    let found: Propagation = mesh.ask(&["propagation", workload, "-t", "1h"]).await;
    assert_eq!(found.workloads.len(), 1, "{found:#?}");
    let routes = found.workloads.into_iter().flat_map(|found| found.routes);
    routes.map(|route| (route.route.clone(), route)).collect()
}

/// Every route of a workload, with its evidence and its verdicts, is as it must be.
async fn assert_audit(mesh: &LocalMesh, workload: &str, expected: &[Expected<'_>]) {
    let found = audit(mesh, workload).await;
    let shown = |part: fn(&RoutePropagation) -> &Shown| -> BTreeMap<String, Shown> {
        let routes = found.iter();
        routes
            .map(|(name, route)| (name.clone(), part(route).clone()))
            .collect()
    };
    let evidence = expected.iter().map(|route| {
        (
            format!("GET /{}/{{id}}", route.shelf),
            counts(route.evidence),
        )
    });
    assert_eq!(shown(|route| &route.evidence), evidence.collect());
    for route in expected {
        let name = format!("GET /{}/{{id}}", route.shelf);
        assert_eq!(found[&name].verdicts, counts(route.verdicts), "{name}");
    }
}

/// What a route has to show.
struct Expected<'a> {
    shelf: &'a str,
    evidence: &'a [(&'a str, u64)],
    verdicts: &'a [(&'a str, u64)],
}

/// All requests of a route are alike.
const fn all<'a>(
    shelf: &'a str,
    evidence: &'a [(&'a str, u64)],
    verdicts: &'a [(&'a str, u64)],
) -> Expected<'a> {
    Expected {
        shelf,
        evidence,
        verdicts,
    }
}

async fn fetch(edge: SocketAddr, path: &str) -> String {
    let mut curl = command("curl");
    curl.args(["--silent", "--show-error", "--fail"]);
    curl.arg(format!("http://{edge}{path}"));
    let output = finish(curl).await;
    assert!(output.status.success(), "{path}: {output:?}");
    stdout(&output).to_owned()
}

/// Asks for each habit, in turn, so that one is not all over before the next begins.
async fn visit(edge: SocketAddr, habits: &[&str]) {
    for item in 0..TIMES {
        for habit in habits {
            fetch(edge, &format!("/{habit}/{item}")).await;
        }
    }
}

/// Where an application takes what nobody asks for over HTTP.
async fn hand(shop: &Program) -> String {
    let line = shop.says("hand at ").await;
    line.split("hand at ").nth(1).unwrap().to_owned()
}

/// Has an application do something, and waits until it is done.
async fn do_by_hand(hand: &str, words: &str) {
    let doing = async {
        let mut hand = BufReader::new(TcpStream::connect(hand).await.unwrap());
        let line = format!("{words}\n");
        hand.write_all(line.as_bytes()).await.unwrap();
        let mut answer = String::new();
        hand.read_line(&mut answer).await.unwrap();
        answer
    };
    assert_eq!(within(words, doing).await, "done\n", "{words}");
}

/// shop -> books, and a gateway before shop.
struct Scene {
    mesh: LocalMesh,
    shop: Program,
    _others: [Program; 2],
    edge: SocketAddr,
}

impl Scene {
    async fn set() -> Self {
        let mesh = LocalMesh::start().await;
        let books = mesh.serve("books", &[], &peer("shelves.py", &[])).await;
        let words = peer("shop.py", &[]);
        let shop = mesh.serve("shop", &["--to", "books"], &words).await;
        let (gateway, edge) = mesh.gateway(&["/books=books", "/=shop"]).await;
        Self {
            mesh,
            shop,
            _others: [books, gateway],
            edge,
        }
    }
}

#[tokio::test]
async fn every_habit_of_an_application_shows() {
    let scene = Scene::set().await;
    visit(
        scene.edge,
        &[
            "copies",
            "w3c",
            "restarts",
            "truncates",
            "decides",
            "forgets",
            "sometimes",
        ],
    )
    .await;
    // That its traces began there is known when their spans have come.
    eventually("the traces that began in shop to be found", async || {
        let found = audit(&scene.mesh, "shop").await;
        let verdicts = &found["GET /restarts/{id}"].verdicts;
        verdicts.contains_key("restarted").then_some(())
    })
    .await;
    assert_audit(
        &scene.mesh,
        "shop",
        &[
            all("copies", &[("given", TIMES)], &[("forwarded", TIMES)]),
            all("w3c", &[("given", TIMES)], &[("forwarded", TIMES)]),
            all(
                "restarts",
                &[("other_busy", TIMES)],
                &[("restarted", TIMES)],
            ),
            all("truncates", &[("unusable", TIMES)], &[("mangled", TIMES)]),
            all(
                "decides",
                &[("decision", TIMES)],
                &[("unattributed", TIMES)],
            ),
            all("forgets", &[("absent_busy", TIMES)], &[("dropped", TIMES)]),
            all(
                "sometimes",
                &[("given", 3), ("absent_busy", 2)],
                &[("forwarded", 3), ("dropped", 2)],
            ),
        ],
    )
    .await;
}

/// What it was given and what it sent, of the last request of each habit that speaks against it.
#[tokio::test]
async fn an_example_shows_the_request_that_was_in_flight() {
    let scene = Scene::set().await;
    let habits = ["forgets", "truncates", "restarts", "copies"];
    visit(scene.edge, &habits).await;
    let found = audit(&scene.mesh, "shop").await;
    for (habit, evidence) in habits.iter().zip(["absent_busy", "unusable", "other_busy"]) {
        let route = format!("GET /{habit}/{{id}}");
        let example = found[&route].example.as_ref().unwrap();
        let given = example.given.as_ref().unwrap();
        // Its own route has the same name as the one that it calls.
        assert_eq!(
            (example.evidence.as_str(), &given.route),
            (evidence, &route)
        );
        assert_eq!(example.in_flight, 1);
        assert_eq!(given.headers, ["traceparent", "tracestate"]);
        assert!(given.at < example.sent.at, "{example:?}");
        let traces = scene.mesh.trace(&given.trace_id, 3).await;
        assert!(
            traces.chain().iter().any(|span| span == "shop server"),
            "{example:?}"
        );
    }
    assert_eq!(found["GET /copies/{id}"].example, None);
}

/// It gets W3C's headers and B3's, and hands on those of one family.
#[tokio::test]
async fn one_family_of_headers_is_enough() {
    let scene = Scene::set().await;
    let set = finish(scene.mesh.clew(&["settings", "--write", "b3"])).await;
    assert!(set.status.success(), "{set:?}");
    eventually("the gateway to write B3", async || {
        let answer = fetch(scene.edge, "/books/1").await;
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        answer["b3"].is_string().then_some(())
    })
    .await;

    visit(scene.edge, &["copies", "w3c", "b3"]).await;

    let given = [("given", TIMES)];
    let forwarded = [("forwarded", TIMES)];
    let routes = ["copies", "w3c", "b3"].map(|shelf| all(shelf, &given, &forwarded));
    assert_audit(&scene.mesh, "shop", &routes).await;
}

/// At first while nothing is in flight, then within a request that has nothing to do with it.
#[tokio::test]
async fn work_that_an_application_does_after_its_answer_is_deferred() {
    let scene = Scene::set().await;
    visit(scene.edge, &["leaves"]).await;
    // The sidecar has seen the end of every answer.
    scene.mesh.stat().await;
    do_by_hand(&hand(&scene.shop).await, "release").await;
    visit(scene.edge, &["leaves"]).await;
    scene.mesh.stat().await;

    fetch(scene.edge, "/releases/1").await;

    let leaves = all(
        "leaves",
        &[("ended", 2 * TIMES)],
        &[("deferred", 2 * TIMES)],
    );
    assert_audit(&scene.mesh, "shop", &[leaves]).await;
}

#[tokio::test]
async fn work_that_goes_on_when_its_caller_has_given_up_is_deferred() {
    let scene = Scene::set().await;
    let hand = hand(&scene.shop).await;
    let mut curl = command("curl");
    curl.arg(format!("http://{}/waits/1", scene.edge));
    let caller = Program::start("caller", curl);
    scene.shop.says("waits").await;
    drop(caller);
    // The sidecar has given up too.
    assert_eq!(inbound(&scene.mesh.stat().await["shop"]), Counts::CANCELLED);

    do_by_hand(&hand, "go_on").await;

    let waits = all("waits", &[("ended", 1)], &[("deferred", 1)]);
    assert_audit(&scene.mesh, "shop", &[waits]).await;
}

/// What a timer calls says nothing of the application, even where a request is in flight meanwhile; what is never called
/// out of the blue does.
#[tokio::test]
async fn a_timer_is_not_blamed() {
    let scene = Scene::set().await;
    let hand = hand(&scene.shop).await;
    do_by_hand(&hand, "tick pulse 3").await;
    do_by_hand(&hand, "tick watches 2").await;

    visit(scene.edge, &["watches", "forgets"]).await;

    assert_audit(
        &scene.mesh,
        "shop",
        &[
            all("pulse", &[("absent_idle", 3)], &[("background", 3)]),
            all(
                "watches",
                &[("absent_idle", 2), ("absent_busy", TIMES)],
                &[("background", 2), ("unattributed", TIMES)],
            ),
            all("forgets", &[("absent_busy", TIMES)], &[("dropped", TIMES)]),
        ],
    )
    .await;
}

/// The worker is given no request: it has the headers of those that shop was given.
#[tokio::test]
async fn a_queue_between_two_applications_brings_foreign_traces() {
    let mesh = LocalMesh::start().await;
    let _books = mesh.serve("books", &[], &peer("shelves.py", &[])).await;
    let words = peer("shop.py", &[]);
    let worker = mesh.serve("worker", &["--to", "books"], &words).await;
    let queue = hand(&worker).await;
    let variables = [("QUEUE", queue.as_str())];
    let _shop = mesh.serve_with("shop", &[], &words, &variables).await;
    let (_gateway, edge) = mesh.gateway(&["/=shop"]).await;

    visit(edge, &["queues"]).await;

    let taken = all("queue", &[("other_idle", TIMES)], &[("foreign", TIMES)]);
    assert_audit(&mesh, "worker", &[taken]).await;
}

#[tokio::test]
async fn a_library_of_opentelemetry_takes_part() {
    let mesh = LocalMesh::start().await;
    let _books = mesh.serve("books", &[], &peer("shelves.py", &[])).await;
    let words = peer("instrumented.py", &[]);
    let _shelf = mesh.serve("shelf", &["--to", "books"], &words).await;
    let (_gateway, edge) = mesh.gateway(&["/=shelf"]).await;

    visit(edge, &["shelves"]).await;

    let books = all("books", &[("inside", TIMES)], &[("participated", TIMES)]);
    assert_audit(&mesh, "shelf", &[books]).await;
}

/// Requests in flight at once, and of each caller, one after the other.
const CALLERS: u64 = 64;
const OF_EACH: u64 = 2;

/// An asynchronous application, with as many requests in flight as there are callers: books answers nobody before all
/// are there.
async fn crowd(habit: &[&str], evidence: &str, verdict: &str) {
    let mesh = LocalMesh::start().await;
    let size = CALLERS.to_string();
    let words = peer("crowd_server.py", &[]);
    let _books = mesh
        .serve_with("books", &[], &words, &[("CROWD", &size)])
        .await;
    let words = peer("crowd_app.py", &[&["aiohttp"], habit].concat());
    let _app = mesh.serve("app", &["--to", "books"], &words).await;
    let (_gateway, edge) = mesh.gateway(&["/=app"]).await;

    let url = format!("http://{edge}");
    let words = peer("crowd_client.py", &[&url, &size, &OF_EACH.to_string()]);
    let mut client = command(&words[0]);
    client.args(&words[1..]);
    assert_eq!(Program::start("client", client).exit_code().await, 0);

    let all_of_them = CALLERS * OF_EACH;
    let evidence = [(evidence, all_of_them)];
    let verdict = [(verdict, all_of_them)];
    assert_audit(&mesh, "app", &[all("books", &evidence, &verdict)]).await;
}

#[tokio::test]
async fn sixty_four_requests_in_flight_each_show_the_context_they_were_given() {
    crowd(&[], "given", "forwarded").await;
}

#[tokio::test]
async fn sixty_four_requests_in_flight_that_forget_are_all_seen() {
    crowd(&["forget"], "absent_busy", "dropped").await;
}

/// A limit of what can be known: the headers are those of a request in flight, if not of the one that the call is for.
#[tokio::test]
async fn sixty_four_requests_in_flight_that_mix_up_their_context_look_as_if_they_copied() {
    crowd(&["mix"], "given", "forwarded").await;
}

/// Requests of one run of h2load, and runs.
const BURST: u64 = 1_000;
const BURSTS: u64 = 5;

async fn bursts(habit: &[&str], evidence: &str, verdict: &str) {
    let mesh = LocalMesh::start().await;
    let _books = mesh
        .serve("books", &[], &peer("crowd_server.py", &[]))
        .await;
    let words = peer("crowd_app.py", &[&["aiohttp"], habit].concat());
    let _app = mesh.serve("app", &["--to", "books"], &words).await;
    let (_gateway, edge) = mesh.gateway(&["/=app"]).await;

    for _ in 0..BURSTS {
        let mut burst = command("h2load");
        burst.args(["--h1", "--clients", "100", "--requests"]);
        burst.args([BURST.to_string(), format!("http://{edge}/pages/7")]);
        let output = finish(burst).await;
        let succeeded = format!(" {BURST} succeeded, 0 failed,");
        assert!(stdout(&output).contains(&succeeded), "{output:?}");
    }

    let all_of_them = BURST * BURSTS;
    let evidence = [(evidence, all_of_them)];
    let verdict = [(verdict, all_of_them)];
    assert_audit(&mesh, "app", &[all("books", &evidence, &verdict)]).await;
}

#[tokio::test]
async fn not_one_request_of_a_burst_is_taken_for_something_else() {
    bursts(&[], "given", "forwarded").await;
}

#[tokio::test]
async fn not_one_forgetful_request_of_a_burst_is_overlooked() {
    bursts(&["forget"], "absent_busy", "dropped").await;
}
