use super::*;
use clew_model::policy::{PathMatch, RequestMatch, RuleSource};

fn names(rules: Vec<RouteRule>) -> RouteNames {
    RouteNames::new(&rules.into(), Learners::default().of(&"books".into()))
}

fn answer(status: StatusCode) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = status;
    response
}

fn rule(name: &str, template: &str) -> RouteRule {
    RouteRule {
        name: name.into(),
        hosts: Arc::new([]),
        matches: Arc::new([RequestMatch {
            path: Some(PathMatch::Template(template.into())),
            method: None,
        }]),
        backend: None,
        failure_statuses: None,
        source: RuleSource::Configuration,
    }
}

#[test]
fn a_path_is_named_by_its_template() {
    let names = names(vec![]);
    let first = names.name("GET", "/books/17", "", false);
    let second = names.name("GET", "/books/18", "", false);
    assert_eq!(first.name.as_str(), "GET /books/{id}");
    assert!(!first.configured);
    assert!(
        Rc::ptr_eq(&first, &second),
        "found again in the thread's own table"
    );
}

#[test]
fn a_configured_route_wins_over_a_learned_one() {
    let names = names(vec![rule("edit", "/books/{id}/edit")]);
    let edit = names.name("POST", "/books/17/edit", "", false);
    assert_eq!((edit.name.as_str(), edit.configured), ("edit", true));
    assert_eq!(
        names.name("POST", "/books/17", "", false).name.as_str(),
        "POST /books/{id}"
    );
}

#[test]
fn a_grpc_method_is_its_route() {
    let names = names(vec![]);
    assert_eq!(
        names
            .name("POST", "/ratings.v1.Ratings/Get", "", true)
            .name
            .as_str(),
        "ratings.v1.Ratings/Get"
    );
    assert_eq!(
        names.name("POST", "/not-a-method", "", true).name.as_str(),
        "POST /not-a-method"
    );
}

#[test]
fn siblings_that_keep_growing_become_one_route_for_all_threads() {
    let learners = Learners::default();
    let learner = learners.of(&"shop".into());
    let one = RouteNames::new(&Arc::from([]), Arc::clone(&learner));
    let other = RouteNames::new(&Arc::from([]), learner);
    let words = ('a'..='z').flat_map(|a| ['x', 'y', 'z', 'w'].map(|b| format!("word{a}{b}")));
    words.for_each(|word| {
        one.name("GET", &format!("/tags/{word}"), "", false)
            .answered(&answer(StatusCode::OK))
    });
    assert_eq!(
        one.name("GET", "/tags/wordax", "", false).name.as_str(),
        "GET /tags/{name}"
    );
    assert_eq!(
        other.name("GET", "/tags/wordax", "", false).name.as_str(),
        "GET /tags/{name}"
    );
    assert!(
        learners
            .learned()
            .borrow()
            .contains(&"shop".into(), "/tags/{name}"),
        "and is shared"
    );
}

#[test]
fn what_others_have_learned_is_taken_over() {
    let learners = Learners::default();
    let names = RouteNames::new(&Arc::from([]), learners.of(&"shop".into()));
    assert_eq!(
        names.name("GET", "/tags/red", "", false).name.as_str(),
        "GET /tags/red"
    );
    learners.merge(&Learned {
        service: "shop".into(),
        collapsed: vec!["/tags/{name}".into()],
    });
    assert_eq!(
        names.name("GET", "/tags/red", "", false).name.as_str(),
        "GET /tags/{name}"
    );
}

#[test]
fn what_the_server_does_not_know_teaches_nothing() {
    let names = names(vec![]);
    for attempt in 0..1_000u32 {
        let path = format!(
            "/tags/{}{}",
            ["alpha", "beta", "gamma"][attempt as usize % 3],
            "x".repeat(attempt as usize % 200)
        );
        names
            .name("GET", &path, "", false)
            .answered(&answer(StatusCode::NOT_FOUND));
    }
    let red = || names.name("GET", "/tags/red", "", false);
    red().answered(&answer(StatusCode::OK));
    assert_eq!(red().name.as_str(), "GET /tags/red");
}

/// 1. Someone tries paths that the server does not know, and each is answered with a redirection to a login.
/// 2. Past a bound they share a name, so that the routes that exist keep theirs.
/// 3. A path that the server turns out to know gets its own name then.
#[test]
fn paths_that_nobody_is_known_to_serve_share_a_name_past_a_bound() {
    let names = names(vec![]);
    let known = names.name("GET", "/books", "", false);
    known.answered(&answer(StatusCode::OK));
    let mut tried = std::collections::HashSet::new();
    for a in 'a'..='z' {
        for b in 'a'..='z' {
            let route = names.name("GET", &format!("/{a}x{b}.php"), "", false);
            route.answered(&answer(StatusCode::FOUND));
            tried.insert(route.name.clone());
        }
    }
    assert_eq!(tried.len(), MAX_UNPROVEN + 1, "and the shared one");
    assert_eq!(
        names.name("GET", "/books", "", false).name.as_str(),
        "GET /books"
    );
    let late = names.name("GET", "/authors", "", false);
    assert_eq!(late.name.as_str(), "GET /\u{2026}");
    late.answered(&answer(StatusCode::OK));
    let late = names.name("GET", "/authors", "", false);
    assert_eq!(late.name.as_str(), "GET /authors");
}

#[test]
fn grpc_methods_that_nobody_implements_share_a_name_past_a_bound() {
    let names = names(vec![]);
    let mut unimplemented = answer(StatusCode::OK);
    let status = http::HeaderValue::from_static("12");
    unimplemented.headers_mut().insert("grpc-status", status);
    for number in 0..=MAX_UNPROVEN {
        let route = names.name("POST", &format!("/a.B/M{number}"), "", true);
        route.answered(&unimplemented);
    }
    let get = || names.name("POST", "/ratings.v1.Ratings/Get", "", true);
    assert_eq!(get().name.as_str(), "/\u{2026}");
    get().answered(&answer(StatusCode::OK));
    assert_eq!(get().name.as_str(), "ratings.v1.Ratings/Get");
}
