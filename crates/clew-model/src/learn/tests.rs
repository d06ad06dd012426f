#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;

#[test]
fn a_route_is_named_by_method_and_template() {
    assert_eq!(route_name("GET", "/books/{id}").as_str(), "GET /books/{id}");
    assert_eq!(route_name("BREW", "/tea").as_str(), "_OTHER /tea");
    assert_eq!(route_name("get", "/").as_str(), "_OTHER /");
}

#[test]
fn a_grpc_path_has_the_shape_of_one() {
    assert_eq!(
        grpc_method("/books.v1.Books/Get_One"),
        Some("books.v1.Books/Get_One")
    );
    assert_eq!(grpc_method("/Books/Get"), Some("Books/Get"));
    for path in [
        "",
        "/",
        "/a",
        "/a/",
        "//b",
        "/a/b/c",
        "a/b",
        "/a..b/c",
        "/.a/c",
        "/a./c",
        "/a-b/c",
        "/1a/b",
        "/a/b?x",
        "/a/\u{e9}",
    ] {
        assert_eq!(grpc_method(path), None, "{path}");
    }
    assert_eq!(grpc_method(&format!("/a/{}", "b".repeat(300))), None);
}

/// Paths of all kinds: what people have, what scanners send, what nobody thought of.
pub(super) fn paths() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        "[a-z]{1,8}",
        "[a-zA-Z0-9_.~-]{1,40}",
        "[0-9a-f]{1,40}",
        "[0-9]{1,12}",
        "[a-z]{1,8}[-_.:=@,;(][0-9a-zA-Z]{1,12}[)]?",
        "[0-9a-zA-Z]{1,10}([-_.:@,=][0-9a-zA-Z]{1,10}){0,5}",
        "(19|20)[0-9]{2}[-_.](0[1-9]|1[0-2])([-_.](0[1-9]|[12][0-9]))?(T[0-9:]{1,8}Z)?",
        "([a-z]|%[0-9a-fA-F]{2}){1,20}",
        "(\\{(id|uuid|hex|date|email|token|name|x)\\}|[a-z0-9.:@,()_-]){1,6}",
        "\\.{1,3}",
        "\u{2026}",
        "\\PC{0,10}",
        "[ -~]{0,100}",
        "",
    ];
    prop_oneof![
        prop::collection::vec(segment, 0..20)
            .prop_map(|segments| format!("/{}", segments.join("/"))),
        "\\PC{0,100}",
    ]
}

#[test]
fn names_say_how_they_came_about() {
    use NameForm::{GrpcMethod, Shared, Template};
    for (name, form) in [
        ("GET /books/{id}", Some(Template)),
        ("_OTHER /", Some(Template)),
        ("GET /a/b/\u{2026}", Some(Template)),
        ("books.v1.Books/GetBook", Some(GrpcMethod)),
        ("(other)", Some(Shared)),
        ("(unknown)", Some(Shared)),
        ("checkout", None),
        ("PURGE /books", None),
        ("all books", None),
    ] {
        assert_eq!(name_form(name), form, "{name}");
    }
    for method in ["GET", ""] {
        assert_eq!(name_form(unproven_name(method).as_str()), Some(Shared));
    }
    let learned = route_name("BREW", "/coffee/{id}");
    assert_eq!(name_form(learned.as_str()), Some(Template));
}
