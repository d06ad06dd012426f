//! Requests hidden in others, in front of servers that read HTTP in their own way: each sees what we have understood,
//! one request or none.

use clew_testkit::client::{Client, get};
use clew_testkit::metrics::Metrics;
use clew_testkit::pair::Pair;
use clew_testkit::programs::{Program, command, eventually, peer};
use clew_testkit::smuggling::{HIDDEN, corpus, send};
use clew_testkit::upstream::Answering;
use serde::Deserialize;
use std::net::SocketAddr;
use tempfile::TempDir;

/// A request that a server has read to its end.
#[derive(Debug, Deserialize, PartialEq, Eq)]
struct Seen {
    /// What it was answered with; others than 200 were no whole requests to the server.
    #[serde(default)]
    status: u16,
    method: String,
    path: String,
    body: String,
}

/// A server that writes what it has seen. It ends when this is dropped.
struct Server {
    program: Program,
    address: SocketAddr,
    /// Lines that were looked at.
    read: usize,
    _folder: TempDir,
}

impl Server {
    async fn start(file: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let words = peer(file, &[folder.path().to_str().unwrap()]);
        let mut words_after = command(&words[0]);
        words_after.args(&words[1..]);
        let program = Program::start(file, words_after);
        let line = program.says("listening on ").await;
        let address = line.strip_prefix("listening on ").unwrap();
        Self {
            address: address.parse().unwrap(),
            program,
            read: 0,
            _folder: folder,
        }
    }

    /// What it has seen since the last time, up to a request with this path and without it.
    async fn seen_before(&mut self, path: &str) -> Vec<Seen> {
        let start = self.read;
        let lines = eventually(path, async || {
            let lines = self.program.written().split_off(start);
            let end = lines.iter().position(|line| line.contains(path))?;
            Some(lines[..=end].to_vec())
        })
        .await;
        self.read += lines.len();
        let seen = lines[..lines.len() - 1]
            .iter()
            .filter(|line| line.starts_with('{'));
        seen.map(|line| serde_json::from_str(line).unwrap())
            .filter(|seen: &Seen| seen.status == 200)
            .collect()
    }
}

/// What hyper has seen behind another proxy of ours, which is what we understand.
struct Reference {
    pair: Pair,
    application: Answering,
}

impl Reference {
    async fn begin() -> Self {
        let application = Answering::ok().await;
        Self {
            pair: Pair::of(application.address()).await,
            application,
        }
    }

    async fn understands(&self, bytes: &str, after: &str) -> Vec<Seen> {
        let before = self.application.seen().len();
        send(self.pair.entry(), bytes).await;
        ask_after(&self.pair, after).await;
        let mut seen = self.application.seen().split_off(before);
        assert_eq!(seen.pop().unwrap().uri.path(), after);
        seen.iter()
            .map(|seen| Seen {
                status: 200,
                method: seen.method.to_string(),
                path: seen.uri.to_string(),
                body: String::from_utf8(seen.body.data.to_vec()).unwrap(),
            })
            .collect()
    }
}

/// When it is answered, all before it has been seen.
async fn ask_after(pair: &Pair, path: &str) {
    let mut other = Client::http1(pair.entry()).await;
    let answer = other.ask(get(&format!("http://books{path}"))).await;
    assert_eq!(answer.status.as_u16(), 200);
}

/// 1. Each request of the corpus goes to a server of its own making and to the reference.
/// 2. Both see the same: nothing, or one request with the same body, and never the hidden one.
/// 3. What the server does not see was refused, and is counted with a reason.
async fn sees_what_we_understand(file: &str) {
    let mut server = Server::start(file).await;
    let pair = Pair::of(server.address).await;
    let reference = Reference::begin().await;
    let mut wrong = Vec::new();
    let (mut passed, mut refused) = (0, 0);
    for (number, (name, bytes)) in corpus().into_iter().enumerate() {
        let after = format!("/after-{number}-");
        let expected = reference.understands(&bytes, &after).await;
        let before = pair.webapp.metrics().await;
        let answer = send(pair.entry(), &bytes).await;
        let both = |metrics: &Metrics| metrics.responses(&[]) == before.responses(&[]) + 1;
        let metrics = pair.webapp.metrics_when(name, both).await;
        ask_after(&pair, &after).await;
        let seen = server.seen_before(&after).await;
        let failures = |metrics: &Metrics| {
            let ends = metrics.by("response_total", "error", &[]);
            ends.into_iter().filter(|(error, _)| !error.is_empty())
        };
        let with_reason = failures(&metrics).map(|(_, count)| count).sum::<u64>()
            - failures(&before).map(|(_, count)| count).sum::<u64>();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let is_passed = answer.contains("HTTP/1.1 200 ");
        let is_right = match &seen[..] {
            [] => !is_passed && with_reason == 1,
            [one] => is_passed && with_reason == 0 && one.path != HIDDEN,
            _ => false,
        };
        if !is_right || seen != expected {
            wrong.push(format!(
                "{name}: understood {expected:?}, seen {seen:?}, answered {answer:?}, {with_reason} with a reason"
            ));
        }
        passed += usize::from(is_passed);
        refused += usize::from(!is_passed);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // A corpus of which nothing is passed on would try no server.
    assert!(passed >= 5 && refused >= 10, "{passed} and {refused}");
    pair.stop().await;
    reference.pair.stop().await;
}

#[tokio::test]
async fn pythons_own_server_sees_what_we_understand() {
    sees_what_we_understand("seen_server.py").await;
}

mod nginx {
    #[tokio::test]
    async fn nginx_sees_what_we_understand() {
        super::sees_what_we_understand("seen_nginx.py").await;
    }
}
