//! Routes of a service that is described elsewhere: by an OpenAPI document, or by a `.proto` file.

mod openapi;
mod proto;

use clew_model::name::RouteName;
use clew_model::policy::{PathMatch, RequestMatch, RouteRule, RuleSource};
use clew_runtime::config::{Bounds, Document, Mistakes, Place};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// How much a description may hold. Those of large services have megabytes.
const BOUNDS: Bounds = Bounds {
    max_bytes: 16 * 1024 * 1024,
    max_depth: 64,
    max_nodes: 1_000_000,
};
/// More routes than this are no help to anybody, and each is a series of numbers.
const MAX_ROUTES: usize = 2_000;
/// As many characters as a route of `mesh.yaml` may have.
const MAX_NAME_BYTES: usize = 200;

/// The routes that a file describes, the most specific first. `place` is where the file is named; mistakes in it
/// are told with its own name and lines.
pub(crate) fn load(file: &Path, place: &Place) -> Result<Vec<RouteRule>, Mistakes> {
    let text = read(file).map_err(|error| {
        let given = format!("{}, which cannot be read ({error})", file.display());
        Mistakes::one(place.mistake(given, "an OpenAPI document or a .proto file"))
    })?;
    let origin = file.display().to_string();
    let extension = file.extension();
    match extension.is_some_and(|extension| extension == "proto") {
        true => parse_proto(&origin, &text),
        false => parse_openapi(&origin, &text),
    }
}

/// The same of the text of an OpenAPI document.
pub(super) fn parse_openapi(origin: &str, text: &str) -> Result<Vec<RouteRule>, Mistakes> {
    Document::parse_within(origin, text, BOUNDS)?.read(&openapi::OpenApi)
}

/// The same of the text of a `.proto` file.
pub(super) fn parse_proto(origin: &str, text: &str) -> Result<Vec<RouteRule>, Mistakes> {
    proto::parse(origin, text)
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    // One byte more than the bound, so that it is seen that there are too many.
    let most = BOUNDS.max_bytes as u64 + 1;
    File::open(file)?.take(most).read_to_string(&mut text)?;
    Ok(text)
}

/// A route by its name.
fn rule(source: RuleSource, name: &str, method: &str, path: PathMatch) -> RouteRule {
    let condition = RequestMatch {
        path: Some(path),
        method: Some(method.into()),
    };
    RouteRule {
        name: RouteName::new(name),
        hosts: [].into(),
        matches: [condition].into(),
        backend: None,
        failure_statuses: None,
        source,
    }
}

/// Notes what makes a set of routes unfit.
fn check(rules: &[RouteRule], place: &Place, mistakes: &mut Mistakes) {
    if rules.len() > MAX_ROUTES {
        let given = format!("{} routes", rules.len());
        mistakes.push(place.mistake(given, format!("at most {MAX_ROUTES}")));
    }
    for rule in rules {
        if rule.name.as_str().len() > MAX_NAME_BYTES {
            let given = format!("the route {}", rule.name);
            let expected = format!("a name of at most {MAX_NAME_BYTES} characters");
            mistakes.push(place.mistake(given, expected));
        }
    }
    if rules.is_empty() && mistakes.is_empty() {
        mistakes.push(place.mistake("no operation", "at least one"));
    }
}

#[cfg(test)]
mod tests;
