//! One stream of answers out of many attempts: ask, read, lose, wait, ask again.

use super::Updates;
use super::backoff::{self, Backoff};
use crate::convert::ConversionError;
use crate::unknown::is_unknown;
use futures_util::stream::{self, StreamExt as _};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use tonic::{Code, Response, Status, Streaming};

/// Distinct remarks about policies that one stream logs; more would only be repetitions of a kind.
const MAX_REMARKS: usize = 64;

/// One kind of stream: how to ask, and what to make of the answers.
pub(super) trait Watch: Send + 'static {
    /// What control sends.
    type Message: Send + 'static;
    /// What the stream yields.
    type Item: Send + 'static;
    /// The call's name, for logs.
    const CALL: &'static str;

    /// Asks. Called again after each loss; what is known stays known.
    fn open(
        &mut self,
    ) -> impl Future<Output = Result<Response<Streaming<Self::Message>>, Status>> + Send;

    /// One answer; `None` when it is no news.
    fn message(&mut self, message: Self::Message) -> Result<Read<Self::Item>, ConversionError>;

    /// Control does not know what was asked about; `None` when that is no news.
    fn unknown(&mut self) -> Option<Self::Item> {
        None
    }
}

/// What one answer came to.
pub(super) struct Read<T> {
    /// What is news.
    pub(super) news: Option<T>,
    /// What the log should say, once each.
    pub(super) remarks: Vec<String>,
}

impl<T> Read<T> {
    pub(super) fn news(news: Option<T>) -> Self {
        Self {
            news,
            remarks: Vec::new(),
        }
    }
}

/// Whether control can be reached, over all streams of a client: its loss is one line in the log, not one
/// for each stream.
#[derive(Debug)]
pub(super) struct Link {
    uri: String,
    reachable: AtomicBool,
}

impl Link {
    pub(super) fn new(uri: String) -> Self {
        Self {
            uri,
            reachable: AtomicBool::new(true),
        }
    }

    fn found(&self) {
        if !self.reachable.swap(true, Ordering::Relaxed) {
            tracing::info!(control = %self.uri, "control is reachable again");
        }
    }

    fn lost(&self, call: &str, status: &Status) {
        if self.reachable.swap(false, Ordering::Relaxed) {
            tracing::warn!(control = %self.uri, call, error = %chain(status), "control is lost; what is known stands");
        } else {
            tracing::debug!(control = %self.uri, call, error = %chain(status), "control is still lost");
        }
    }
}

/// The status with its causes: transport errors say only "transport error" themselves.
fn chain(status: &Status) -> String {
    let mut text = format!("{:?}: {}", status.code(), status.message());
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Follows what is asked about, for ever.
pub(super) fn follow<W: Watch>(watch: W, link: &Arc<Link>) -> Updates<W::Item> {
    let followed = Followed {
        watch,
        link: Arc::clone(link),
        answers: None,
        opened: None,
        wait: None,
        backoff: Backoff::new(),
        refused: false,
        remarked: HashSet::new(),
    };
    stream::unfold(followed, |mut followed| async move {
        let item = followed.next().await;
        Some((item, followed))
    })
    .boxed()
}

struct Followed<W: Watch> {
    watch: W,
    link: Arc<Link>,
    /// Open while control answers.
    answers: Option<Streaming<W::Message>>,
    /// When control last began to answer.
    opened: Option<Instant>,
    /// To be waited for before control is asked again.
    wait: Option<Duration>,
    backoff: Backoff,
    /// The last answer was a refusal, which has been logged.
    refused: bool,
    /// Remarks that have been logged.
    remarked: HashSet<String>,
}

impl<W: Watch> Followed<W> {
    async fn next(&mut self) -> W::Item {
        loop {
            let news = match &mut self.answers {
                Some(answers) => match answers.message().await {
                    Ok(Some(message)) => self.read(message),
                    // Control ends streams when it drains; it, or its successor, is asked again.
                    Ok(None) => self.ended(&Status::unavailable("the stream ended")),
                    Err(status) => self.ended(&status),
                },
                None => self.ask().await,
            };
            if let Some(item) = news {
                return item;
            }
        }
    }

    async fn ask(&mut self) -> Option<W::Item> {
        if let Some(wait) = self.wait.take() {
            tokio::time::sleep(wait).await;
        }
        match self.watch.open().await {
            Ok(response) => {
                self.link.found();
                let unknown = is_unknown(response.metadata());
                self.answers = Some(response.into_inner());
                self.opened = Some(Instant::now());
                if unknown { self.watch.unknown() } else { None }
            }
            Err(status) => self.ended(&status),
        }
    }

    fn read(&mut self, message: W::Message) -> Option<W::Item> {
        self.refused = false;
        match self.watch.message(message) {
            Ok(read) => {
                for remark in read.remarks {
                    if self.remarked.len() < MAX_REMARKS && self.remarked.insert(remark.clone()) {
                        tracing::warn!(call = W::CALL, "{remark}");
                    }
                }
                read.news
            }
            Err(error) => {
                tracing::warn!(call = W::CALL, %error, "an answer of control makes no sense and is left out");
                None
            }
        }
    }

    /// The stream is over. The next attempt waits.
    fn ended(&mut self, status: &Status) -> Option<W::Item> {
        let was_open = self.answers.take().is_some();
        // A control that answers and soon ends the stream, again and again, is asked ever less often.
        if self
            .opened
            .take()
            .is_some_and(|opened| opened.elapsed() >= backoff::LONGEST)
        {
            self.backoff.reset();
        }
        self.wait = Some(self.backoff.next_wait());
        match status.code() {
            Code::NotFound => {
                self.link.found();
                return self.watch.unknown();
            }
            Code::Unavailable
            | Code::Unknown
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Internal => {
                self.link.lost(W::CALL, status);
            }
            // Control is there and says no: it will be asked again, for it may be restarted or relieved.
            _ if !self.refused => {
                self.refused = true;
                tracing::warn!(call = W::CALL, error = %chain(status), was_open, "control refuses");
            }
            _ => {
                tracing::debug!(call = W::CALL, error = %chain(status), was_open, "control still refuses")
            }
        }
        None
    }
}
