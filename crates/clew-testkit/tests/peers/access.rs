//! Who may call what, as a file for `clew up` says it, and as it says it after a change.

use clew_testkit::client::{Client, get};
use clew_testkit::metrics::Metrics;
use clew_testkit::programs::{LocalMesh, Shell, eventually, finish, stderr, stdout};
use http::StatusCode;
use std::net::SocketAddr;
use std::path::PathBuf;
use tempfile::TempDir;

/// The books application, in which only webapp may call books, and only whoever is of the mesh the others.
const APPLICATION: &str = include_str!("../../../../examples/access.yaml");

/// The application, and someone that it does not name.
struct Scene {
    mesh: LocalMesh,
    stranger: Shell,
    folder: TempDir,
}

/// What a client is answered: the status, and the mesh's reason.
type Answered = (StatusCode, String);

fn served() -> Answered {
    (StatusCode::OK, String::new())
}

fn refused() -> Answered {
    (StatusCode::FORBIDDEN, "not_authorized".to_owned())
}

impl Scene {
    async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mesh.yaml");
        std::fs::write(&file, on_any_port(APPLICATION)).unwrap();
        let mesh = LocalMesh::up(&file).await;
        let stranger = mesh.shell("stranger", &["--to", "books"]).await;
        Self {
            mesh,
            stranger,
            folder,
        }
    }

    /// The file says this from now on; what `clew reload` tells of it.
    async fn reload(&self, file: &str) -> String {
        let path: PathBuf = self.folder.path().join("mesh.yaml");
        std::fs::write(path, on_any_port(file)).unwrap();
        let output = finish(self.mesh.clew(&["reload"])).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(stderr(&output), "");
        stdout(&output).to_owned()
    }

    /// The stranger asks books.
    async fn stranger(&self) -> Answered {
        let url = self.stranger.variable("CLEW_BOOKS_URL");
        ask(url.strip_prefix("http://").unwrap().parse().unwrap()).await
    }

    /// Someone from outside asks webapp, which asks books.
    async fn outside(&self) -> Answered {
        ask(self.mesh.gateway_address()).await
    }

    /// Someone who cannot say who they are asks books.
    async fn in_clear(&self) -> Answered {
        let books = self.member("books").await;
        ask(books.ports[0].endpoint_address.parse().unwrap()).await
    }

    async fn member(&self, workload: &str) -> clew_api::rest::members::Instance {
        let mut members = self.mesh.members().await.into_iter();
        members.find(|member| member.workload == workload).unwrap()
    }
}

fn on_any_port(file: &str) -> String {
    file.replace("127.0.0.1:8080", "127.0.0.1:0")
}

async fn ask(address: SocketAddr) -> Answered {
    let answer = Client::http1(address)
        .await
        .ask(get("http://books/books/1"))
        .await;
    (answer.status, answer.header("clew-error").to_owned())
}

/// 1. Only webapp may call books. 2. The stranger may as well: no instance is started anew for it. 3. Nobody may call what
///    says nothing itself, not even the gateway.
#[tokio::test]
async fn who_may_call_changes_with_the_file() {
    let scene = Scene::set().await;
    assert_eq!(scene.outside().await, served());
    assert_eq!(scene.stranger().await, refused());
    assert_eq!(scene.in_clear().await, refused());
    let books = scene.member("books").await;
    let admin = books.admin_address.unwrap().parse().unwrap();
    for (workload, id) in [
        ("stranger", "spiffe://cluster.local/ns/default/sa/stranger"),
        ("", ""),
    ] {
        let refused = [
            ("direction", "inbound"),
            ("error", "not_authorized"),
            ("client_workload", workload),
            ("client_id", id),
        ];
        // A request is counted when its end is known, which is not before its client knows.
        eventually("what was refused to be counted", async || {
            (Metrics::scrape(admin).await.responses(&refused) == 1).then_some(())
        })
        .await;
    }

    let open = APPLICATION.replacen("from: webapp", "from: [webapp, default/stranger]", 1);
    assert_eq!(scene.reload(&open).await, "~ service books: access\n");
    eventually("books to admit the stranger", async || {
        (scene.stranger().await == served()).then_some(())
    })
    .await;
    assert_eq!(scene.in_clear().await, refused());
    assert_eq!(scene.member("books").await.id, books.id);

    let closed = open.replace("default: meshed", "default: deny");
    assert_eq!(
        scene.reload(&closed).await,
        "~ access.default: meshed -> deny\n"
    );
    eventually("webapp to refuse the gateway", async || {
        (scene.outside().await == refused()).then_some(())
    })
    .await;
    // Books admits it still, and is refused by authors in its turn: what books makes of that is its own answer.
    eventually("authors to refuse books", async || {
        (scene.stranger().await == (StatusCode::FORBIDDEN, String::new())).then_some(())
    })
    .await;
}
