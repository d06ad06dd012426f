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
        let mut server = command(&words[0]);
        server.args(&words[1..]);
        let program = Program::start(file, server);
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

/// A server behind us, and the reference.
struct Scene {
    server: Server,
    pair: Pair,
    reference: Reference,
}

/// What became of one request of the corpus.
struct Outcome {
    understood: Vec<Seen>,
    seen: Vec<Seen>,
    answer: String,
    /// Failures that were counted with a reason.
    with_reason: u64,
}

impl Scene {
    async fn set(file: &str) -> Self {
        let server = Server::start(file).await;
        Self {
            pair: Pair::of(server.address).await,
            reference: Reference::begin().await,
            server,
        }
    }

    /// Sends the same to both, and waits until it is counted and seen.
    async fn attempt(&mut self, name: &str, bytes: &str, after: &str) -> Outcome {
        let understood = self.reference.understands(bytes, after).await;
        let webapp = &self.pair.webapp;
        let before = webapp.metrics().await;
        let answer = send(self.pair.entry(), bytes).await;
        let one_more = |metrics: &Metrics| metrics.responses(&[]) > before.responses(&[]);
        let metrics = webapp.metrics_when(name, one_more).await;
        ask_after(&self.pair, after).await;
        Outcome {
            understood,
            seen: self.server.seen_before(after).await,
            answer: String::from_utf8_lossy(&answer).into_owned(),
            with_reason: with_reason(&metrics) - with_reason(&before),
        }
    }
}

impl Outcome {
    fn is_passed_on(&self) -> bool {
        self.answer.contains("HTTP/1.1 200 ")
    }

    fn is_right(&self) -> bool {
        let one_or_none = match &self.seen[..] {
            [] => !self.is_passed_on() && self.with_reason == 1,
            [one] => self.is_passed_on() && self.with_reason == 0 && one.path != HIDDEN,
            _ => false,
        };
        one_or_none && self.seen == self.understood
    }
}

/// Responses that were counted with a reason why they failed.
fn with_reason(metrics: &Metrics) -> u64 {
    let ends = metrics.by("response_total", "error", &[]);
    let failed = ends.iter().filter(|(error, _)| !error.is_empty());
    failed.map(|(_, count)| count).sum()
}

/// 1. Each request of the corpus goes to a server that has its own way to read HTTP, and to the reference.
/// 2. Both see the same: nothing, or one request with the same body, and never the hidden one.
/// 3. What the server does not see was refused, and is counted with a reason.
async fn sees_what_we_understand(file: &str) {
    let mut scene = Scene::set(file).await;
    let mut wrong = Vec::new();
    let (mut passed, mut refused) = (0, 0);
    for (number, (name, bytes)) in corpus().into_iter().enumerate() {
        let after = format!("/after-{number}-");
        let outcome = scene.attempt(name, &bytes, &after).await;
        if !outcome.is_right() {
            wrong.push(format!(
                "{name}: understood {:?}, seen {:?}, answered {:?}, {} with a reason",
                outcome.understood, outcome.seen, outcome.answer, outcome.with_reason
            ));
        }
        match outcome.is_passed_on() {
            true => passed += 1,
            false => refused += 1,
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // A corpus of which nothing is passed on would try no server.
    assert!(passed >= 5 && refused >= 10, "{passed} and {refused}");
    scene.pair.stop().await;
    scene.reference.pair.stop().await;
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
