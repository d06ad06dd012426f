//! What one connection between two members counts: that it is open, for how long, and its bytes.

use crate::report::TcpSeries;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// The meter of one connection to a peer. It rides on the connection's bytes, and the connection is closed
/// when it is dropped.
///
/// Who opened a connection is known from its first request only: until then the meter remembers, and counts
/// nothing. It stays on the connection's thread; that it could leave it is asked for by hyper's upgrades.
pub(crate) struct Meter {
    opened: Instant,
    read_bytes: AtomicU64,
    written_bytes: AtomicU64,
    series: OnceLock<TcpSeries>,
}

impl Meter {
    /// A connection that was opened just now, by someone who is not known yet.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            read_bytes: AtomicU64::new(0),
            written_bytes: AtomicU64::new(0),
            series: OnceLock::new(),
        })
    }

    /// A connection to a known peer that was opened just now.
    pub(crate) fn of(series: TcpSeries) -> Arc<Self> {
        let meter = Self::new();
        meter.attribute(|| series);
        meter
    }

    /// Counts the connection where it belongs, and what it has counted so far. The first answer stands.
    pub(crate) fn attribute(&self, series: impl FnOnce() -> TcpSeries) {
        self.series.get_or_init(|| {
            let series = series();
            series.opened();
            series.read(self.read_bytes.load(Relaxed));
            series.written(self.written_bytes.load(Relaxed));
            series
        });
    }

    /// Bytes came from the peer.
    pub(crate) fn read(&self, bytes: usize) {
        match self.series.get() {
            Some(series) => series.read(bytes as u64),
            None => drop(self.read_bytes.fetch_add(bytes as u64, Relaxed)),
        }
    }

    /// Bytes went to the peer.
    pub(crate) fn written(&self, bytes: usize) {
        match self.series.get() {
            Some(series) => series.written(bytes as u64),
            None => drop(self.written_bytes.fetch_add(bytes as u64, Relaxed)),
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(series) = self.series.get() {
            series.closed(self.opened.elapsed());
        }
    }
}
