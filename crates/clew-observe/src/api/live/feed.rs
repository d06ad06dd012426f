//! The events of one live connection.

use super::super::refusal::Refusal;
use super::event;
use super::news::News;
use axum::Router;
use axum::body::{Body, BodyDataStream, Bytes, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, Response, StatusCode, Uri};
use axum::response::IntoResponse as _;
use clew_api::rest::tap::NDJSON;
use clew_runtime::drain::DrainWatch;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_stream::{StreamExt as _, StreamMap};
use tower::ServiceExt as _;

/// The largest answer that is passed on.
const MAX_ANSWER_BYTES: usize = 32 << 20;
/// A connection whose client is gone is noticed when something is written.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// One watched path.
#[derive(Debug)]
struct Watched {
    uri: Uri,
    news: News,
    /// It is being asked.
    is_asked: bool,
}

/// What a path answered.
struct Answer {
    watch: usize,
    status: StatusCode,
    content: Content,
}

enum Content {
    Whole(Bytes),
    Lines(BodyDataStream),
}

/// Asks what is watched, and tells what is new. It does so only while its next event is awaited.
pub(super) struct Feed {
    questions: Router,
    watched: Vec<Watched>,
    /// Tasks, which go on while nobody awaits the next event: a question that stands still could keep others from the
    /// store. There is at most one for each watched path.
    asking: JoinSet<Answer>,
    lines: StreamMap<usize, BodyDataStream>,
    rounds: Interval,
    heartbeats: Interval,
    drain: DrainWatch,
}

impl Feed {
    pub(super) fn new(
        questions: Router,
        watched: Vec<Uri>,
        every: Duration,
        drain: DrainWatch,
    ) -> Self {
        let watched = watched.into_iter().map(|uri| Watched {
            uri,
            news: News::default(),
            is_asked: false,
        });
        let mut rounds = tokio::time::interval(every);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut heartbeats =
            tokio::time::interval_at(tokio::time::Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeats.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Self {
            questions,
            watched: watched.collect(),
            asking: JoinSet::new(),
            lines: StreamMap::new(),
            rounds,
            heartbeats,
            drain,
        }
    }

    /// The next event; `None` when the mesh ends.
    pub(super) async fn next_event(&mut self) -> Option<Bytes> {
        loop {
            tokio::select! {
                () = self.drain.started() => return None,
                _ = self.rounds.tick() => self.ask(),
                _ = self.heartbeats.tick() => return Some(event::heartbeat()),
                Some(answered) = self.asking.join_next() => match answered {
                    Ok(answer) => {
                        if let Some(event) = self.take(answer) {
                            return Some(event);
                        }
                    }
                    Err(error) => {
                        tracing::error!(%error, "a question of a live connection ended with a panic");
                        return None;
                    }
                },
                // Whoever answers with lines gives whole ones: nothing is between us and it.
                Some((watch, Ok(lines))) = self.lines.next() => {
                    return Some(event::lines(watch, &lines));
                }
            }
        }
    }

    /// Asks whatever is not still being asked, and does not answer with lines right now.
    fn ask(&mut self) {
        for (watch, watched) in self.watched.iter_mut().enumerate() {
            if !watched.is_asked && !self.lines.contains_key(&watch) {
                watched.is_asked = true;
                self.asking
                    .spawn(ask(self.questions.clone(), watch, watched.uri.clone()));
            }
        }
    }

    /// The event that tells of an answer, when it is new.
    fn take(&mut self, answer: Answer) -> Option<Bytes> {
        let watched = self.watched.get_mut(answer.watch)?;
        watched.is_asked = false;
        match answer.content {
            Content::Lines(lines) => {
                watched.news = News::default();
                self.lines.insert(answer.watch, lines);
                None
            }
            Content::Whole(body) => {
                let is_news = watched.news.admits(answer.status, &body);
                is_news.then(|| event::answer(answer.watch, answer.status, &body))
            }
        }
    }
}

async fn ask(questions: Router, watch: usize, uri: Uri) -> Answer {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri;
    let Ok(response) = questions.oneshot(request).await;
    let status = response.status();
    if is_ndjson(&response) {
        let content = Content::Lines(response.into_body().into_data_stream());
        return Answer {
            watch,
            status,
            content,
        };
    }
    let (status, body) = match to_bytes(response.into_body(), MAX_ANSWER_BYTES).await {
        Ok(body) => (status, body),
        Err(error) => refused(error.to_string()).await,
    };
    Answer {
        watch,
        status,
        content: Content::Whole(body),
    }
}

/// The answer could not be read to its end.
async fn refused(reason: String) -> (StatusCode, Bytes) {
    let response = Refusal::failed(reason).into_response();
    let status = response.status();
    let body = to_bytes(response.into_body(), MAX_ANSWER_BYTES).await;
    (status, body.unwrap_or_default())
}

fn is_ndjson(response: &Response<Body>) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|of| of == NDJSON)
}
