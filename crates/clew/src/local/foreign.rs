//! Applications that others have written down: a compose file or a Procfile, read for what `mesh.yaml` says too,
//! and printed as one. What cannot be taken over is named in a comment where it would stand.

mod compose;
mod draft;
mod procfile;

use crate::label::is_label;
use clew_runtime::config::{Document, Mistakes, Place};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Bytes of a file that is read.
const MAX_BYTES: u64 = 1024 * 1024;

/// The `mesh.yaml` that a file means. Mistakes are told with the file's name and their lines.
pub(crate) fn convert(file: &Path) -> Result<String, Mistakes> {
    let origin = file.display().to_string();
    let text = read(file).map_err(|error| {
        let given = format!("a file that cannot be read ({error})");
        Mistakes::one(Place::of(&origin).mistake(given, "a compose file or a Procfile"))
    })?;
    let folder = folder_name(file);
    match is_procfile(file) {
        true => convert_procfile(&origin, &text, &folder),
        false => convert_compose(&origin, &text, &folder),
    }
}

/// The same of the text of a compose file, in a folder of this name.
pub(super) fn convert_compose(origin: &str, text: &str, folder: &str) -> Result<String, Mistakes> {
    let draft = Document::parse(origin, text)?.read(&compose::ComposeFile)?;
    Ok(draft.render(origin, folder))
}

/// The same of the text of a Procfile.
pub(super) fn convert_procfile(origin: &str, text: &str, folder: &str) -> Result<String, Mistakes> {
    Ok(procfile::parse(origin, text)?.render(origin, folder))
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(file)?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!(
            "it has more than {MAX_BYTES} bytes"
        )));
    }
    Ok(text)
}

/// `Procfile`, `Procfile.dev`, `app.procfile`; all else is YAML, which compose files are.
fn is_procfile(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    name.starts_with("procfile") || name.ends_with("procfile")
}

/// The name of the folder that a file lies in, as a mesh's name, as compose takes it for a project's.
fn folder_name(file: &Path) -> String {
    let whole = std::path::absolute(file).unwrap_or_default();
    let folder = whole.parent().and_then(Path::file_name);
    let name = folder.map(|name| as_label(&name.to_string_lossy()));
    name.flatten().unwrap_or_else(|| "app".to_owned())
}

/// A name as the mesh takes it: `My_App` becomes `my-app`. `None` when nothing of it can be one.
fn as_label(name: &str) -> Option<String> {
    let plain = |character: char| match character.to_ascii_lowercase() {
        plain @ ('a'..='z' | '0'..='9') => plain,
        _ => '-',
    };
    let label: String = name.chars().map(plain).collect();
    let label = label.trim_matches('-').to_owned();
    is_label(&label).then_some(label)
}

#[cfg(test)]
mod tests;
