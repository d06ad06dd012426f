//! Tap: closed hops, and now and then streams that are still open, live, to whoever watches. While nobody does, a
//! request costs one read of a counter.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use arc_swap::ArcSwap;
use clew_api::wire::tap::{Header, TapEvent, TapRequest};
use clew_model::name::{InstanceId, ServiceName, Workload};
use http::HeaderMap;
use tokio::sync::mpsc;

use super::clock::nanoseconds;
use super::span::protocol_version;
use crate::hop::{Classification, Direction, HopRecord};

#[cfg(test)]
mod tests;

/// Watches at one time.
const MAX_WATCHES: usize = 32;
/// Events that wait for one watch.
const QUEUE: usize = 1_024;
/// Events a second, where the request does not say.
const DEFAULT_MAX_PER_SECOND: u32 = 100;
/// What stands for a header's value that no setting shows.
const REDACTED: &str = "(redacted)";

/// Why a watch was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TapError {
    /// Not a direction.
    #[error("direction is {given:?}; expected \"inbound\", \"outbound\" or nothing")]
    Direction {
        /// What the request says.
        given: String,
    },
    /// There are too many.
    #[error("{MAX_WATCHES} watches are open already")]
    TooMany,
}

/// All watches of a proxy.
#[derive(Debug)]
pub(super) struct Tap {
    /// Number of watches.
    active: AtomicUsize,
    watches: ArcSwap<Vec<Arc<Watch>>>,
    /// Held while the list is replaced, never by a worker.
    changing: Mutex<()>,
    started: Instant,
}

impl Tap {
    pub(super) fn new() -> Self {
        Self {
            active: AtomicUsize::new(0),
            watches: ArcSwap::default(),
            changing: Mutex::new(()),
            started: Instant::now(),
        }
    }

    /// Whether anyone watches.
    #[inline]
    pub(super) fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed) > 0
    }

    /// Begins a watch, which ends when the stream is dropped.
    pub(super) fn watch(self: &Arc<Self>, request: TapRequest) -> Result<TapStream, TapError> {
        let (sender, events) = mpsc::channel(QUEUE);
        let watch = Arc::new(Watch::new(request, sender)?);
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut watches = Vec::clone(&self.watches.load());
        if watches.len() >= MAX_WATCHES {
            return Err(TapError::TooMany);
        }
        watches.push(Arc::clone(&watch));
        self.replace(watches);
        Ok(TapStream {
            events,
            watch,
            tap: Arc::clone(self),
        })
    }

    fn end(&self, ended: &Arc<Watch>) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let watches = self
            .watches
            .load()
            .iter()
            .filter(|watch| !Arc::ptr_eq(watch, ended))
            .cloned()
            .collect();
        self.replace(watches);
    }

    fn replace(&self, watches: Vec<Arc<Watch>>) {
        let active = watches.len();
        self.watches.store(Arc::new(watches));
        self.active.store(active, Ordering::Relaxed);
    }

    /// Shows a hop to those who want it. `event` makes it, and is called only for them.
    pub(super) fn show(&self, record: &HopRecord, event: impl Fn() -> TapEvent) {
        let second = self.started.elapsed().as_secs();
        for watch in self
            .watches
            .load()
            .iter()
            .filter(|watch| watch.matches(record))
        {
            watch.offer(second, &event);
        }
    }
}

/// What one watcher wants to see.
#[derive(Debug)]
struct Watch {
    direction: Option<Direction>,
    request: TapRequest,
    max_per_second: u64,
    /// Which second it is, and how many events were sent in it: 32 bits each.
    window: AtomicU64,
    /// Matched but not sent since the last event.
    skipped: AtomicU64,
    sender: mpsc::Sender<TapEvent>,
}

impl Watch {
    fn new(request: TapRequest, sender: mpsc::Sender<TapEvent>) -> Result<Self, TapError> {
        let direction = match request.direction.as_str() {
            "" => None,
            "inbound" => Some(Direction::Inbound),
            "outbound" => Some(Direction::Outbound),
            given => {
                return Err(TapError::Direction {
                    given: given.to_owned(),
                });
            }
        };
        let max_per_second = match request.max_per_second {
            0 => DEFAULT_MAX_PER_SECOND,
            given => given,
        };
        Ok(Self {
            direction,
            request,
            max_per_second: max_per_second.into(),
            window: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            sender,
        })
    }

    fn matches(&self, record: &HopRecord) -> bool {
        let is = |wanted: &str, given: &str| wanted.is_empty() || wanted == given;
        let workload = record
            .key
            .peer
            .workload
            .as_ref()
            .map_or("", |workload| workload.name.as_str());
        self.direction
            .is_none_or(|direction| direction == record.key.direction)
            && (!self.request.failures_only || record.classification == Classification::Failure)
            && is(&self.request.method, record.method.as_str())
            && is(&self.request.route, record.key.route.as_str())
            && is(&self.request.peer_workload, workload)
            && is(&self.request.authority, &record.authority)
            && record.path.path().starts_with(&self.request.path_prefix)
    }

    /// Sends an event unless there were too many in this second, or the watcher is too slow.
    fn offer(&self, second: u64, event: impl Fn() -> TapEvent) {
        if !self.take_place(second) {
            self.skipped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let Ok(permit) = self.sender.try_reserve() else {
            self.skipped.fetch_add(1, Ordering::Relaxed);
            return;
        };
        permit.send(TapEvent {
            skipped: self.skipped.swap(0, Ordering::Relaxed),
            ..event()
        });
    }

    fn take_place(&self, second: u64) -> bool {
        let second = second & 0xffff_ffff;
        let take = |window: u64| {
            let sent = if window >> 32 == second {
                window & 0xffff_ffff
            } else {
                0
            };
            (sent < self.max_per_second).then_some(second << 32 | (sent + 1))
        };
        self.window
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }
}

/// The events of one watch. Dropping it ends the watch.
#[derive(Debug)]
pub struct TapStream {
    events: mpsc::Receiver<TapEvent>,
    watch: Arc<Watch>,
    tap: Arc<Tap>,
}

impl TapStream {
    /// The next event.
    pub fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<TapEvent>> {
        self.events.poll_recv(cx)
    }
}

impl futures_util::Stream for TapStream {
    type Item = Result<TapEvent, tonic::Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_event(cx).map(|event| event.map(Ok))
    }
}

impl Drop for TapStream {
    fn drop(&mut self) {
        self.tap.end(&self.watch);
    }
}

/// A hop as an event, of this workload and instance. Header values are shown where `shown` says.
pub(super) fn event(
    workload: &Workload,
    instance: &InstanceId,
    record: &HopRecord,
    shown: &dyn Fn(&str) -> bool,
) -> TapEvent {
    let peer = &record.key.peer;
    let kept = record.trace.as_ref().filter(|trace| trace.kept);
    TapEvent {
        start_unix_nano: record.start_unix_nano,
        duration_nano: nanoseconds(record.duration()),
        direction: record.key.direction.as_str().to_owned(),
        workload: workload.name.to_string(),
        namespace: workload.namespace.to_string(),
        instance: instance.to_string(),
        peer_workload: peer
            .workload
            .as_ref()
            .map(|workload| workload.name.to_string())
            .unwrap_or_default(),
        peer_namespace: peer
            .workload
            .as_ref()
            .map(|workload| workload.namespace.to_string())
            .unwrap_or_default(),
        dst_service: peer
            .service
            .as_ref()
            .map(ServiceName::to_string)
            .unwrap_or_default(),
        method: record.method.to_string(),
        scheme: record.scheme.to_owned(),
        authority: record.authority.to_string(),
        path: record.path.path().to_owned(),
        route: record.key.route.to_string(),
        protocol_version: protocol_version(record.version).to_owned(),
        status_code: record.status.map_or(0, |status| status.as_u16().into()),
        grpc_status: record
            .grpc_status
            .map(|status| status.to_string())
            .unwrap_or_default(),
        classification: record.classification.as_str().to_owned(),
        error: record.error_label().to_owned(),
        request_bytes: record.request_bytes,
        response_bytes: record.response_bytes,
        trace_id: record
            .trace
            .as_ref()
            .map(|trace| trace.trace_id.to_string())
            .unwrap_or_default(),
        span_id: kept
            .map(|trace| trace.span_id.to_string())
            .unwrap_or_default(),
        sampled: kept.is_some(),
        request_headers: headers(record.request_headers.as_ref(), shown),
        response_headers: headers(record.response_headers.as_ref(), shown),
        proxy_time_nano: record
            .phases
            .iter()
            .map(|(phase, time)| (phase.as_str().to_owned(), nanoseconds(time)))
            .collect(),
        skipped: 0,
        open: false,
    }
}

/// The event of a stream of which nobody knows yet how it ends.
pub(super) fn still_open(event: TapEvent) -> TapEvent {
    TapEvent {
        open: true,
        classification: String::new(),
        ..event
    }
}

fn headers(headers: Option<&HeaderMap>, shown: &dyn Fn(&str) -> bool) -> Vec<Header> {
    let show = |(name, value): (&http::HeaderName, &http::HeaderValue)| Header {
        name: name.as_str().to_owned(),
        value: match shown(name.as_str()) {
            true => String::from_utf8_lossy(value.as_bytes()).into_owned(),
            false => REDACTED.to_owned(),
        },
    };
    headers
        .into_iter()
        .flat_map(HeaderMap::iter)
        .map(show)
        .collect()
}
