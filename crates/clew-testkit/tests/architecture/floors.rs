//! Crates and their floors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Where a crate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A floor of ARCHITECTURE.md; arrows lead to lower ones only.
    Floor(u8),
    /// The demo application: knows nothing of Clew; only the command, which starts it, knows it.
    Demo,
    /// For tests only: may know all, and is known as a dev-dependency only.
    Testkit,
}

const PLACES: [(&str, Place); 15] = [
    ("clew-model", Place::Floor(0)),
    ("clew-trace", Place::Floor(0)),
    ("clew-runtime", Place::Floor(0)),
    ("clew-api", Place::Floor(1)),
    ("clew-identity", Place::Floor(1)),
    ("clew-store", Place::Floor(1)),
    ("clew-infer", Place::Floor(1)),
    ("clew-proxy", Place::Floor(2)),
    ("clew-control", Place::Floor(2)),
    ("clew-observe", Place::Floor(2)),
    ("clew-kube", Place::Floor(3)),
    ("clew", Place::Floor(4)),
    ("clew-books", Place::Demo),
    ("clew-testkit", Place::Testkit),
    ("clew-fuzz", Place::Testkit),
];

/// What a crate never depends on, with the reason.
const WALLS: [(&[&str], &[&str], &str); 4] = [
    (
        &["clew-model", "clew-trace"],
        &[
            "prost",
            "tonic",
            "tonic-prost",
            "linkerd2-proxy-api",
            "opentelemetry-proto",
            "tokio",
            "hyper",
        ],
        "pure values: no generated type, no I/O",
    ),
    (
        &["clew-proxy"],
        &["rusqlite", "kube", "k8s-openapi", "axum"],
        "what goes into pods links no database, no Kubernetes and no dashboard",
    ),
    (
        &[
            "clew-model",
            "clew-trace",
            "clew-runtime",
            "clew-api",
            "clew-store",
            "clew-proxy",
            "clew-control",
            "clew-observe",
            "clew",
        ],
        &["rcgen", "x509-parser"],
        "only clew-identity knows X.509",
    ),
    (
        &["clew-runtime"],
        &["hyper", "tonic", "http", "prost"],
        "knows no protocol",
    ),
];

/// The crates of a workspace and what they depend on.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// By name.
    crates: BTreeMap<String, Vec<Dependency>>,
    /// The root files (`lib.rs`, `main.rs`) of libraries and programs.
    pub(crate) roots: Vec<PathBuf>,
}

#[derive(Debug)]
struct Dependency {
    name: String,
    dev: bool,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load(repository: &Path) -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
            .current_dir(repository)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut workspace = Workspace::default();
        for package in metadata["packages"].as_array().unwrap() {
            let dependencies = package["dependencies"].as_array().unwrap();
            let dependencies = dependencies.iter().map(|dependency| Dependency {
                name: dependency["name"].as_str().unwrap().to_owned(),
                dev: dependency["kind"] == "dev",
            });
            let name = package["name"].as_str().unwrap().to_owned();
            workspace.crates.insert(name, dependencies.collect());
            for target in package["targets"].as_array().unwrap() {
                let kind = target["kind"][0].as_str().unwrap();
                if matches!(kind, "lib" | "bin" | "proc-macro") {
                    workspace
                        .roots
                        .push(target["src_path"].as_str().unwrap().into());
                }
            }
        }
        workspace
    }
}

/// Dependencies inside the workspace that do not lead down, and crates without a place.
pub(crate) fn arrows_not_down(workspace: &Workspace) -> Vec<String> {
    let place = |name: &str| {
        PLACES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, place)| *place)
    };
    let mut broken = Vec::new();
    for (name, dependencies) in &workspace.crates {
        let Some(from) = place(name) else {
            broken.push(format!(
                "{name} has no floor: give it one in ARCHITECTURE.md and here"
            ));
            continue;
        };
        for dependency in dependencies {
            if workspace.crates.contains_key(&dependency.name) {
                let to = place(&dependency.name);
                if !to.is_some_and(|to| may_depend(from, to, dependency.dev)) {
                    broken.push(format!(
                        "{name} -> {} ({from:?} -> {to:?})",
                        dependency.name
                    ));
                }
            }
        }
    }
    broken
}

fn may_depend(from: Place, to: Place, dev: bool) -> bool {
    match (from, to) {
        (Place::Testkit, _) => true,
        (_, Place::Testkit) => dev,
        (Place::Floor(from), Place::Floor(to)) => to < from,
        (Place::Floor(from), Place::Demo) => from == 4,
        (Place::Demo, _) => false,
    }
}

/// Dependencies that a wall keeps out. Tests may look over the wall.
pub(crate) fn walls_broken(workspace: &Workspace) -> Vec<String> {
    let mut broken = Vec::new();
    for (crates, kept_out, why) in WALLS {
        for (name, dependencies) in &workspace.crates {
            if !crates.contains(&name.as_str()) {
                continue;
            }
            for dependency in dependencies.iter().filter(|dependency| !dependency.dev) {
                if kept_out.contains(&dependency.name.as_str()) {
                    broken.push(format!("{name} -> {}: {why}", dependency.name));
                }
            }
        }
    }
    broken
}

mod the_check_itself {
    use super::*;

    fn workspace(crates: &[(&str, &[(&str, bool)])]) -> Workspace {
        let dependencies = |list: &[(&str, bool)]| {
            list.iter()
                .map(|(name, dev)| Dependency {
                    name: (*name).to_owned(),
                    dev: *dev,
                })
                .collect()
        };
        Workspace {
            crates: crates
                .iter()
                .map(|(name, list)| ((*name).to_owned(), dependencies(list)))
                .collect(),
            roots: Vec::new(),
        }
    }

    const ALL: [(&str, &[(&str, bool)]); 6] = [
        ("clew-trace", &[]),
        ("clew-model", &[]),
        ("clew-store", &[]),
        ("clew-observe", &[]),
        ("clew-books", &[]),
        ("clew-testkit", &[]),
    ];

    fn broken_by(name: &'static str, to: &'static str, dev: bool) -> bool {
        let arrow = [(to, dev)];
        let mut crates: Vec<(&str, &[(&str, bool)])> = ALL.to_vec();
        crates.retain(|(known, _)| *known != name);
        crates.push((name, &arrow));
        !arrows_not_down(&workspace(&crates)).is_empty()
    }

    #[test]
    fn arrows_down_are_fine() {
        assert!(!broken_by("clew-observe", "clew-store", false));
        assert!(!broken_by("clew-observe", "clew-model", true));
        assert!(!broken_by("clew-testkit", "clew-observe", false));
        assert!(!broken_by("clew-observe", "clew-testkit", true));
        assert!(!broken_by("clew", "clew-books", false));
        assert!(!broken_by("clew-store", "serde", false));
    }

    #[test]
    fn arrows_up_and_sideways_are_found_in_dev_dependencies_too() {
        assert!(broken_by("clew-store", "clew-observe", false));
        assert!(broken_by("clew-store", "clew-observe", true));
        assert!(broken_by("clew-trace", "clew-model", false));
        assert!(broken_by("clew-books", "clew-trace", false));
        assert!(broken_by("clew-books", "clew-trace", true));
        assert!(broken_by("clew-observe", "clew-books", false));
        assert!(broken_by("clew-observe", "clew-testkit", false));
    }

    #[test]
    fn a_crate_without_a_floor_is_found() {
        assert!(!arrows_not_down(&workspace(&[("clew-new", &[])])).is_empty());
    }

    #[test]
    fn a_generated_type_in_the_model_is_found() {
        assert_eq!(
            walls_broken(&workspace(&[("clew-model", &[("prost", false)])])).len(),
            1
        );
        assert_eq!(
            walls_broken(&workspace(&[("clew-api", &[("prost", false)])])).len(),
            0
        );
    }
}
