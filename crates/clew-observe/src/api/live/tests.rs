//! Feeds over questions whose answers the tests decide, on a clock that they move.
#![allow(clippy::unwrap_used)]

use super::*;
use clew_api::rest::tap::NDJSON;
use clew_runtime::drain::Drain;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

const EVERY: Duration = Duration::from_secs(2);

struct Questions {
    feed: Feed,
    asked: Arc<AtomicU64>,
    drain: Drain,
}

/// A feed of one path that counts how often it was asked, and answers by that.
fn feed_of(answer: fn(u64) -> Response) -> Questions {
    let (drain, watch) = Drain::new(Duration::from_secs(5));
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let handler = move || {
        let number = count.fetch_add(1, Ordering::SeqCst);
        async move { answer(number) }
    };
    let questions = Router::new().route("/q", get(handler));
    let watched = vec![Uri::from_static("/q")];
    Questions {
        feed: Feed::new(questions, watched, EVERY, watch),
        asked,
        drain,
    }
}

impl Questions {
    async fn next(&mut self) -> String {
        let event = self.feed.next_event().await.unwrap();
        String::from_utf8(event.to_vec()).unwrap()
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

fn count(number: u64) -> Response {
    axum::Json(serde_json::json!({ "count": number })).into_response()
}

fn event(body: &str) -> String {
    format!("event: answer\ndata: {{\"watch\":0,\"status\":200,\"body\":{body}}}\n\n")
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_while_the_client_does_not_read_and_missed_rounds_are_skipped() {
    let mut questions = feed_of(count);
    let begun = Instant::now();
    assert_eq!(questions.next().await, event(r#"{"count":0}"#));
    tokio::time::sleep(EVERY * 5).await;
    assert_eq!(questions.asked(), 1, "nobody waited for the answer");
    assert_eq!(questions.next().await, event(r#"{"count":1}"#));
    assert_eq!(begun.elapsed(), EVERY * 5, "it is late, and asked at once");
    assert_eq!(questions.next().await, event(r#"{"count":2}"#));
    assert_eq!(begun.elapsed(), EVERY * 6, "four rounds were missed");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stays_the_same_is_told_once_and_heartbeats_go_on() {
    let mut questions = feed_of(|_| count(7));
    let begun = Instant::now();
    assert_eq!(questions.next().await, event(r#"{"count":7}"#));
    for beat in 1..=3 {
        assert_eq!(questions.next().await, ":\n\n");
        assert_eq!(begun.elapsed(), Duration::from_secs(15 * beat));
    }
    assert!(questions.asked() > 20);
}

#[tokio::test(start_paused = true)]
async fn a_question_that_takes_longer_than_a_round_is_not_asked_twice_at_once() {
    let slow = |number| {
        let body = async move {
            tokio::time::sleep(EVERY * 3).await;
            Ok::<_, Infallible>(format!("{number}"))
        };
        Body::from_stream(stream::once(body)).into_response()
    };
    let mut questions = feed_of(slow);
    let begun = Instant::now();
    assert_eq!(questions.next().await, event("0"));
    assert_eq!(questions.asked(), 1);
    assert_eq!(questions.next().await, event("1"));
    assert_eq!(questions.asked(), 2);
    assert!(begun.elapsed() <= EVERY * 7, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn lines_that_are_refused_or_end_are_asked_for_again() {
    let lines = |number| match number {
        0 => (StatusCode::NOT_FOUND, axum::Json("nobody")).into_response(),
        _ => ([(CONTENT_TYPE, NDJSON)], format!("{number}\n")).into_response(),
    };
    let mut questions = feed_of(lines);
    let refused = questions.next().await;
    assert!(
        refused.contains(r#""status":404,"body":"nobody""#),
        "{refused}"
    );
    for number in 1..=2 {
        let expected = format!("event: line\ndata: {{\"watch\":0,\"line\":{number}}}\n\n");
        assert_eq!(questions.next().await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_that_panics_ends_the_connection() {
    let mut questions = feed_of(|_| panic!("this test does"));
    assert_eq!(questions.feed.next_event().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_feed_ends_with_the_mesh() {
    let mut questions = feed_of(|_| count(7));
    questions.next().await;
    questions.drain.start();
    assert_eq!(questions.feed.next_event().await, None);
}
