//! `live`, over a real store and fake proxies.

use super::mesh::{TestMesh, member};
use super::tap::FakeProxy;
use super::traffic::{good, record};
use crate::api::live::MAX_LIVE;
use axum::body::Body;
use axum::http::{Method, Response};
use clew_api::rest::live::{LiveAnswer, LiveData, LiveLine};
use clew_api::rest::tap::TapLine;
use http_body_util::BodyExt;
use serde_json::Value;
use std::collections::VecDeque;

/// The events of an open live connection.
struct Events {
    body: Body,
    text: String,
    read: VecDeque<LiveData>,
}

impl Events {
    fn of(response: Response<Body>) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self {
            body: response.into_body(),
            text: String::new(),
            read: VecDeque::new(),
        }
    }

    async fn more(&mut self) -> Option<()> {
        let data = self.body.frame().await?.unwrap().into_data().unwrap();
        self.text.push_str(std::str::from_utf8(&data).unwrap());
        while let Some((event, rest)) = self.text.split_once("\n\n") {
            self.read.extend(data_of(event));
            self.text = rest.to_owned();
        }
        Some(())
    }

    async fn next(&mut self) -> Option<LiveData> {
        while self.read.is_empty() {
            self.more().await?;
        }
        self.read.pop_front()
    }

    async fn answer(&mut self) -> LiveAnswer {
        match self.next().await.unwrap() {
            LiveData::Answer(answer) => answer,
            LiveData::Line(line) => panic!("{line:?}"),
        }
    }

    async fn line(&mut self) -> LiveLine {
        loop {
            if let LiveData::Line(line) = self.next().await.unwrap() {
                return line;
            }
        }
    }
}

/// What an event tells; nothing where it only says when to come again, or is a comment.
fn data_of(event: &str) -> Option<LiveData> {
    let (name, data) = event.strip_prefix("event: ")?.split_once("\ndata: ")?;
    let data: LiveData = serde_json::from_str(data).unwrap();
    let expected = match data {
        LiveData::Answer(_) => "answer",
        LiveData::Line(_) => "line",
    };
    assert_eq!(name, expected);
    Some(data)
}

async fn live(mesh: &TestMesh, query: &str) -> Events {
    Events::of(mesh.ask(Method::GET, &format!("/live{query}"), "").await)
}

#[tokio::test]
async fn what_is_watched_is_told_at_once_and_again_when_it_changes() {
    let mesh = TestMesh::of(vec![member("web-1", "web", None)]).await;
    let mut events = live(&mesh, "?watch=version&watch=instances&every=500ms").await;
    let mut first = [events.answer().await, events.answer().await];
    first.sort_by_key(|answer| answer.watch);
    let [version, instances] = first;
    assert_eq!((version.watch, version.status), (0, 200));
    assert_eq!(version.body, mesh.get::<Value>("/version").await);
    assert_eq!((instances.watch, instances.status), (1, 200));
    assert_eq!(instances.body, mesh.get::<Value>("/instances").await);

    mesh.join(vec![member("web-2", "web", None)]).await;
    let changed = events.answer().await;
    assert_eq!(changed.watch, 1, "the version did not change");
    assert_eq!(changed.body["instances"][0]["id"], "web-2");
}

#[tokio::test]
async fn a_client_is_told_first_when_to_come_again() {
    let mesh = TestMesh::begin().await;
    let response = mesh.ask(Method::GET, "/live?watch=version", "").await;
    let first = response.into_body().frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "retry: 1000\n\n");
}

/// 1. A chart watches numbers of a minute; 2. requests come; 3. it is told, with the window that they are in.
#[tokio::test]
async fn numbers_are_told_when_they_change() {
    let mesh = TestMesh::of(vec![member("web-1", "web", None)]).await;
    let watch = "?watch=routes%3Fworkload%3Dweb%26window%3D1m&every=500ms";
    let mut events = live(&mesh, watch).await;
    assert_eq!(events.answer().await.body["routes"], serde_json::json!([]));
    let labels = &[("direction", "inbound"), ("route", "GET /")];
    record(&mesh.store, "web-1", "web", &[good(labels, 3)]).await;
    let changed = loop {
        let answer = events.answer().await;
        if answer.body["routes"] != serde_json::json!([]) {
            break answer;
        }
    };
    assert_eq!(
        changed.body["routes"][0]["golden"]["requests"], 3,
        "{changed:?}"
    );
}

#[tokio::test]
async fn a_refusal_is_told_as_an_answer_and_the_others_go_on() {
    let mesh = TestMesh::begin().await;
    let mut events = live(&mesh, "?watch=stat%3Fwindow%3Dsoon&watch=%2Fversion").await;
    let mut told = [events.answer().await, events.answer().await];
    told.sort_by_key(|answer| answer.watch);
    assert_eq!((told[0].status, told[1].status), (400, 200));
    assert_eq!(told[0].body["parameter"], "window");
}

#[tokio::test]
async fn what_cannot_be_watched_is_refused_before_anything_is_told() {
    let mesh = TestMesh::begin().await;
    for watch in [
        "live%3Fwatch%3Dstat",
        "scrape",
        "openapi.json",
        "nothing",
        "api%2Fv1%2Fstat",
        "http%3A%2F%2Fevil.example%2Fstat",
        "",
        "traces%2Fa%20b",
    ] {
        let refused = mesh
            .refused(&format!("/live?watch=version&watch={watch}"))
            .await;
        assert_eq!(refused.status, 400, "{watch}");
        assert_eq!(refused.parameter.as_deref(), Some("watch"), "{watch}");
    }
    for (query, parameter) in [
        ("", "watch"),
        ("?watch=stat&every=100ms", "every"),
        ("?watch=stat&every=2m", "every"),
        ("?watch=stat&every=2s&every=3s", "every"),
        (&format!("?{}", ["watch=stat"; 9].join("&")), "watch"),
    ] {
        let refused = mesh.refused(&format!("/live{query}")).await;
        assert_eq!(
            (refused.status, refused.parameter.as_deref()),
            (400, Some(parameter)),
            "{query}"
        );
    }
}

#[tokio::test]
async fn lines_of_a_tap_come_as_events_until_the_client_goes() {
    let mut proxy = FakeProxy::begin().await;
    let mesh = TestMesh::of(vec![proxy.as_member("books-1", "books")]).await;
    let mut events = live(&mesh, "?watch=version&watch=tap%3Fworkload%3Dbooks").await;
    let (tapped, first) = tokio::join!(proxy.tapped(), events.line());
    assert_eq!(first.watch, 1);
    assert!(matches!(first.line, TapLine::Watching(_)), "{first:?}");
    for path in ["/books/7", "/books/8"] {
        tapped.send(path, 0).await;
        let TapLine::Request(request) = events.line().await.line else {
            panic!("nothing was skipped, and nobody came")
        };
        assert_eq!(request.path, path);
    }
    drop(events);
    tapped.events.closed().await;
}

#[tokio::test]
async fn as_many_as_may_be_are_open_and_no_more() {
    let mesh = TestMesh::begin().await;
    let mut open = Vec::new();
    for _ in 0..MAX_LIVE {
        open.push(live(&mesh, "?watch=version").await);
    }
    let refused = mesh.refused("/live?watch=version").await;
    assert_eq!(refused.status, 503);
    assert!(
        refused.detail.contains("64 live connections"),
        "{refused:?}"
    );
    open.pop();
    live(&mesh, "?watch=version").await;
}

#[tokio::test]
async fn a_live_connection_ends_when_the_mesh_does() {
    let mut proxy = FakeProxy::begin().await;
    let mesh = TestMesh::of(vec![proxy.as_member("books-1", "books")]).await;
    let mut events = live(&mesh, "?watch=instances&watch=tap").await;
    let (_tapped, _) = tokio::join!(proxy.tapped(), events.line());
    mesh.drain.start();
    while events.next().await.is_some() {}
}
