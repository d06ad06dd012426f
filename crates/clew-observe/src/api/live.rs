//! `GET live`: what other questions answer, again and again, as server-sent events (HTML standard, section 9.2).
//!
//! One connection for all that a page shows: a browser has few for each host. What is watched is asked of the router
//! that answers the paths themselves, so that every answer and refusal is theirs. The stream is pulled: while the client
//! has not taken what was sent, nothing is asked, and no line of a tap is read.

mod event;
mod feed;
mod news;

use super::described::Always;
use super::query::{Asked, Parameters, Query};
use super::refusal::Refusal;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use clew_api::rest::live::{EVENT_STREAM, LiveData};
use clew_api::rest::problem::Problem;
use clew_api::rest::window::TimeSpan;
use clew_runtime::drain::DrainWatch;
use feed::Feed;
use futures_util::{StreamExt as _, stream};
use std::convert::Infallible;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use utoipa::IntoParams;

/// Live connections that may be open at the same time: a browser's tab has one.
pub(super) const MAX_LIVE: usize = 64;
/// Questions of one connection.
const MAX_WATCHED: usize = 8;
const EVERY: RangeInclusive<Duration> = Duration::from_millis(500)..=Duration::from_secs(60);
const DEFAULT_EVERY: Duration = Duration::from_secs(2);

/// Parameters of `GET live`.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LiveParameters {
    /// Path and query of another GET of this API, without the prefix: `stat?window=1m`, `tap?workload=books`. As the
    /// value of a parameter it is percent-encoded as a whole. 1 to 8 times
    #[param(min_items = 1, max_items = 8, example = json!(["stat?window=1m"]))]
    watch: Vec<String>,
    /// How often it is asked: a whole number and a unit (ms, s, m), 500ms to 60s. Default: 2s
    #[param(value_type = Option<String>, example = "2s")]
    every: Duration,
}

impl Parameters for LiveParameters {
    const REPEATED: &'static [&'static str] = &["watch"];

    fn take(query: &mut Query) -> Result<Self, Refusal> {
        let watch = query.texts("watch");
        let every = query.time("every")?.unwrap_or(DEFAULT_EVERY);
        if !EVERY.contains(&every) {
            let given = TimeSpan::new(every).to_string();
            return Err(Refusal::bad_value("every", &given, "500ms to 60s"));
        }
        match watch.get(MAX_WATCHED) {
            Some(past) => {
                let expected = format!("at most {MAX_WATCHED} of them");
                Err(Refusal::bad_value("watch", past, &expected))
            }
            None if watch.is_empty() => Err(Refusal::missing("watch", WATCHABLE)),
            None => Ok(Self { watch, every }),
        }
    }
}

const WATCHABLE: &str = "the path of a GET of this API that answers with JSON, without its prefix, such as stat?window=1m";

/// What the handler needs.
#[derive(Clone, Debug)]
pub(super) struct Live {
    /// Answers what may be watched, and nothing else.
    questions: Router,
    places: Arc<Semaphore>,
    drain: DrainWatch,
}

/// `live`, which may watch what `questions` answers to GET.
pub(super) fn router(questions: Router, drain: DrainWatch) -> Router {
    Router::new().route("/live", get(live)).with_state(Live {
        questions,
        places: Arc::new(Semaphore::new(MAX_LIVE)),
        drain,
    })
}

/// Other answers, again and again: server-sent events
///
/// Each watched path is asked at once and then every `every`. An event `answer` tells what it answers, or how it
/// refuses, when that differs from what was told last. Where only its `window` moved, every tenth is told. The lines of
/// `tap` come as events `line`. While the client does not read, nothing is asked. A comment comes every 15 seconds. The
/// stream ends when the client goes away or the mesh ends.
#[utoipa::path(
    get,
    path = "/api/v1/live",
    tag = "live",
    params(LiveParameters),
    responses(
        Always,
        (status = 200, body = LiveData, content_type = "text/event-stream", description = "Events, for as long as it lasts"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "As many live connections are open as may be"),
    )
)]
pub(super) async fn live(
    State(live): State<Live>,
    Asked(asked): Asked<LiveParameters>,
) -> Result<Response, Refusal> {
    let mut watched = Vec::with_capacity(asked.watch.len());
    for watch in &asked.watch {
        watched.push(live.watchable(watch).await?);
    }
    let place = Arc::clone(&live.places)
        .try_acquire_owned()
        .map_err(|_| Refusal::too_many_streams("live connections", MAX_LIVE))?;
    let feed = Feed::new(live.questions, watched, asked.every, live.drain);
    let events = stream::unfold((feed, place), async |(mut feed, place)| {
        let event = feed.next_event().await?;
        Some((event, (feed, place)))
    });
    let stream = stream::once(async { event::retry() }).chain(events);
    Ok((
        [(CONTENT_TYPE, EVENT_STREAM), (CACHE_CONTROL, "no-store")],
        Body::from_stream(stream.map(Ok::<_, Infallible>)),
    )
        .into_response())
}

impl Live {
    /// The URI to ask, if it is one that may be watched.
    async fn watchable(&self, watch: &str) -> Result<Uri, Refusal> {
        let refused = || Refusal::bad_value("watch", watch, WATCHABLE);
        let target = PathAndQuery::try_from(format!("/{}", watch.trim_start_matches('/')));
        let uri = Uri::from(target.map_err(|_| refused())?);
        // A method that no path takes: the router says whether there is such a path, and asks nothing.
        let mut probe = Request::new(Body::empty());
        *probe.method_mut() = Method::TRACE;
        *probe.uri_mut() = uri.clone();
        let Ok(known) = self.questions.clone().oneshot(probe).await;
        match known.status() {
            StatusCode::METHOD_NOT_ALLOWED => Ok(uri),
            _ => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests;
