//! Answers that follow what changes: `GET live` answers with server-sent events.
//!
//! There are two kinds of events: `answer`, whose data is a [`LiveAnswer`], and `line`, whose data is a [`LiveLine`].

use super::tap::TapLine;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Content type of the stream.
pub const EVENT_STREAM: &str = "text/event-stream";

/// Data of an event `answer`: what a watched path answers now. It was different when it was sent last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LiveAnswer {
    /// Which of the parameters `watch`, counted from 0.
    pub watch: usize,
    /// Status of the answer; 200, or that of a refusal.
    pub status: u16,
    /// The answer as its path gives it; a `Problem` where the status says so.
    pub body: serde_json::Value,
}

/// Data of an event `line`: one line of a path that answers with lines (`tap`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LiveLine {
    /// Which of the parameters `watch`, counted from 0.
    pub watch: usize,
    /// The line.
    pub line: TapLine,
}

/// Data of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum LiveData {
    /// Of an event `answer`.
    Answer(LiveAnswer),
    /// Of an event `line`.
    Line(LiveLine),
}
