//! `GET tap`: requests, live, from every member that matches.
//!
//! Nothing runs in the background: the members' streams are read when the client takes the next line, and end
//! when it goes away. A slow client fills the windows of those streams, and the proxies drop and count.

mod member;
mod pace;
mod relay;

use super::described::Always;
use super::query::{Asked, Parameters, Query};
use super::refusal::Refusal;
use super::{Api, names};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use clew_api::client::Instance;
use clew_api::rest::golden::Direction;
use clew_api::rest::problem::Problem;
use clew_api::rest::tap::{NDJSON, TapLine};
use clew_api::wire::tap as wire;
use futures_util::stream;
use relay::Relay;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use utoipa::IntoParams;

/// Taps that may be open at the same time: each is a stream from every proxy.
pub(super) const MAX_TAPS: usize = 16;
/// The most requests a second in all; more would be read by nobody.
const MAX_RPS: u32 = 10_000;
const DEFAULT_MAX_RPS: u32 = 100;

/// Parameters of `GET tap`. All have to hold.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TapParameters {
    /// Only this workload's proxies
    workload: Option<String>,
    /// Only proxies of this namespace
    namespace: Option<String>,
    /// Only this side of the proxies
    direction: Option<Direction>,
    /// Only this method
    method: Option<String>,
    /// Only paths that begin with this
    path: Option<String>,
    /// Only this route
    route: Option<String>,
    /// Only requests from or to this workload
    peer: Option<String>,
    /// Only requests to this authority (host or host:port)
    authority: Option<String>,
    /// Only requests that failed. Default: false
    #[param(value_type = Option<bool>)]
    failures: bool,
    /// At most this many requests a second, of all proxies together, 1 to 10000. Default: 100
    #[param(value_type = Option<u32>, minimum = 1, maximum = 10_000)]
    max_rps: u32,
}

impl Parameters for TapParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        let sides = [
            ("inbound", Direction::Inbound),
            ("outbound", Direction::Outbound),
        ];
        Ok(Self {
            workload: query.name("workload")?,
            namespace: query.name("namespace")?,
            direction: query.choice("direction", &sides)?,
            method: query
                .name("method")?
                .map(|method| method.to_ascii_uppercase()),
            path: query.name("path")?,
            route: query.name("route")?,
            peer: query.name("peer")?,
            authority: query
                .name("authority")?
                .map(|authority| authority.to_ascii_lowercase()),
            failures: query.flag("failures")?,
            max_rps: query
                .number("max_rps", 1..=MAX_RPS)?
                .unwrap_or(DEFAULT_MAX_RPS),
        })
    }
}

impl TapParameters {
    /// Whether this member's proxy is to be asked.
    fn selects(&self, member: &Instance) -> bool {
        let fits = |asked: &Option<String>, given: &str| {
            asked.as_deref().is_none_or(|asked| asked == given)
        };
        fits(&self.workload, member.workload.name.as_str())
            && fits(&self.namespace, member.workload.namespace.as_str())
    }

    /// What each proxy is asked. Each alone may send all that the client wants.
    fn request(&self) -> wire::TapRequest {
        let text = |asked: &Option<String>| asked.clone().unwrap_or_default();
        wire::TapRequest {
            direction: self
                .direction
                .map(|side| side.as_str().to_owned())
                .unwrap_or_default(),
            method: text(&self.method),
            path_prefix: text(&self.path),
            route: text(&self.route),
            peer_workload: text(&self.peer),
            authority: text(&self.authority),
            failures_only: self.failures,
            max_per_second: self.max_rps,
        }
    }
}

/// Requests, live: one JSON object a line
///
/// The stream ends when the client goes away or the mesh ends. Members that join are watched from then on.
#[utoipa::path(
    get,
    path = "/api/v1/tap",
    tag = "tap",
    params(TapParameters),
    responses(
        Always,
        (status = 200, body = TapLine, content_type = "application/x-ndjson", description = "Lines, for as long as it lasts"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No member is of this workload"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "As many taps are open as may be"),
    )
)]
pub(super) async fn tap(
    State(api): State<Api>,
    Asked(asked): Asked<TapParameters>,
) -> Result<Response, Refusal> {
    require_member(&api, asked.workload.as_deref())?;
    let place = Arc::clone(&api.taps)
        .try_acquire_owned()
        .map_err(|_| Refusal::too_many_streams("taps", MAX_TAPS))?;
    let relay = Relay::new(
        asked,
        api.sources.scraper.watch_members(),
        api.sources.drain.clone(),
    );
    let lines = stream::unfold((relay, place), async |(mut relay, place)| {
        let line = relay.next_line().await?;
        Some((Ok::<_, Infallible>(encoded(&line)), (relay, place)))
    });
    Ok(([(CONTENT_TYPE, NDJSON)], Body::from_stream(lines)).into_response())
}

fn require_member(api: &Api, workload: Option<&str>) -> Result<(), Refusal> {
    let Some(workload) = workload else {
        return Ok(());
    };
    let known: BTreeSet<String> = names::members(api)
        .iter()
        .map(|member| member.workload.name.to_string())
        .collect();
    if known.contains(workload) {
        return Ok(());
    }
    Err(Refusal::unknown_name(
        "workload",
        workload,
        known.into_iter().collect(),
    ))
}

fn encoded(line: &TapLine) -> Bytes {
    // None of these values can fail to be JSON; an empty line would be read over.
    let mut json = serde_json::to_vec(line).unwrap_or_default();
    json.push(b'\n');
    json.into()
}
