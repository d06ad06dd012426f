//! Source files, and what is checked of their text.

use std::path::{Path, PathBuf};

/// Reads a file; `None` when there is none. The checks' own tests give one that reads from memory.
pub(crate) type Read<'a> = dyn Fn(&Path) -> Option<String> + 'a;

/// Reads from the disk.
pub(crate) fn on_disk(file: &Path) -> Option<String> {
    std::fs::read_to_string(file).ok()
}

/// Every Rust file below a folder, in order.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Tests that are switched off.
pub(crate) fn ignored_tests(files: &[PathBuf], read: &Read<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for file in files {
        let text = read(file).unwrap_or_default();
        for (i, line) in text.lines().enumerate() {
            // Any macro's tests too (proptest), which a parser of items would not see.
            if line.trim_start().starts_with("#[ignore") {
                broken.push(format!("{}:{}", file.display(), i + 1));
            }
        }
    }
    broken
}

/// A crate whose root file does not open with inner documentation.
pub(crate) fn opens_without_words(root: &Path, read: &Read<'_>) -> Option<String> {
    let text = read(root).unwrap_or_default();
    let words = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("//!"));
    match words {
        Some(words) if !words.trim().is_empty() => None,
        _ => Some(root.display().to_string()),
    }
}

/// Whether `unsafe` is forbidden in the workspace, and every crate takes the workspace's lints.
pub(crate) fn lints_not_held(repository: &Path, read: &Read<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let workspace = read(&repository.join("Cargo.toml")).unwrap_or_default();
    if !has_setting(
        &workspace,
        "[workspace.lints.rust]",
        "unsafe_code = \"forbid\"",
    ) {
        broken.push(
            "Cargo.toml: [workspace.lints.rust] unsafe_code = \"forbid\" is not there".into(),
        );
    }
    for name in crates_of(&workspace, repository) {
        let manifest = repository.join("crates").join(&name).join("Cargo.toml");
        let text = read(&manifest).unwrap_or_default();
        if !has_setting(&text, "[lints]", "workspace = true") {
            broken.push(format!(
                "crates/{name}/Cargo.toml: [lints] workspace = true is not there"
            ));
        }
    }
    broken
}

/// The folders of `crates/`, which the workspace takes as its members.
fn crates_of(workspace: &str, repository: &Path) -> Vec<String> {
    assert!(
        has_setting(workspace, "[workspace]", "members = [\"crates/*\"]"),
        "members of the workspace are no longer crates/*: teach this check"
    );
    let folders = std::fs::read_dir(repository.join("crates"));
    let folders = folders.into_iter().flatten().map(|entry| entry.unwrap());
    folders
        .filter(|entry| entry.path().join("Cargo.toml").exists())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

fn has_setting(toml: &str, section: &str, setting: &str) -> bool {
    toml.lines()
        .map(str::trim)
        .skip_while(|line| *line != section)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .any(|line| line == setting)
}

mod the_check_itself {
    use super::*;

    #[test]
    fn an_ignored_test_is_found_wherever_it_stands() {
        let files = [PathBuf::from("a.rs"), PathBuf::from("b.rs")];
        let attribute = "#[ignore";
        let read = |file: &Path| match file.to_str() {
            Some("a.rs") => Some(format!("mod tests {{\n    {attribute} = \"slow\"]\n}}")),
            _ => Some("// #[ignored]\nfn ignore() {}\n".to_owned()),
        };
        assert_eq!(ignored_tests(&files, &read), ["a.rs:2"]);
    }

    #[test]
    fn a_crate_that_opens_with_code_is_found() {
        let root = Path::new("lib.rs");
        for (text, fine) in [
            ("//! What it is.\n", true),
            ("//!\n", false),
            ("mod a;\n", false),
            ("", false),
        ] {
            let read = |_: &Path| Some(text.to_owned());
            assert_eq!(opens_without_words(root, &read).is_none(), fine, "{text}");
        }
    }

    #[test]
    fn a_setting_counts_in_its_own_section_only() {
        let toml = "[a]\nx = 1\n[lints]\nworkspace = true\n[b]\ny = 2\n";
        assert!(has_setting(toml, "[lints]", "workspace = true"));
        assert!(!has_setting(toml, "[a]", "workspace = true"));
        assert!(!has_setting(toml, "[lints]", "y = 2"));
    }
}
