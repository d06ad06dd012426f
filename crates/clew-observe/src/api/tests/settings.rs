//! `settings/telemetry`.

use super::mesh::{TestMesh, problem, read};
use axum::http::Method;
use clew_api::rest::settings::TelemetrySettings;

const PATH: &str = "/settings/telemetry";

async fn put(mesh: &TestMesh, body: &str) -> TelemetrySettings {
    let response = mesh.ask(Method::PUT, PATH, body).await;
    assert_eq!(response.status(), 200, "{body}");
    read(response).await
}

#[tokio::test]
async fn what_a_change_does_not_name_stays_as_it_is() {
    let mesh = TestMesh::begin().await;
    let before: TelemetrySettings = mesh.get(PATH).await;
    assert_eq!((before.tracing, before.sampling_ratio), (true, 1.0));

    let changed = put(&mesh, r#"{"sampling_ratio": 0.1}"#).await;
    assert_eq!(
        changed,
        TelemetrySettings {
            sampling_ratio: 0.1,
            ..before
        }
    );
    let changed = put(
        &mesh,
        r#"{"sampling_max_per_second": 5, "write_formats": ["b3multi"], "access_log": "errors", "show_headers": ["X-Request-Id"]}"#,
    )
    .await;
    assert_eq!(changed.sampling_ratio, 0.1);
    assert_eq!(changed.sampling_max_per_second, Some(5.0));
    assert_eq!(changed.write_formats, ["b3multi"]);
    assert_eq!(changed.access_log, "errors");
    assert_eq!(changed.show_headers, ["x-request-id"]);
    assert_eq!(mesh.get::<TelemetrySettings>(PATH).await, changed);

    let changed = put(&mesh, r#"{"sampling_max_per_second": 0, "tracing": false}"#).await;
    assert_eq!(
        (changed.sampling_max_per_second, changed.tracing),
        (None, false)
    );
    assert_eq!(mesh.settings.borrow().write_formats, ["b3multi"]);

    assert!(changed.audit);
    assert!(!put(&mesh, r#"{"audit": false}"#).await.audit);
    assert!(!put(&mesh, r#"{"tracing": true}"#).await.audit);
    assert!(mesh.settings.borrow().audit_off);
}

/// The clock is paused: the wait is over when nothing else can happen.
#[tokio::test]
async fn a_change_that_does_not_arrive_is_given_up() {
    let mesh = TestMesh::begin().await;
    let never = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
    let request = axum::http::Request::put(format!("/api/v1{PATH}"))
        .header("host", "127.0.0.1:8084")
        .body(axum::body::Body::from_stream(never))
        .unwrap();
    tokio::time::pause();
    assert_eq!(problem(mesh.send(request).await).await.status, 408);
}

#[tokio::test]
async fn a_change_that_makes_no_sense_changes_nothing() {
    let mesh = TestMesh::begin().await;
    let before: TelemetrySettings = mesh.get(PATH).await;
    for (body, named) in [
        (r#"{"sampling_ratio": 1.5}"#, "sampling_ratio"),
        (
            r#"{"sampling_max_per_second": -1}"#,
            "sampling_max_per_second",
        ),
        (r#"{"write_formats": ["zipkin"]}"#, "zipkin"),
        (r#"{"access_log": "some"}"#, "access_log"),
        (r#"{"show_headers": ["no such name"]}"#, "no such name"),
        (r#"{"show_headers": ["forbidden"]}"#, "not this one"),
        (r#"{"sampling": 1}"#, "sampling"),
        ("", "EOF"),
        ("[]", "map"),
    ] {
        let problem = problem(mesh.ask(Method::PUT, PATH, body).await).await;
        assert_eq!(problem.status, 400, "{body}");
        assert!(problem.detail.contains(named), "{body}: {}", problem.detail);
    }
    assert_eq!(mesh.get::<TelemetrySettings>(PATH).await, before);
}
