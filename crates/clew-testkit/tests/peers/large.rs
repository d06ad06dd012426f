//! Bodies that are larger than the memory that anybody on the way may use for them.

use super::golden::{Counts, inbound, outbound};
use clew_testkit::programs::{LocalMesh, Program, Shell, peer, stdout};
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

/// What a proxy may need more for 1 GiB than for 16 MiB.
const GROWTH_KIB: u64 = 16 * 1024;

/// It takes seconds, and more where other programs want the same cores; no test but these moves so much.
const LONGEST: Duration = Duration::from_secs(150);

struct Scene {
    mesh: LocalMesh,
    server: Program,
    caller: Shell,
}

impl Scene {
    async fn set() -> Self {
        let mesh = LocalMesh::start().await;
        let words = peer("stream_server.py", &[]);
        let server = mesh.serve("stream", &[], &words).await;
        let caller = mesh.shell("caller", &["--to", "stream"]).await;
        Self {
            mesh,
            server,
            caller,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.caller.variable("CLEW_STREAM_URL"))
    }

    async fn curl(&self, words: &[&str]) -> String {
        let mut curl = self.caller.command("curl");
        curl.args(["--silent", "--show-error", "--fail"])
            .args(words);
        curl.stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(LONGEST, curl.output()).await;
        let output = output.expect("curl to end in time").unwrap();
        assert!(output.status.success(), "{output:?}");
        stdout(&output).to_owned()
    }

    /// The bytes that curl has received.
    async fn download(&self, bytes: u64) -> u64 {
        let url = self.url(&format!("/zeros/{bytes}"));
        let size = "%{size_download}";
        let words = ["--output", "/dev/null", "--write-out", size, &url];
        self.curl(&words).await.parse().unwrap()
    }

    /// The bytes that the server has received, of a file of so many.
    async fn upload(&self, bytes: u64) -> u64 {
        // It takes no room: nothing was ever written to it.
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(bytes).unwrap();
        let url = self.url("/");
        let words = ["--upload-file", file.path().to_str().unwrap(), &url];
        let answer = self.curl(&words).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["bytes"].as_u64().unwrap()
    }

    /// The most that the process of each proxy has ever had in memory, in KiB (proc(5), VmHWM): the caller's, the
    /// server's.
    fn most_memory_kib(&self) -> [u64; 2] {
        [&self.caller.program, &self.server].map(|program| {
            let file = format!("/proc/{}/status", program.pid());
            let status = std::fs::read_to_string(file).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let number = line.unwrap().trim().trim_end_matches(" kB");
            number.parse().unwrap()
        })
    }

    fn assert_memory_stayed(&self, before: [u64; 2]) {
        let after = self.most_memory_kib();
        println!("KiB at most, caller's proxy and server's: {before:?}, then {after:?}");
        for (before, after) in before.into_iter().zip(after) {
            assert!(
                after - before <= GROWTH_KIB,
                "{before} KiB, then {after} KiB"
            );
        }
    }

    async fn assert_counted(&self, requests: u64) {
        let stat = self.mesh.stat().await;
        assert_eq!(outbound(&stat["caller"]), Counts::successes(requests));
        assert_eq!(inbound(&stat["stream"]), Counts::successes(requests));
    }
}

#[tokio::test]
async fn a_gibibyte_comes_down_at_flat_memory() {
    let scene = Scene::set().await;
    assert_eq!(scene.download(16 * MIB).await, 16 * MIB);
    let before = scene.most_memory_kib();

    assert_eq!(scene.download(GIB).await, GIB);

    scene.assert_memory_stayed(before);
    scene.assert_counted(2).await;
}

#[tokio::test]
async fn a_gibibyte_goes_up_at_flat_memory() {
    let scene = Scene::set().await;
    assert_eq!(scene.upload(16 * MIB).await, 16 * MIB);
    let before = scene.most_memory_kib();

    assert_eq!(scene.upload(GIB).await, GIB);

    scene.assert_memory_stayed(before);
    scene.assert_counted(2).await;
}
