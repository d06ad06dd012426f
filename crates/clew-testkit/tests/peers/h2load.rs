//! h2load: what it counted is what the mesh counted.

use super::golden::{Counts, inbound, outbound, routes};
use clew_testkit::programs::{LocalMesh, Program, Shell, clew};

/// Requests of one run of h2load.
const REQUESTS: u64 = 2_000;

/// The service `authors` of the books application, which speaks HTTP/1 and HTTP/2, and a place to call it from.
pub(crate) async fn authors(mesh: &LocalMesh) -> (Program, Shell) {
    let words = [
        clew().into_os_string(),
        "books-app".into(),
        "authors".into(),
    ];
    let authors = mesh.run("authors", &["--port", "auto"], &words);
    mesh.joined(&authors).await;
    let shell = mesh.shell("shell", &["--to", "authors"]).await;
    // It does not say when it listens.
    let url = format!("{}/authors", shell.variable("CLEW_AUTHORS_URL"));
    let ask = [
        "curl",
        "--silent",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code}",
        &url,
    ];
    clew_testkit::programs::eventually("authors to listen", async || {
        (shell.output(&ask).await == "200").then_some(())
    })
    .await;
    (authors, shell)
}

/// Runs h2load and gives the number of requests that succeeded, of as many as it sent.
async fn load(shell: &Shell, flags: &[&str]) -> u64 {
    let url = format!("{}/authors/1", shell.variable("CLEW_AUTHORS_URL"));
    let requests = REQUESTS.to_string();
    let words = ["h2load", "--requests", &requests, "--clients", "4", &url];
    let shown = shell.output(&[&words, flags].concat()).await;
    // requests: 2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout
    let line = shown.lines().find(|line| line.starts_with("requests:"));
    let line = line.unwrap_or_else(|| panic!("no count in {shown}"));
    let count = line
        .split(", ")
        .find_map(|part| part.strip_suffix(" succeeded"));
    count
        .unwrap_or_else(|| panic!("{line}"))
        .trim()
        .parse()
        .unwrap()
}

async fn what_it_counted_is_what_the_mesh_counted(flags: &[&str]) {
    let mesh = LocalMesh::start().await;
    let (_authors, shell) = authors(&mesh).await;
    let before = mesh.stat().await;

    let succeeded = load(&shell, flags).await;

    assert_eq!(succeeded, REQUESTS);
    let after = mesh.stat().await;
    let increase = |count: &dyn Fn(&str) -> u64| count("after") - count("before");
    let stat = |when: &str| if when == "after" { &after } else { &before };
    let asked = increase(&|when| outbound(&stat(when)["shell"]).successes);
    let served = increase(&|when| inbound(&stat(when)["authors"]).successes);
    assert_eq!((asked, served), (REQUESTS, REQUESTS));
    let route = ("GET /authors/{id}".to_owned(), Counts::successes(REQUESTS));
    assert!(routes(&mesh, &["authors"]).await.contains(&route));
    assert!(
        routes(&mesh, &["shell", "--to", "authors"])
            .await
            .contains(&route)
    );
}

#[tokio::test]
async fn http_1_not_one_request_is_missing() {
    what_it_counted_is_what_the_mesh_counted(&["--h1"]).await;
}

#[tokio::test]
async fn http_2_not_one_request_is_missing() {
    what_it_counted_is_what_the_mesh_counted(&["--max-concurrent-streams", "10"]).await;
}
