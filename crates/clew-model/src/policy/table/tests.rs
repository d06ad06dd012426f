#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::name::RouteName;
use crate::policy::RuleSource;

fn rule(name: &str, hosts: &[&str], matches: Vec<RequestMatch>) -> RouteRule {
    RouteRule {
        name: RouteName::from(name),
        hosts: hosts.iter().map(|host| Arc::from(*host)).collect(),
        matches: matches.into(),
        backend: None,
        failure_statuses: None,
        source: RuleSource::Configuration,
    }
}

fn path(path: PathMatch) -> Vec<RequestMatch> {
    vec![RequestMatch {
        path: Some(path),
        method: None,
    }]
}

fn matched<'a>(table: &'a RouteTable, host: &str, method: &str, path: &str) -> Option<&'a str> {
    table
        .match_request(host, method, path)
        .map(|rule| rule.name.as_str())
}

#[test]
fn the_first_rule_in_the_order_given_wins() {
    let table = RouteTable::new(Arc::from([
        rule("one", &[], path(PathMatch::Prefix("/a".into()))),
        rule("two", &[], path(PathMatch::Exact("/a/b".into()))),
        rule("rest", &[], vec![]),
    ]));
    assert_eq!(matched(&table, "h", "GET", "/a/b"), Some("one"));
    assert_eq!(matched(&table, "h", "GET", "/c"), Some("rest"));
    assert_eq!(table.index_of("h", "GET", "/c"), Some(2));
}

#[test]
fn no_rule_is_no_match() {
    let table = RouteTable::new(Arc::from([]));
    assert!(table.is_empty());
    assert_eq!(matched(&table, "h", "GET", "/"), None);
}

#[test]
fn all_parts_of_a_condition_and_any_condition_of_a_rule() {
    let get_books = RequestMatch {
        path: Some(PathMatch::Exact("/books".into())),
        method: Some("GET".into()),
    };
    let any_put = RequestMatch {
        path: None,
        method: Some("PUT".into()),
    };
    let table = RouteTable::new(Arc::from([rule("r", &[], vec![get_books, any_put])]));
    assert_eq!(matched(&table, "", "GET", "/books"), Some("r"));
    assert_eq!(matched(&table, "", "PUT", "/x"), Some("r"));
    assert_eq!(matched(&table, "", "POST", "/books"), None);
    assert_eq!(matched(&table, "", "get", "/books"), None);
}

#[test]
fn a_prefix_is_of_whole_segments() {
    for prefix in ["/a", "/a/"] {
        let prefix = PathMatch::Prefix(prefix.into());
        for path in ["/a", "/a/", "/a/b"] {
            assert!(prefix.matches(path), "{path}");
        }
        for path in ["/ab", "/", "", "/A", "*"] {
            assert!(!prefix.matches(path), "{path}");
        }
    }
    assert!(PathMatch::Prefix("/".into()).matches("/anything/at/all"));
}

#[test]
fn a_template_matches_segment_by_segment() {
    let edit = PathMatch::Template("/books/{id}/edit".into());
    assert!(edit.matches("/books/7/edit"));
    assert!(edit.matches("/books/a%2Fb/edit"));
    for path in [
        "/books//edit",
        "/books/7",
        "/books/7/edit/",
        "/books/7/8/edit",
        "books/7/edit",
    ] {
        assert!(!edit.matches(path), "{path}");
    }
    let file = PathMatch::Template("/files/report-{id}.json".into());
    assert!(file.matches("/files/report-7.json"));
    assert!(!file.matches("/files/report-.json"));
    assert!(PathMatch::Template("/".into()).matches("/"));
    assert!(PathMatch::Template("/a{".into()).matches("/a{"));
}

#[test]
fn hosts_match_without_case_and_port() {
    let table = RouteTable::new(Arc::from([
        rule("one", &["books.example.com"], vec![]),
        rule("any", &["*.example.com"], vec![]),
        rule("six", &["::1"], vec![]),
    ]));
    assert_eq!(
        matched(&table, "Books.Example.com:8080", "GET", "/"),
        Some("one")
    );
    assert_eq!(
        matched(&table, "books.example.com.", "GET", "/"),
        Some("one")
    );
    assert_eq!(matched(&table, "a.b.example.com", "GET", "/"), Some("any"));
    assert_eq!(matched(&table, "example.com", "GET", "/"), None);
    assert_eq!(matched(&table, ".example.com", "GET", "/"), None);
    assert_eq!(matched(&table, "badexample.com", "GET", "/"), None);
    assert_eq!(matched(&table, "\u{e9}example.com", "GET", "/"), None);
    assert_eq!(matched(&table, "[::1]:80", "GET", "/"), Some("six"));
    assert_eq!(matched(&table, "", "GET", "/"), None);
}
