//! The programs of `examples/copy-headers`: each copies the headers of the trace, with no library, and docs/copy-headers.md
//! quotes it.

use super::propagation::audit;
use clew_testkit::programs::{LocalMesh, clew, command, eventually, finish, peer, python};
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;

/// Requests of each program, some of them at the same time.
const REQUESTS: u64 = 24;

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn examples() -> PathBuf {
    workspace().join("examples/copy-headers")
}

/// The program in a mesh, before books, under load: it has a score of 100, and all its requests show what it was given.
/// It has said `ready` once it listens.
async fn every_call_shows_the_context_given(words: &[OsString], ready: &str) {
    let mesh = LocalMesh::start().await;
    let _books = mesh.serve("books", &[], &peer("books.py", &[])).await;
    let flags = ["--port", "auto", "--to", "books"];
    let program = mesh.run("pages", &flags, words);
    program.says(ready).await;
    mesh.joined(&program).await;
    let (_gateway, edge) = mesh.gateway(&["/=pages"]).await;

    let output = ask(edge, &format!("/pages/[1-{REQUESTS}]")).await;
    assert!(output.status.success(), "{output:?}");

    let shown = audit(&mesh, "pages").await;
    let route = &shown["GET /books/{id}"];
    let count = |name: &str| BTreeMap::from([(name.to_owned(), REQUESTS)]);
    assert_eq!(route.evidence, count("given"), "{shown:#?}");
    assert_eq!(route.verdicts, count("forwarded"));
    assert_eq!(route.score, Some(1.0));
    assert_eq!(shown.len(), 1, "{shown:#?}");
}

/// Asks for paths in curl's notation, all at once.
async fn ask(edge: SocketAddr, paths: &str) -> Output {
    let mut curl = command("curl");
    curl.args(["--silent", "--show-error", "--fail", "--parallel"]);
    curl.arg(format!("http://{edge}{paths}"));
    finish(curl).await
}

/// A file of the examples, run by these words before it.
fn words(before: &[&str], file: &str) -> Vec<OsString> {
    let before = before.iter().map(OsString::from);
    before.chain([examples().join(file).into()]).collect()
}

/// The same where the port is an argument.
fn with_port(line: &str, file: &str) -> Vec<OsString> {
    let script = format!("exec {line} \"$0\"");
    words(&["sh", "-c", &script], file)
}

#[tokio::test]
async fn flask_and_requests() {
    let python = python();
    let words = words(&[python.to_str().unwrap()], "python/flask_requests.py");
    every_call_shows_the_context_given(&words, "Running on").await;
}

#[tokio::test]
async fn aiohttp_and_context_variables() {
    let python = python();
    let words = words(&[python.to_str().unwrap()], "python/aiohttp_contextvars.py");
    every_call_shows_the_context_given(&words, "Running on").await;
}

#[tokio::test]
async fn node_and_fetch() {
    every_call_shows_the_context_given(&words(&["node"], "node/server.js"), "Running on").await;
}

#[tokio::test]
async fn go_and_net_http() {
    let words = words(&["go", "run"], "go/main.go");
    every_call_shows_the_context_given(&words, "Running on").await;
}

#[tokio::test]
async fn java_and_its_http_client() {
    let words = words(&["java"], "java/Server.java");
    every_call_shows_the_context_given(&words, "Running on").await;
}

#[tokio::test]
async fn ruby_with_rack_and_net_http() {
    let line = "rackup --server webrick --host 127.0.0.1 --port \"$PORT\"";
    let words = with_port(line, "ruby/config.ru");
    every_call_shows_the_context_given(&words, "HTTPServer#start").await;
}

#[tokio::test]
async fn php_and_its_streams() {
    let words = with_port("php -S \"127.0.0.1:$PORT\"", "php/server.php");
    every_call_shows_the_context_given(&words, "Development Server").await;
}

/// The service books of the demo application asks authors for each book.
#[tokio::test]
async fn rust_and_axum() {
    let mesh = LocalMesh::start().await;
    let service = |name: &'static str| [clew().into(), OsString::from("books-app"), name.into()];
    let authors = mesh.run("authors", &["--port", "auto"], &service("authors"));
    mesh.joined(&authors).await;
    let flags = ["--port", "auto", "--to", "authors"];
    let books = mesh.run("books", &flags, &service("books"));
    mesh.joined(&books).await;
    let (_gateway, edge) = mesh.gateway(&["/=books"]).await;
    // It does not say when it listens.
    eventually("books to listen", async || {
        ask(edge, "/books/1").await.status.success().then_some(())
    })
    .await;
    let before = given(&mesh).await;

    let output = ask(edge, &format!("/books/[1-{REQUESTS}]")).await;

    assert!(output.status.success(), "{output:?}");
    assert_eq!(given(&mesh).await, before + REQUESTS);
}

/// Calls of books that show the context given. Others there are none.
async fn given(mesh: &LocalMesh) -> u64 {
    let shown = audit(mesh, "books").await;
    let mut sum = 0;
    for route in shown.values() {
        let names: Vec<_> = route.evidence.keys().collect();
        assert_eq!(names, ["given"], "{shown:#?}");
        sum += route.evidence["given"];
    }
    sum
}

fn read(path: &str) -> String {
    std::fs::read_to_string(workspace().join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The blocks of code of a document, each with the file that was linked to last before it.
fn quotations(document: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut file = String::new();
    let mut block: Option<String> = None;
    for line in document.lines() {
        if line.starts_with("```") {
            match block.take() {
                Some(code) => found.push((file.clone(), code)),
                None => block = Some(String::new()),
            }
        } else if let Some(code) = &mut block {
            code.push_str(line);
            code.push('\n');
        } else if let Some((_, link)) = line.rsplit_once("](../") {
            file = link.split(')').next().unwrap_or_default().to_owned();
        }
    }
    found
}

#[test]
fn the_guide_quotes_the_programs_word_for_word() {
    let quotations = quotations(&read("docs/copy-headers.md"));
    assert!(quotations.len() >= 8, "{quotations:#?}");
    for (file, code) in quotations {
        assert!(read(&file).contains(&code), "{file} does not have\n{code}");
    }
}

#[test]
fn every_program_copies_every_header() {
    let tracing = read("docs/tracing.md");
    let (_, list) = tracing
        .split_once("## What an application has to copy")
        .unwrap();
    let (_, list) = list.split_once("\n\n    ").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let names: Vec<_> = list.split_whitespace().collect();
    assert!(names.contains(&"traceparent"), "{names:?}");
    for file in [
        "python/flask_requests.py",
        "python/aiohttp_contextvars.py",
        "node/server.js",
        "go/main.go",
        "java/Server.java",
        "ruby/config.ru",
        "php/server.php",
    ] {
        let text = read(&format!("examples/copy-headers/{file}"));
        let words = text.split(|c: char| c.is_whitespace() || "',".contains(c));
        let words: HashSet<_> = words.collect();
        for name in &names {
            assert!(words.contains(name), "{file} does not copy {name}");
        }
    }
}
