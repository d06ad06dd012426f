#![allow(clippy::unwrap_used)]

use super::*;
use axum::http::Request;
use clew_api::rest::problem::Problem;
use http_body_util::BodyExt;
use std::time::UNIX_EPOCH;

#[derive(Debug, PartialEq)]
struct Shape {
    window: Window,
    workload: Option<String>,
    errors: bool,
    limit: Option<u32>,
}

impl Parameters for Shape {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        Ok(Self {
            window: query.window()?,
            workload: query.name("workload")?,
            errors: query.flag("errors")?,
            limit: query.number("limit", 1..=10)?,
        })
    }
}

async fn asked(query: &str) -> Result<Shape, Problem> {
    let (mut parts, ()) = Request::get(format!("/?{query}"))
        .body(())
        .unwrap()
        .into_parts();
    match Asked::<Shape>::from_request_parts(&mut parts, &()).await {
        Ok(Asked(shape)) => Ok(shape),
        Err(refusal) => {
            let response = axum::response::IntoResponse::into_response(refusal);
            Err(
                serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes())
                    .unwrap(),
            )
        }
    }
}

#[tokio::test]
async fn what_is_not_given_has_its_default() {
    let nothing = asked("").await.unwrap();
    let before = SystemTime::now() - Duration::from_secs(1);
    assert!((before..=SystemTime::now()).contains(&nothing.window.to));
    assert_eq!(nothing.window.length(), Duration::from_secs(60));
    let expected = Shape {
        window: nothing.window,
        workload: None,
        errors: false,
        limit: None,
    };
    assert_eq!(nothing, expected);
    let all =
        asked("limit=3&errors=true&workload=a%20b+c&window=6h&until=2026-01-31T13:00:00%2B01:00")
            .await
            .unwrap();
    let expected = Shape {
        window: Window::ending(
            UNIX_EPOCH + Duration::from_secs(1_769_860_800),
            Duration::from_secs(6 * 3600),
        ),
        workload: Some("a b c".into()),
        errors: true,
        limit: Some(3),
    };
    assert_eq!(all, expected);
}

#[tokio::test]
async fn a_mistake_is_named_with_what_was_given_and_expected() {
    for (query, parameter, given) in [
        ("window=1x", "window", "1x"),
        ("window=0s", "window", "0s"),
        ("window=9999d", "window", "9999d"),
        ("until=yesterday", "until", "yesterday"),
        ("until=1769860800", "until", "1769860800"),
        ("until=2026-01-31T12:00:00", "until", "2026-01-31T12:00:00"),
        ("limit=0", "limit", "0"),
        ("limit=11", "limit", "11"),
        ("limit=", "limit", ""),
        ("errors=yes", "errors", "yes"),
        ("workload=", "workload", ""),
        ("windw=1m", "windw", "1m"),
        ("workload=a&workload=b", "workload", "b"),
    ] {
        let problem = asked(query).await.unwrap_err();
        assert_eq!(problem.status, 400, "{query}");
        assert_eq!(problem.parameter.as_deref(), Some(parameter), "{query}");
        assert_eq!(problem.given.as_deref(), Some(given), "{query}");
        assert!(problem.expected.is_some(), "{query}");
    }
    assert_eq!(
        asked("windw=1m").await.unwrap_err().detail,
        "there is no parameter \"windw\": expected one of window, until, workload, errors, limit"
    );
}

#[tokio::test]
async fn a_window_never_ends_later_than_now() {
    let ahead = asked("until=2999-01-01T00:00:00Z").await.unwrap().window;
    assert!(ahead.to <= SystemTime::now());
    assert_eq!(ahead.length(), Duration::from_secs(60));
    let epoch = asked("until=1960-01-01T00:00:00Z").await.unwrap().window;
    assert_eq!(epoch.length(), Duration::ZERO);
}

#[tokio::test]
async fn a_query_that_is_not_text_is_refused() {
    assert_eq!(asked("workload=%ff").await.unwrap_err().status, 400);
}
