//! `clew tap`: requests, live; one line each.

use super::{ReadError, say_unless_json};
use crate::cli::read::{Format, Side, TapArgs};
use crate::client::{ApiClient, ApiError, Question};
use crate::exit::Exit;
use crate::output::{self, BAD, DIM, DOUBTFUL, GOOD, clean, painted, units};
use anstyle::Style;
use bytes::{Buf, Bytes, BytesMut};
use clew_api::rest::golden::Direction;
use clew_api::rest::tap::{TapHeader, TapLine, TapRequest};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::fmt::Write;
use std::future::pending;
use tokio::time::Instant;

/// No line is longer: past it the stream is not one of ours.
const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

pub(super) async fn run(args: &TapArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let deadline = args.for_time.map(|time| Instant::now() + time.duration());
    let mut lines = Lines {
        body: api.stream(&question(args)).await?,
        buffer: BytesMut::new(),
    };
    let mut shown = 0_u64;
    loop {
        let line = tokio::select! {
            line = lines.next() => line?,
            // That there is no handler for it is no reason to refuse the stream: then it ends the process.
            Ok(()) = tokio::signal::ctrl_c() => return Ok(Exit::Ok),
            () = until(deadline) => return Ok(if shown == 0 { Exit::Empty } else { Exit::Ok }),
        };
        let Some(raw) = line else {
            return Err(ReadError::StreamEnded);
        };
        let line: TapLine = serde_json::from_slice(&raw).map_err(ApiError::Malformed)?;
        print(args, &line, &raw)?;
        shown += u64::from(matches!(line, TapLine::Request(_)));
        if args.limit.is_some_and(|limit| shown >= limit) {
            return Ok(Exit::Ok);
        }
    }
}

fn question(args: &TapArgs) -> Question {
    let direction = args.direction.map(|side| match side {
        Side::Inbound => Direction::Inbound.as_str(),
        Side::Outbound => Direction::Outbound.as_str(),
    });
    let mut question = Question::new("/tap")
        .with("max_rps", args.max_rps)
        .with_some("workload", args.workload.as_ref())
        .with_some("namespace", args.namespace.as_ref())
        .with_some("direction", direction)
        .with_some("method", args.method.as_ref())
        .with_some("path", args.path.as_ref())
        .with_some("route", args.route.as_ref())
        .with_some("peer", args.peer.as_ref())
        .with_some("authority", args.authority.as_ref());
    if args.failures {
        question = question.with("failures", true);
    }
    question
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => pending().await,
    }
}

/// The lines of a body.
struct Lines {
    body: Incoming,
    buffer: BytesMut,
}

impl Lines {
    /// The next line without its end; `None` when the body has ended. Nothing is lost when it is not awaited
    /// to its end.
    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end).freeze();
                self.buffer.advance(1);
                return Ok(Some(line));
            }
            if self.buffer.len() > MAX_LINE_BYTES {
                return Err(ApiError::BrokenOff(
                    "a line is longer than lines can be".into(),
                ));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(ApiError::BrokenOff(error.into())),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
            }
        }
    }
}

/// Requests go to standard output; for people, what is said about the stream goes to standard error.
fn print(args: &TapArgs, line: &TapLine, raw: &[u8]) -> Result<(), ReadError> {
    if args.output.format == Format::Json {
        let text = format!("{}\n", String::from_utf8_lossy(raw));
        return output::print(&text).map_err(ReadError::Write);
    }
    match line {
        TapLine::Request(request) => {
            let is_wide = args.output.format == Format::Wide;
            let text = render(request, is_wide, args.show_headers);
            output::print(&text).map_err(ReadError::Write)?;
        }
        TapLine::Watching(watching) => {
            let mut text = format!("watching {}", list(&watching.instances));
            if !watching.unreachable.is_empty() {
                text = format!("{text}; not reachable: {}", list(&watching.unreachable));
            }
            say_unless_json(args.output, &painted(&text, DIM));
        }
        TapLine::Skipped(skipped) => {
            let text = format!(
                "{} more matched and are not shown (see --max-rps)",
                skipped.requests
            );
            say_unless_json(args.output, &painted(&text, DOUBTFUL));
        }
    }
    Ok(())
}

fn list(instances: &[String]) -> String {
    if instances.is_empty() {
        "nobody yet".to_owned()
    } else {
        clean(&instances.join(" "))
    }
}

/// `12:00:00.123Z  in  books <- webapp  GET /books/7  200  4.21 ms  GET /books/{id}`.
fn render(request: &TapRequest, is_wide: bool, shows_headers: bool) -> String {
    let clock = super::traces::clock(&request.start);
    let time = clock
        .split_once(' ')
        .map_or(clock.as_str(), |(_, time)| time);
    let (sign, unknown) = match request.direction {
        Direction::Inbound => ("<-", "(unmeshed)"),
        Direction::Outbound => ("->", "(unknown)"),
    };
    let peer = request.peer_workload.as_ref().or(match request.direction {
        Direction::Inbound => None,
        Direction::Outbound => request.service.as_ref(),
    });
    let peer = peer.map_or(unknown, String::as_str);
    let mut text = format!(
        "{} {} {sign} {}  {} {}  {}  {}  {}",
        painted(time, DIM),
        clean(&request.workload),
        clean(peer),
        clean(&request.method),
        clean(&request.path),
        outcome(request),
        units::millis(request.duration_ms),
        painted(&clean(&request.route), DIM),
    );
    if is_wide {
        let _ = write!(text, "{}", painted(&clean(&details(request)), DIM));
    }
    text.push('\n');
    if shows_headers {
        append_headers(&mut text, ">", &request.request_headers);
        append_headers(&mut text, "<", &request.response_headers);
    }
    text
}

/// `200`, `503 no_endpoints`, `cancelled`, `grpc 14 connect_refused`, `101 open`.
fn outcome(request: &TapRequest) -> String {
    let style = match request.classification.as_str() {
        "success" => GOOD,
        "failure" => BAD,
        "cancelled" => DOUBTFUL,
        _ => Style::new(),
    };
    let status = request.status_code.map(|status| status.to_string());
    let grpc = request
        .grpc_status
        .as_ref()
        .map(|status| format!("grpc {status}"));
    let is_cancelled = request.classification == "cancelled";
    let parts = [
        status.filter(|_| request.grpc_status.is_none()),
        grpc,
        request.open.then(|| "open".to_owned()),
        is_cancelled.then(|| "cancelled".to_owned()),
        request.error.clone().filter(|_| !is_cancelled),
    ];
    let words: Vec<String> = parts.into_iter().flatten().collect();
    let text = if words.is_empty() {
        request.classification.clone()
    } else {
        words.join(" ")
    };
    painted(&clean(&text), style)
}

fn details(request: &TapRequest) -> String {
    let mut text = format!(
        "  {} {} HTTP/{} {} in {} out",
        request.instance,
        request.authority,
        request.protocol_version,
        units::bytes(request.request_bytes),
        units::bytes(request.response_bytes),
    );
    if let Some(time) = &request.proxy_time {
        let (work, wait) = (units::micros(time.work_us), units::micros(time.wait_us));
        let _ = write!(text, "  proxy {work} wait {wait}");
    }
    if let Some(trace_id) = &request.trace_id {
        let kept = if request.sampled {
            ""
        } else {
            " (not sampled)"
        };
        let _ = write!(text, "  trace {trace_id}{kept}");
    }
    text
}

fn append_headers(text: &mut String, sign: &str, headers: &[TapHeader]) {
    for header in headers {
        let line = format!(
            "    {sign} {}: {}",
            clean(&header.name),
            clean(&header.value)
        );
        let _ = writeln!(text, "{}", painted(&line, DIM));
    }
}

#[cfg(test)]
mod tests;
