//! Every target holds on every file of its corpus, `fuzz/corpus/<target>/`: those that were thought of, and those
//! that a fuzzer once found.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use clew_fuzz::{TARGETS, Target};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// A corpus of fewer files was lost on the way.
const FEWEST_FILES: usize = 12;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The names in a folder; none where there is no folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// What is wrong with a target's corpus.
fn complaints(target: &Target, corpus: &Path) -> Vec<String> {
    let files = names(corpus);
    let mut complaints = Vec::new();
    if files.len() < FEWEST_FILES {
        complaints.push(format!("{} has {} files", corpus.display(), files.len()));
    }
    let mut taken = 0;
    for file in &files {
        let bytes = std::fs::read(corpus.join(file)).unwrap();
        // What panics has said why on standard error.
        match catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes))) {
            Ok(is_taken) => taken += usize::from(is_taken),
            Err(_) => complaints.push(format!("{} does not hold on {file}", target.name)),
        }
    }
    if taken == 0 || taken == files.len() {
        complaints.push(format!(
            "of {} files of {}, {taken} are taken: both halves have to be tried",
            files.len(),
            target.name
        ));
    }
    complaints
}

#[test]
fn every_target_holds_on_its_corpus() {
    let mut all = Vec::new();
    for target in TARGETS {
        all.extend(complaints(target, &fuzz().join("corpus").join(target.name)));
    }
    assert!(all.is_empty(), "{all:#?}");
}

#[test]
fn a_corpus_that_is_empty_missing_or_one_sided_is_found() {
    let nothing = Path::new("/nowhere");
    assert!(!complaints(&TARGETS[0], nothing).is_empty());
    let of_others = fuzz().join("corpus/gzip");
    let takes_all = Target {
        name: "takes_all",
        run: |_| true,
    };
    assert_eq!(complaints(&takes_all, &of_others).len(), 1);
    let fails = Target {
        name: "fails",
        run: |_| panic!("as it should"),
    };
    assert!(complaints(&fails, &of_others).len() > FEWEST_FILES);
}

/// Targets, their programs, what cargo-fuzz builds, and corpora are the same set.
#[test]
fn every_target_is_a_program_of_the_fuzzer() {
    let targets: BTreeSet<String> = TARGETS
        .iter()
        .map(|target| target.name.to_owned())
        .collect();
    assert_eq!(targets.len(), TARGETS.len());
    assert_eq!(names(&fuzz().join("corpus")), targets);
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let mut programs = BTreeSet::new();
    for file in names(&fuzz().join("fuzz_targets")) {
        let name = file.strip_suffix(".rs").unwrap().to_owned();
        let text = std::fs::read_to_string(fuzz().join("fuzz_targets").join(&file)).unwrap();
        assert!(text.contains(&format!("clew_fuzz::{name}(")), "{file}");
        let declared = format!("name = \"{name}\"\npath = \"fuzz_targets/{file}\"");
        assert!(manifest.contains(&declared), "{file} is not in Cargo.toml");
        programs.insert(name);
    }
    assert_eq!(programs, targets);
}
