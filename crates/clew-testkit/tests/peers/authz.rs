//! Who may call what, said and asked on the command line.

use clew_api::rest::access::AccessTable;
use clew_api::rest::authz::Authz;
use clew_testkit::programs::{LocalMesh, Shell, eventually, finish, peer, stderr, stdout};
use std::process::Output;

/// Runs a command that ends well.
async fn done(mesh: &LocalMesh, words: &[&str]) -> Output {
    let output = finish(mesh.clew(words)).await;
    assert_eq!(output.status.code(), Some(0), "{words:?}: {output:?}");
    output
}

/// The status that a request to books gets from this place.
async fn status(shell: &Shell, method: &str) -> String {
    let url = format!("{}/books/1", shell.variable("CLEW_BOOKS_URL"));
    let quiet = ["curl", "--silent", "--output", "/dev/null"];
    let asked = ["--write-out", "%{http_code}", "--request", method, &url];
    shell.output(&[&quiet[..], &asked].concat()).await
}

/// A change reaches the proxy a moment after it was answered.
async fn gets(shell: &Shell, method: &str, expected: &str) {
    eventually(&format!("{method} to get {expected}"), async || {
        (status(shell, method).await == expected).then_some(())
    })
    .await;
}

/// 1. Everyone may call books. 2. Only shell may: other is refused, and the mesh tells so. 3. Other may read, and do nothing
///    else. 4. All is as it was.
#[tokio::test]
async fn who_may_call_is_changed_while_all_runs_and_who_was_refused_is_told() {
    let mesh = LocalMesh::start().await;
    let _books = mesh.serve("books", &[], &peer("books.py", &[])).await;
    let shell = mesh.shell("shell", &["--to", "books"]).await;
    let other = mesh.shell("other", &["--to", "books"]).await;
    assert_eq!(status(&shell, "GET").await, "200");
    assert_eq!(status(&other, "GET").await, "200");
    // Every request has ended, and is counted.
    mesh.stat().await;
    let nobody = done(&mesh, &["authz", "books", "--refused"]).await;
    assert!(stderr(&nobody).contains("nobody was refused"), "{nobody:?}");

    let changed = done(&mesh, &["access", "books", "--allow", "shell"]).await;
    let words: Vec<&str> = stdout(&changed).split_whitespace().collect();
    assert_eq!(words, ["SERVICE", "MAY_CALL", "books", "shell"]);
    gets(&other, "GET", "403").await;
    assert_eq!(status(&shell, "GET").await, "200");
    mesh.stat().await;
    let authz: Authz = mesh.ask(&["authz", "books", "--refused"]).await;
    let [row] = authz.rows.as_slice() else {
        panic!("{authz:?}")
    };
    assert_eq!(row.client.name.as_deref(), Some("other"));
    let id = "spiffe://cluster.local/ns/default/sa/other";
    assert_eq!(row.client_id.as_deref(), Some(id));
    let asked = (row.tls.as_str(), row.route.as_str());
    assert_eq!(asked, ("mtls", "GET /books/{id}"));
    assert!(row.refused > 0, "{row:?}");
    let wide = done(&mesh, &["authz", "-o", "wide"]).await;
    let first = stdout(&wide).lines().nth(1).unwrap();
    assert!(
        first.contains("other.default") && first.ends_with("shell"),
        "{first}"
    );

    let reads = [
        "access",
        "books",
        "--allow",
        "other",
        "--match",
        "GET /books/*",
    ];
    let changed = done(&mesh, &reads).await;
    assert!(
        stdout(&changed).contains("other (GET /books/*)"),
        "{changed:?}"
    );
    gets(&other, "GET", "200").await;
    assert_eq!(status(&other, "PUT").await, "403");
    assert_eq!(status(&shell, "GET").await, "403");

    let back: AccessTable = mesh.ask(&["access", "books", "--reset"]).await;
    assert!(back.services.is_empty(), "{back:?}");
    gets(&shell, "GET", "200").await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_a_service_that_is_not_there_is_named() {
    let mesh = LocalMesh::start().await;
    for wrong in [
        &["access", "books", "--allow", "a/b/c"][..],
        &["access", "books", "--allow", "anyone", "--network", "ten"],
        &["access", "books", "--allow", "anyone", "--match", "books"],
        &["access", "two words", "--deny"],
        &["access", "--deny"],
    ] {
        let output = finish(mesh.clew(wrong)).await;
        assert_eq!(output.status.code(), Some(64), "{wrong:?}: {output:?}");
    }
    let nobody = done(&mesh, &["access", "boks", "--deny"]).await;
    assert!(
        stderr(&nobody).contains("no member of the mesh serves boks"),
        "{nobody:?}"
    );
    let table: AccessTable = mesh.ask(&["access"]).await;
    assert_eq!(table.own("boks"), Some(&[][..]));
    let empty = finish(mesh.clew(&["authz"])).await;
    assert_eq!(empty.status.code(), Some(2), "{empty:?}");
}
