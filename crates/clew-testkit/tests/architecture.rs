//! The rules of ARCHITECTURE.md and CONTRIBUTING.md that a program can check.
//!
//! Each check works on values (crates and their dependencies, the text of source files), so that its own
//! tests at the end of its file can give it a broken workspace and see it fail.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "architecture/floors.rs"]
mod floors;
#[path = "architecture/modules.rs"]
mod modules;
#[path = "architecture/sources.rs"]
mod sources;

use std::path::{Path, PathBuf};

use floors::Workspace;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

#[test]
fn crate_arrows_point_down() {
    none(
        "Crates point down only",
        &floors::arrows_not_down(&Workspace::load(&repository())),
    );
}

#[test]
fn crates_depend_on_nothing_that_their_walls_keep_out() {
    none(
        "A wall is broken",
        &floors::walls_broken(&Workspace::load(&repository())),
    );
}

#[test]
fn top_level_modules_of_a_crate_form_no_circle() {
    let mut broken = Vec::new();
    let mut imports = 0;
    for root in Workspace::load(&repository()).roots {
        let graph = modules::Graph::load(&root, &sources::on_disk);
        imports += graph.imports();
        broken.extend(graph.problems.iter().cloned());
        let circles = graph.circles();
        broken.extend(
            circles
                .iter()
                .map(|circle| format!("{}: {circle}", root.display())),
        );
    }
    none(
        "Top-level modules of a crate do not import each other in circles",
        &broken,
    );
    // A check that sees nothing would pass everything.
    assert!(imports > 50, "only {imports} imports between modules seen");
}

#[test]
fn names_say_what_things_are() {
    let mut broken = Vec::new();
    for root in Workspace::load(&repository()).roots {
        broken.extend(modules::Graph::load(&root, &sources::on_disk).vague_names);
    }
    none(
        "Not in the name of a type or module: Manager, Helper, Handler, Util, Common, Core, Misc",
        &broken,
    );
}

#[test]
fn unsafe_is_forbidden_and_every_crate_inherits_the_lints() {
    none(
        "Lints",
        &sources::lints_not_held(&repository(), &sources::on_disk),
    );
}

#[test]
fn every_crate_opens_with_what_it_is() {
    let mut broken = Vec::new();
    for root in Workspace::load(&repository()).roots {
        broken.extend(sources::opens_without_words(&root, &sources::on_disk));
    }
    none("lib.rs and main.rs open with //!", &broken);
}

#[test]
fn no_test_is_ignored() {
    let files = sources::rust_files(&repository().join("crates"));
    assert!(
        files.len() > 20,
        "the search for source files finds {} only",
        files.len()
    );
    none(
        "A test that does not run is no test",
        &sources::ignored_tests(&files, &sources::on_disk),
    );
}
