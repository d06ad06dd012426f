//! `clew reload`: a running application becomes what its file says now.

use clew_api::rest::settings::TelemetrySettings;
use clew_testkit::programs::{LocalMesh, eventually, finish, stderr, stdout};
use std::path::PathBuf;
use tempfile::TempDir;

/// Says its words, and ends with its input.
fn service(name: &str, words: &str) -> String {
    format!("  {name}: {{ run: [sh, -c, 'echo {words}; exec cat'] }}\n")
}

/// An application that runs, in a folder of its own.
struct Application {
    mesh: LocalMesh,
    folder: TempDir,
}

impl Application {
    async fn of(services: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mesh.yaml");
        std::fs::write(&file, format!("mesh: a\nservices:\n{services}")).unwrap();
        let mesh = LocalMesh::up(&file).await;
        Self { mesh, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("mesh.yaml")
    }

    fn write(&self, head: &str, services: &str) {
        let text = format!("mesh: a\n{head}services:\n{services}");
        std::fs::write(self.file(), text).unwrap();
    }

    async fn workloads(&self) -> Vec<String> {
        let members = self.mesh.members().await.into_iter();
        let mut names: Vec<String> = members.map(|member| member.workload).collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn what_has_changed_in_the_file_changes_while_the_rest_runs_on() {
    let all = service("same", "stays") + &service("changed", "before") + &service("gone", "goes");
    let application = Application::of(&all).await;
    let mesh = &application.mesh;
    let before = mesh.members().await;
    let mut same = before
        .into_iter()
        .filter(|member| member.workload == "same");
    let same = same.next().unwrap().id;
    let head = "telemetry: { sampling: { ratio: 0.5 } }\nretention: { age: 1h }\n";
    let all = service("same", "stays") + &service("changed", "after") + &service("new", "comes");
    application.write(head, &all);

    let output = finish(mesh.clew(&["reload"])).await;

    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(
        stdout(&output),
        "~ telemetry.sampling.ratio: 1 -> 0.5\n~ service changed: run\n+ service new\n- service gone\n"
    );
    assert!(
        stderr(&output).contains("retention changes when `clew up` is started again"),
        "{output:?}"
    );
    for line in ["changed | after", "| comes", "| - service gone"] {
        mesh.roles.says(line).await;
    }
    // New members join in their own time.
    eventually("all that are to be there", async || {
        (application.workloads().await == ["changed", "new", "same"]).then_some(())
    })
    .await;
    let settings: TelemetrySettings = mesh.ask(&["settings"]).await;
    assert_eq!(settings.sampling_ratio, 0.5);
    let after = mesh.members().await;
    assert!(after.iter().any(|member| member.id == same), "{after:#?}");

    // Asked again, only what is left for the next start is told.
    let again = finish(mesh.clew(&["reload"])).await;
    assert_eq!((again.status.code(), stdout(&again)), (Some(0), ""));
    assert!(stderr(&again).contains("retention"), "{again:?}");
}

#[tokio::test]
async fn a_file_with_mistakes_changes_nothing_and_all_of_them_are_told() {
    let application = Application::of(&service("same", "stays")).await;
    application.write("", "  same: { port: seven, to: [nobody] }\n");

    let output = finish(application.mesh.clew(&["reload"])).await;

    assert_eq!(output.status.code(), Some(64), "{output:?}");
    let file = application.file();
    let said: Vec<&str> = stderr(&output).lines().collect();
    assert_eq!(said.len(), 2, "{output:?}");
    for line in said {
        assert!(
            line.starts_with(&format!("{}:3: ", file.display())),
            "{line}"
        );
    }
    assert_eq!(application.workloads().await, ["same"]);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named_and_the_rest_is_changed() {
    let application = Application::of(&service("same", "stays")).await;
    let missing = "  missing: { run: ./no-such-program }\n".to_owned();
    application.write(
        "",
        &(missing + &service("same", "stays") + &service("new", "comes")),
    );

    let output = finish(application.mesh.clew(&["reload"])).await;

    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        stderr(&output).contains("cannot start missing"),
        "{output:?}"
    );
    application.mesh.roles.says("| comes").await;
}

#[tokio::test]
async fn without_a_running_application_there_is_nobody_to_reload() {
    let mesh = LocalMesh::start().await;
    let output = finish(mesh.clew(&["reload"])).await;
    assert_eq!(output.status.code(), Some(69), "{output:?}");
}
