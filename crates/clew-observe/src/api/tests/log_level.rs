//! `log-level`, over fake admin servers.

use super::mesh::{TestMesh, member, problem, read};
use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::routing::get;
use clew_api::client::Instance;
use clew_api::rest::log_level::{LogLevels, ProcessLog};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// An admin server that keeps what it is told, and its address.
async fn begin_admin(level: &str) -> SocketAddr {
    let level = Arc::new(Mutex::new(level.to_owned()));
    let router = Router::new()
        .route("/log-level", get(shown).put(changed))
        .with_state(level);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn shown(State(level): State<Arc<Mutex<String>>>) -> String {
    format!("{}\n", level.lock().unwrap())
}

async fn changed(
    State(level): State<Arc<Mutex<String>>>,
    body: String,
) -> Result<String, (StatusCode, &'static str)> {
    if body == "trace" {
        return Err((StatusCode::FORBIDDEN, "only from this machine\n"));
    }
    *level.lock().unwrap() = body;
    Ok(shown(State(level)).await)
}

fn in_process(id: &str, workload: &str, pid: u32, admin: Option<SocketAddr>) -> Instance {
    Instance {
        pid,
        admin_address: admin,
        ..member(id, workload, None)
    }
}

fn process(pid: u32, members: &[&str], level: Option<&str>, error: Option<&str>) -> ProcessLog {
    ProcessLog {
        pid,
        members: members.iter().map(ToString::to_string).collect(),
        level: level.map(str::to_owned),
        error: error.map(str::to_owned),
    }
}

async fn put(mesh: &TestMesh, query: &str, level: &str) -> Vec<ProcessLog> {
    let body = format!(r#"{{"level": "{level}"}}"#);
    let response = mesh
        .ask(Method::PUT, &format!("/log-level{query}"), &body)
        .await;
    assert_eq!(response.status(), 200, "{query} {level}");
    read::<LogLevels>(response).await.processes
}

const NOBODY: &str = "whoever runs observe lets nobody change its log";

/// Two members of one process have one log; the roles are in this process, which has none here.
#[tokio::test]
async fn every_process_is_there_once_and_what_is_named_is_changed() {
    let (both, alone) = (begin_admin("warn").await, begin_admin("info").await);
    let own = std::process::id();
    // A process with this id: ids are told apart by machine, and these are all on this one.
    let (first, second) = (own.wrapping_add(1), own.wrapping_add(2));
    let mesh = TestMesh::of(vec![
        in_process("webapp-1", "webapp", first, Some(both)),
        in_process("books-1", "books", first, Some(both)),
        in_process("books-2", "books", second, Some(alone)),
        in_process("gateway-1", "gateway", own, None),
    ])
    .await;
    let roles = process(
        own,
        &["gateway-1", "control", "observe"],
        None,
        Some(NOBODY),
    );
    let levels: LogLevels = mesh.get("/log-level").await;
    assert_eq!(
        levels.processes,
        [
            process(first, &["books-1", "webapp-1"], Some("warn"), None),
            process(second, &["books-2"], Some("info"), None),
            roles.clone(),
        ]
    );

    let changed = put(&mesh, "?name=books-2", "warn,clew_proxy=debug").await;
    let second_changed = process(second, &["books-2"], Some("warn,clew_proxy=debug"), None);
    assert_eq!(changed, std::slice::from_ref(&second_changed));
    let changed = put(&mesh, "?name=webapp", "error").await;
    let first_changed = process(first, &["books-1", "webapp-1"], Some("error"), None);
    assert_eq!(changed, std::slice::from_ref(&first_changed));
    let levels: LogLevels = mesh.get("/log-level?name=books").await;
    assert_eq!(levels.processes, [first_changed, second_changed]);
    let levels: LogLevels = mesh.get("/log-level?name=control").await;
    assert_eq!(levels.processes, [roles]);
}

#[tokio::test]
async fn what_cannot_be_changed_says_why_and_the_others_are_changed() {
    let admin = begin_admin("warn").await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = nobody.local_addr().unwrap();
    drop(nobody);
    let mesh = TestMesh::of(vec![
        in_process("a-1", "a", 1, Some(admin)),
        in_process("b-1", "b", 2, Some(gone)),
        in_process("c-1", "c", 3, None),
    ])
    .await;
    let error = |processes: &[ProcessLog], at: usize| processes[at].error.clone().unwrap();

    let changed = put(&mesh, "", "debug").await;
    assert_eq!(changed[0].level.as_deref(), Some("debug"));
    assert!(
        error(&changed, 1).contains("was not reached"),
        "{changed:?}"
    );
    assert_eq!(error(&changed, 2), "it has no admin server");

    let refused = put(&mesh, "?name=a", "trace").await;
    assert_eq!(error(&refused, 0), "403 Forbidden: only from this machine");
}

#[tokio::test]
async fn what_is_no_level_or_no_name_is_refused_before_anyone_is_asked() {
    let admin = begin_admin("warn").await;
    let mesh = TestMesh::of(vec![in_process("a-1", "a", 1, Some(admin))]).await;
    for (body, expected) in [
        (
            r#"{"level": "loud"}"#,
            "a level such as info, or levels by module",
        ),
        (r#"{"level": ""}"#, "a level such as info"),
        (r#"{"levels": "info"}"#, "levels"),
        ("", "EOF"),
    ] {
        let refused = problem(mesh.ask(Method::PUT, "/log-level", body).await).await;
        assert_eq!(refused.status, 400, "{body}");
        assert!(refused.detail.contains(expected), "{}", refused.detail);
    }
    let unknown = mesh.refused("/log-level?name=nobody").await;
    assert_eq!(
        (unknown.status, unknown.known),
        (
            404,
            vec!["a".to_owned(), "control".to_owned(), "observe".to_owned()]
        )
    );
    let levels: LogLevels = mesh.get("/log-level?name=a").await;
    assert_eq!(levels.processes[0].level.as_deref(), Some("warn"));
}
