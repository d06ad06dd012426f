//! A Procfile: `NAME: COMMAND` on each line, run by a shell, with `PORT` in its environment (Heroku, foreman).

use super::as_label;
use super::draft::{Draft, DraftPort, DraftService};
use crate::local::words;
use clew_runtime::config::{Mistakes, Place};
use std::collections::HashSet;

/// The one that takes requests from outside, by convention.
const WEB: &str = "web";
/// Runs once before all others, by convention.
const RELEASE: &str = "release";

pub(super) fn parse(origin: &str, text: &str) -> Result<Draft, Mistakes> {
    let mut mistakes = Mistakes::default();
    let mut names = HashSet::new();
    let mut draft = Draft {
        notes: vec![
            "A Procfile does not say who calls whom: name them with `to: [SERVICE]`.".to_owned(),
        ],
        ..Draft::default()
    };
    // Editors of Windows put a mark before the first name.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = Place::of(origin).at_line(index + 1);
        match service(line) {
            Ok(service) if names.insert(service.name.clone()) => draft.services.push(service),
            Ok(service) => {
                let given = format!("{} a second time", service.name);
                mistakes.push(place.mistake(given, "a name of its own"));
            }
            Err((given, expected)) => mistakes.push(place.mistake(given, expected)),
        }
    }
    let place = Place::of(origin);
    if draft.services.is_empty() && mistakes.is_empty() {
        mistakes.push(place.mistake("no program", "lines of NAME: COMMAND"));
    }
    mistakes.or_value(Some(draft), &place)
}

/// What was given and what would have been right, as far as it is wrong.
fn service(line: &str) -> Result<DraftService, (String, &'static str)> {
    let expected = "NAME: COMMAND";
    let (name, command) = line
        .split_once(':')
        .ok_or_else(|| (format!("{line:?}"), expected))?;
    let (name, command) = (name.trim(), command.trim());
    let label = as_label(name).ok_or_else(|| (format!("the name {name:?}"), expected))?;
    if command.is_empty() {
        return Err((format!("{name} without a command"), expected));
    }
    let mut notes = Vec::new();
    if label != name {
        notes.push(format!("{name} in the Procfile"));
    }
    if label == RELEASE {
        notes.push("runs once, beside the others and not before them".to_owned());
    }
    let reads_port = command.contains("$PORT") || command.contains("${PORT");
    Ok(DraftService {
        port: (label == WEB || reads_port).then_some(DraftPort::Auto),
        name: label,
        notes,
        run: run(command),
        ..DraftService::default()
    })
}

/// A shell is only there where the command needs one.
fn run(command: &str) -> Vec<String> {
    match words::split(command) {
        Ok(words) if !words.first().is_some_and(|word| word.contains('=')) => words,
        _ => vec!["sh".to_owned(), "-c".to_owned(), command.to_owned()],
    }
}
