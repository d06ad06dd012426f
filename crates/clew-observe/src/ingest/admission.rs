//! How much is taken in at the same time: bounds memory, whoever sends whatever.
//!
//! A body is read first, against a budget of bytes that all requests share, so that one that trickles in keeps
//! nobody out. Only what has arrived takes one of the few places in which bodies become spans.

use super::{Ingest, Refusal};
use axum::body::{Body, Bytes};
use bytes::BytesMut;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Requests that are decompressed and decoded at the same time, gRPC and HTTP together.
pub(super) const MAX_DECODES: usize = 4;
/// Bytes of bodies that are held at the same time, as they came.
pub(super) const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;
/// The budget is given out in pieces of so many bytes.
const PIECE_BYTES: usize = 4 * 1024;
/// How long a request that has arrived waits for its place.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// In which a body has to arrive.
const MAX_TIME: Duration = Duration::from_secs(15);

#[derive(Clone, Debug)]
pub(super) struct Admission {
    places: Arc<Semaphore>,
    budget: Arc<Semaphore>,
}

/// A body that has arrived, its place, and its part of the budget, both of which go with it.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) bytes: Bytes,
    _budget: Option<OwnedSemaphorePermit>,
    _place: OwnedSemaphorePermit,
}

impl Admission {
    pub(super) fn new() -> Self {
        Self {
            places: Arc::new(Semaphore::new(MAX_DECODES)),
            budget: Arc::new(Semaphore::new(MAX_BODY_BYTES / PIECE_BYTES)),
        }
    }

    #[cfg(test)]
    pub(super) async fn hold_all(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.places.acquire_many(MAX_DECODES as u32).await.ok()
    }

    /// Places and bytes that are free.
    #[cfg(test)]
    pub(super) fn free(&self) -> (usize, usize) {
        (
            self.places.available_permits(),
            self.budget.available_permits() * PIECE_BYTES,
        )
    }

    /// Reads a body of at most `limit` bytes, and waits for its place.
    pub(super) async fn admit(&self, body: Body, limit: usize) -> Result<Arrived, Refusal> {
        let read = timeout(MAX_TIME, self.read(body, limit)).await;
        let (bytes, budget) = read.map_err(|_| Refusal::Slow)??;
        match timeout(MAX_WAIT, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(Arrived {
                bytes,
                _budget: budget,
                _place: place,
            }),
            _ => Err(Refusal::Busy),
        }
    }

    async fn read(
        &self,
        body: Body,
        limit: usize,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
        let mut body = Limited::new(body, limit);
        let mut bytes = BytesMut::new();
        let mut budget: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| match error.is::<LengthLimitError>() {
                true => Refusal::TooLarge,
                false => Refusal::Malformed(error.to_string()),
            })?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            let held = budget.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
            let needed = (bytes.len() + data.len()).div_ceil(PIECE_BYTES);
            if let Some(more) = needed.checked_sub(held).filter(|more| *more > 0) {
                let more = u32::try_from(more).unwrap_or(u32::MAX);
                // Waiting would keep what is held from those whom it would let finish.
                let more = Arc::clone(&self.budget).try_acquire_many_owned(more);
                let more = more.map_err(|_| Refusal::Busy)?;
                match &mut budget {
                    Some(budget) => budget.merge(more),
                    None => budget = Some(more),
                }
            }
            bytes.extend_from_slice(&data);
        }
        Ok((bytes.freeze(), budget))
    }
}

impl Ingest {
    /// Reads a body, and makes spans of it on a thread of its own: some milliseconds, which other connections
    /// should not wait for.
    pub(super) async fn take<T: Send + 'static>(
        &self,
        body: Body,
        limit: usize,
        convert: impl FnOnce(&Self, Bytes) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let arrived = self.admission.admit(body, limit).await?;
        let ingest = self.clone();
        // What has arrived keeps its place to the end, also when nobody waits for the answer any more.
        let taken = tokio::task::spawn_blocking(move || {
            let result = convert(&ingest, arrived.bytes.clone());
            drop(arrived);
            result
        });
        taken
            .await
            .unwrap_or_else(|_| Err(Refusal::Malformed("it could not be converted".to_owned())))
    }
}
