//! Bodies of requests and responses that a test writes, piece by piece if it wants.

use crate::within;
use bytes::Bytes;
use http::HeaderMap;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use std::fmt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// A body to send.
pub type Body = UnsyncBoxBody<Bytes, Aborted>;

/// The writer of a body gave up: the connection is closed, or the stream reset.
#[derive(Clone, Copy, Debug)]
pub struct Aborted;

impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the test aborted the body")
    }
}

impl std::error::Error for Aborted {}

/// No body.
pub fn empty() -> Body {
    full(Bytes::new())
}

/// A body of known length.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A body that is written while it is sent. Dropping the writer ends it.
pub fn written() -> (BodyWriter, Body) {
    // One frame waits at most, so that a writer feels when the other side does not read.
    let (frames, receiver) = mpsc::channel(1);
    let body = StreamBody::new(ReceiverStream::new(receiver)).boxed_unsync();
    (BodyWriter { frames }, body)
}

/// The writing end of a body.
#[derive(Debug)]
pub struct BodyWriter {
    frames: mpsc::Sender<Result<Frame<Bytes>, Aborted>>,
}

impl BodyWriter {
    /// Sends data; waits while the piece before it has not been taken.
    pub async fn data(&self, bytes: impl Into<Bytes>) {
        self.frame(Ok(Frame::data(bytes.into()))).await;
    }

    /// Sends data, if anyone still reads.
    pub async fn try_data(&self, bytes: impl Into<Bytes>) -> bool {
        let sent = self.frames.send(Ok(Frame::data(bytes.into())));
        within("the reader of a body to take a piece of it", sent)
            .await
            .is_ok()
    }

    /// Ends the body with trailers.
    pub async fn trailers(self, trailers: HeaderMap) {
        self.frame(Ok(Frame::trailers(trailers))).await;
    }

    /// Ends the body as it should be.
    pub fn end(self) {}

    /// Breaks the body off.
    pub async fn abort(self) {
        self.frame(Err(Aborted)).await;
    }

    /// Waits until nobody reads the body any more.
    pub async fn unread(&self) {
        within("the reader of a body to let go of it", self.frames.closed()).await;
    }

    async fn frame(&self, frame: Result<Frame<Bytes>, Aborted>) {
        let sent = within(
            "the reader of a body to take a piece of it",
            self.frames.send(frame),
        )
        .await;
        assert!(sent.is_ok(), "nobody reads the body any more");
    }
}

/// A body that was read to its end.
#[derive(Clone, Debug, Default)]
pub struct Whole {
    /// All data.
    pub data: Bytes,
    /// What came after it.
    pub trailers: HeaderMap,
}

/// Reads a body to its end.
pub async fn read(body: Incoming) -> Result<Whole, hyper::Error> {
    let collected = within("the end of a body", body.collect()).await?;
    let trailers = collected.trailers().cloned().unwrap_or_default();
    Ok(Whole {
        data: collected.to_bytes(),
        trailers,
    })
}

/// The next piece of a body's data, never an empty one; `None` at its end.
pub async fn next_data(body: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
    loop {
        let frame = within("the next piece of a body", body.frame()).await?;
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) if data.is_empty() => {}
            Ok(Ok(data)) => return Some(Ok(data)),
            Ok(Err(_trailers)) => {}
            Err(error) => return Some(Err(error)),
        }
    }
}
