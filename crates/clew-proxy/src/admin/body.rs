//! The body of an answer, which knows when it has been read.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::report::{Scrape, ScrapeReceipt};

/// Handed to the connection at a time. It asks for the next piece when it has room, so that the last piece
/// is asked for when nearly everything has left.
const PIECE: usize = 64 * 1024;

/// Text, or a scrape.
#[derive(Debug)]
pub(super) struct AdminBody {
    rest: Bytes,
    receipt: Option<ScrapeReceipt>,
}

impl AdminBody {
    pub(super) fn text(text: impl Into<Bytes>) -> Self {
        Self {
            rest: text.into(),
            receipt: None,
        }
    }

    pub(super) fn scrape(scrape: Scrape) -> Self {
        Self {
            rest: scrape.body.into(),
            receipt: Some(scrape.receipt),
        }
    }
}

impl Body for AdminBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        if self.rest.is_empty()
            && let Some(receipt) = self.receipt.take()
        {
            receipt.delivered();
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
