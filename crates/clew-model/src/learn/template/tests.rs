#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::super::tests::paths;
use super::*;
use proptest::prelude::*;

fn template(path: &str) -> String {
    let mut out = String::new();
    write_template(path, &mut out);
    out
}

#[test]
fn paths_of_real_apis() {
    for (path, expected) in [
        ("/", "/"),
        ("/books", "/books"),
        ("/books/42/edit", "/books/{id}/edit"),
        (
            "/api/v1/users/550e8400-e29b-41d4-a716-446655440000",
            "/api/v1/users/{uuid}",
        ),
        (
            "/repos/rust-lang/rust/commits/3f9a1c2b8d7e",
            "/repos/rust-lang/rust/commits/{hex}",
        ),
        (
            "/en-US/docs/Web/HTTP/Status/404",
            "/en-US/docs/Web/HTTP/Status/{id}",
        ),
        ("/oauth2/token", "/oauth2/token"),
        (
            "/.well-known/openid-configuration",
            "/.well-known/openid-configuration",
        ),
        ("/static/js/app.3f9a1c.js", "/static/js/app.{hex}.js"),
        ("/reports/2024-05-01/summary", "/reports/{date}/summary"),
        ("/users/alice%40example.com/orders", "/users/{email}/orders"),
        (
            "/v2/library/nginx/blobs/sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
            "/v2/library/nginx/blobs/sha256:{hex}",
        ),
        (
            "/v1/projects/my-app/locations/us-east1/jobs/42:cancel",
            "/v1/projects/my-app/locations/us-east1/jobs/{id}:cancel",
        ),
        ("/odata/Products(42)/Name", "/odata/Products({id})/Name"),
        (
            "/api/v1/namespaces/default/pods/web-7d4b9c6f5-x2x7z/log",
            "/api/v1/namespaces/default/pods/{token}/log",
        ),
    ] {
        assert_eq!(template(path), expected, "{path}");
    }
}

#[test]
fn what_is_not_the_path_is_not_looked_at() {
    assert_eq!(template("/books?id=42"), "/books");
    assert_eq!(template("/books#42"), "/books");
    assert_eq!(template("*"), "*");
    assert_eq!(template(""), "/");
    assert_eq!(template("books/42"), "/books/{id}");
}

#[test]
fn slashes_and_dots_are_resolved_and_a_slash_at_the_end_stays() {
    assert_eq!(template("//a///b"), "/a/b");
    assert_eq!(template("/a/b/"), "/a/b/");
    assert_eq!(template("///"), "/");
    assert_eq!(template("/a/./b/../c"), "/a/c");
    assert_eq!(template("/../../etc/passwd"), "/etc/passwd");
    assert_eq!(template("/a/%2e%2E/b"), "/b");
    assert_eq!(template("/a/.../b"), "/a/.../b");
}

#[test]
fn path_parameters_are_left_out() {
    assert_eq!(template("/cars;color=red;year=2012/42;v=1"), "/cars/{id}");
    assert_eq!(template("/login;jsessionid=0A1B2C3D4E5F"), "/login");
    assert_eq!(template("/a/;x=1/b"), "/a/b");
}

#[test]
fn percent_encoding_is_looked_through() {
    assert_eq!(template("/%62ooks/%34%32"), "/books/{id}");
    assert_eq!(template("/tags/science%20fiction"), "/tags/{name}");
    assert_eq!(
        template("/proxy/https%3A%2F%2Fexample.com%2F"),
        "/proxy/{name}"
    );
    assert_eq!(template("/caf%C3%A9"), "/{name}");
    assert_eq!(template("/caf\u{e9}"), "/{name}");
    assert_eq!(template("/a/%zz"), "/a/{name}");
    assert_eq!(template("/a/%"), "/a/{name}");
    assert_eq!(template("/a/%ff%fe"), "/a/{name}");
    assert_eq!(
        template("/a/%7B550e8400-e29b-41d4-a716-446655440000%7D"),
        "/a/{uuid}"
    );
    assert_eq!(template(&format!("/a/{}", "%41".repeat(1000))), "/a/{name}");
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = "/a".repeat(1000);
    assert_eq!(
        template(&deep),
        format!("{}/\u{2026}", "/a".repeat(MAX_SEGMENTS))
    );
    assert_eq!(
        template(&"/a".repeat(MAX_SEGMENTS)),
        "/a".repeat(MAX_SEGMENTS)
    );
    let long = format!("/{}", "abcdefghi-".repeat(6).trim_end_matches('-'));
    let folded = template(&long.repeat(10));
    assert!(
        folded.ends_with("/\u{2026}") && folded.len() <= MAX_TEMPLATE_BYTES,
        "{folded}"
    );
    assert_eq!(template(&format!("/{}", "x".repeat(100_000))), "/{token}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_template_of_a_template_is_itself(path in paths()) {
        let once = template(&path);
        prop_assert_eq!(template(&once), once);
    }

    #[test]
    fn a_template_is_bounded_and_begins_with_a_slash(path in paths()) {
        let once = template(&path);
        prop_assert!(once.len() <= MAX_TEMPLATE_BYTES, "{}", once);
        prop_assert!(once.starts_with('/') || once == "*");
        prop_assert!(once.split('/').count() <= MAX_SEGMENTS + 2);
        prop_assert!(!once.contains(['%', ';', '?', '#', ' ']));
    }

    #[test]
    fn what_was_in_the_buffer_stays_and_does_not_matter(path in paths(), before in "[ -~]{0,20}") {
        let mut out = before.clone();
        write_template(&path, &mut out);
        prop_assert_eq!(out, before + &template(&path));
    }
}
