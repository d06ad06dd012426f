//! An OpenAPI document (3.x, or Swagger 2.0; YAML or JSON): each operation is a route, named as a learned one
//! would be, `GET /books/{id}`.

use super::{check, rule};
use clew_model::policy::{PathMatch, RouteRule, RuleSource};
use clew_runtime::config::docs::Shape;
use clew_runtime::config::{Entry, Kind, Mistakes, Node, Place, Value};

/// The keys of a path that are operations (OpenAPI Specification 3.1, Path Item Object).
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// A whole document.
pub(super) struct OpenApi;

impl Kind for OpenApi {
    type Value = Vec<RouteRule>;

    fn read(&self, node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self::Value> {
        const EXPECTED: &str = "an OpenAPI document: `openapi: 3...` and `paths`";
        let entries = table(node).unwrap_or_default();
        let value = |key: &str| entries.iter().find(|entry| entry.key == key);
        let is_one = value("openapi").or(value("swagger")).is_some();
        let paths = value("paths").filter(|_| is_one);
        let Some((paths, entries_of_paths)) =
            paths.and_then(|paths| Some((paths, table(&paths.node)?)))
        else {
            mistakes.push(place.mistake("something else", EXPECTED));
            return None;
        };
        let prefixes = prefixes(entries);
        let place = place.key(&paths.key, paths.line);
        let mut rules = Vec::new();
        for path in entries_of_paths {
            let place = place.key(&path.key, path.line);
            match table(&path.node) {
                _ if path.key.starts_with("x-") => {}
                Some(operations) if path.key.starts_with('/') => {
                    for prefix in &prefixes {
                        rules.extend(routes(&format!("{prefix}{}", path.key), operations));
                    }
                }
                Some(_) => {
                    let given = format!("{:?}", path.key);
                    mistakes.push(place.mistake(given, "a path that starts with /"));
                }
                None => mistakes.push(place.mistake(path.node.given(), "a table of operations")),
            }
        }
        // A path as it is comes before one with a placeholder that would match it too.
        rules.sort_by_key(|(placeholders, _)| placeholders.clone());
        let rules: Vec<RouteRule> = rules.into_iter().map(|(_, rule)| rule).collect();
        check(&rules, &place, mistakes);
        Some(rules)
    }

    fn shape(&self) -> Shape {
        Shape::Scalar("an OpenAPI document".to_owned())
    }
}

fn table(node: &Node) -> Option<&[Entry]> {
    match &node.value {
        Value::Table(entries) => Some(entries),
        _ => None,
    }
}

fn text(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The paths that all paths begin with: of every server, or the base path of Swagger. Those that hold
/// variables are not known here, and are left out.
fn prefixes(document: &[Entry]) -> Vec<String> {
    let mut prefixes = Vec::new();
    for entry in document {
        match (entry.key.as_str(), &entry.node.value) {
            ("basePath", Value::Text(path)) => prefixes.push(path.trim_end_matches('/').to_owned()),
            ("servers", Value::List(servers)) => {
                let urls = servers.iter().filter_map(|server| {
                    let url = table(server)?.iter().find(|entry| entry.key == "url")?;
                    text(&url.node)
                });
                prefixes.extend(urls.filter_map(path_of));
            }
            _ => {}
        }
    }
    prefixes.sort();
    prefixes.dedup();
    if prefixes.is_empty() {
        prefixes.push(String::new());
    }
    prefixes
}

fn path_of(url: &str) -> Option<String> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url,
    };
    let path = path.trim_end_matches('/');
    let is_known = !path.contains(['{', '?', '#']) && (path.is_empty() || path.starts_with('/'));
    is_known.then(|| path.to_owned())
}

/// The routes of one path, each with where it has placeholders.
fn routes(path: &str, operations: &[Entry]) -> Vec<(Vec<bool>, RouteRule)> {
    let placeholders: Vec<bool> = path
        .split('/')
        .map(|segment| segment.contains('{'))
        .collect();
    let is_method = |entry: &&Entry| METHODS.contains(&entry.key.as_str());
    let methods = operations.iter().filter(is_method);
    methods
        .map(|operation| {
            let method = operation.key.to_ascii_uppercase();
            let name = format!("{method} {path}");
            let rule = rule(RuleSource::OpenApi, &name, &method, condition(path));
            (placeholders.clone(), rule)
        })
        .collect()
}

/// A segment that is a placeholder in part (`{name}.json`) is one as a whole to the mesh.
fn condition(path: &str) -> PathMatch {
    if !path.contains('{') {
        return PathMatch::Exact(path.into());
    }
    let segments = path.split('/').map(|segment| match segment.contains('{') {
        true => "{_}",
        false => segment,
    });
    let template: Vec<&str> = segments.collect();
    PathMatch::Template(template.join("/").into())
}
