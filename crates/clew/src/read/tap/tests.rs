#![allow(clippy::unwrap_used)]

use super::super::golden::tests::plain;
use super::*;
use crate::cli::{Cli, Command};
use clap::Parser;
use clew_api::rest::span::ProxyTime;

fn request() -> TapRequest {
    let phases = [("request", 41), ("connect", 300)];
    TapRequest {
        start: "2026-03-01T12:00:00.123456Z".to_owned(),
        duration_ms: 4.21,
        direction: Direction::Inbound,
        workload: "books".to_owned(),
        namespace: "default".to_owned(),
        instance: "books-1".to_owned(),
        peer_workload: Some("webapp".to_owned()),
        peer_namespace: Some("default".to_owned()),
        service: None,
        method: "GET".to_owned(),
        scheme: "http".to_owned(),
        authority: "books:7002".to_owned(),
        path: "/books/7".to_owned(),
        route: "GET /books/{id}".to_owned(),
        protocol_version: "1.1".to_owned(),
        status_code: Some(200),
        grpc_status: None,
        classification: "success".to_owned(),
        open: false,
        error: None,
        request_bytes: 0,
        response_bytes: 2_048,
        trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned()),
        span_id: None,
        sampled: false,
        request_headers: vec![TapHeader {
            name: "cookie".to_owned(),
            value: "(redacted)".to_owned(),
        }],
        response_headers: vec![TapHeader {
            name: "content-type".to_owned(),
            value: "text/html".to_owned(),
        }],
        proxy_time: ProxyTime::from_phases(phases.map(|(phase, us)| (phase.to_owned(), us)).into()),
    }
}

#[test]
fn a_request_is_a_line() {
    let refused = TapRequest {
        direction: Direction::Outbound,
        peer_workload: None,
        service: Some("authors".to_owned()),
        status_code: Some(503),
        classification: "failure".to_owned(),
        error: Some("no_endpoints".to_owned()),
        ..request()
    };
    let cancelled = TapRequest {
        peer_workload: None,
        status_code: None,
        classification: "cancelled".to_owned(),
        error: Some("client_cancelled".to_owned()),
        ..request()
    };
    let grpc = TapRequest {
        method: "POST".to_owned(),
        path: "/books.Ratings/Get".to_owned(),
        route: "books.Ratings/Get".to_owned(),
        grpc_status: Some("14".to_owned()),
        classification: "failure".to_owned(),
        ..request()
    };
    let open = TapRequest {
        path: "/chat/7".to_owned(),
        route: "GET /chat/{id}".to_owned(),
        status_code: Some(101),
        classification: String::new(),
        open: true,
        duration_ms: 60_100.0,
        ..request()
    };
    let lines: String = [request(), refused, cancelled, grpc, open]
        .iter()
        .map(|line| render(line, false, false))
        .collect();
    insta::assert_snapshot!(plain(&lines), @r"
    12:00:00.123Z books <- webapp  GET /books/7  200  4.21 ms  GET /books/{id}
    12:00:00.123Z books -> authors  GET /books/7  503 no_endpoints  4.21 ms  GET /books/{id}
    12:00:00.123Z books <- (unmeshed)  GET /books/7  cancelled  4.21 ms  GET /books/{id}
    12:00:00.123Z books <- webapp  POST /books.Ratings/Get  grpc 14  4.21 ms  books.Ratings/Get
    12:00:00.123Z books <- webapp  GET /chat/7  101 open  1m 00s  GET /chat/{id}
    ");
}

#[test]
fn wide_and_headers_show_the_rest() {
    insta::assert_snapshot!(plain(&render(&request(), true, true)), @r"
    12:00:00.123Z books <- webapp  GET /books/7  200  4.21 ms  GET /books/{id}  books-1 books:7002 HTTP/1.1 0 B in 2.00 KiB out  proxy 41 us wait 300 us  trace 4bf92f3577b34da6a3ce929d0e0e4736 (not sampled)
        > cookie: (redacted)
        < content-type: text/html
    ");
}

#[test]
fn a_path_cannot_steer_the_terminal() {
    let steering = TapRequest {
        path: "/\u{1b}[2J".to_owned(),
        ..request()
    };
    assert!(render(&steering, false, false).contains("/\\u{1b}[2J"));
}

#[test]
fn flags_become_parameters() {
    let line = "clew tap books --direction inbound --method GET --path /books --route r --peer web --failures --max-rps 5";
    let Command::Tap(args) = Cli::try_parse_from(line.split(' ')).unwrap().command else {
        panic!("{line}")
    };
    let expected = Question::new("/tap")
        .with("max_rps", 5)
        .with("workload", "books")
        .with("direction", "inbound")
        .with("method", "GET")
        .with("path", "/books")
        .with("route", "r")
        .with("peer", "web")
        .with("failures", true);
    assert_eq!(format!("{:?}", question(&args)), format!("{expected:?}"));
}
