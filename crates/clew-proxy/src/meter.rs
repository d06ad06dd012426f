//! What one connection between two members counts: that it is open, for how long, and its bytes.

use crate::report::TcpSeries;
use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::time::Instant;

/// The meter of one connection to a peer. It rides on the connection's bytes, and the connection is closed
/// when it is dropped.
///
/// Who opened a connection is known from its first request only: until then the meter remembers, and counts
/// nothing.
pub(crate) struct Meter {
    opened: Instant,
    read_bytes: Cell<u64>,
    written_bytes: Cell<u64>,
    series: OnceCell<TcpSeries>,
}

impl Meter {
    /// A connection that was opened just now, by someone who is not known yet.
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            opened: Instant::now(),
            read_bytes: Cell::new(0),
            written_bytes: Cell::new(0),
            series: OnceCell::new(),
        })
    }

    /// A connection to a known peer that was opened just now.
    pub(crate) fn of(series: TcpSeries) -> Rc<Self> {
        let meter = Self::new();
        meter.attribute(|| series);
        meter
    }

    /// Counts the connection where it belongs, and what it has counted so far. The first answer stands.
    pub(crate) fn attribute(&self, series: impl FnOnce() -> TcpSeries) {
        self.series.get_or_init(|| {
            let series = series();
            series.opened();
            series.read(self.read_bytes.get());
            series.written(self.written_bytes.get());
            series
        });
    }

    /// What has come so far was TLS speaking for itself: both sides count what it carries.
    pub(crate) fn secured(&self) {
        self.read_bytes.set(0);
        self.written_bytes.set(0);
    }

    /// What goes over it is not read.
    pub(crate) fn opaque(&self) {
        if let Some(series) = self.series.get() {
            series.opaque();
        }
    }

    /// Bytes came from the peer.
    pub(crate) fn read(&self, bytes: usize) {
        match self.series.get() {
            Some(series) => series.read(bytes as u64),
            None => self.read_bytes.set(self.read_bytes.get() + bytes as u64),
        }
    }

    /// Bytes went to the peer.
    pub(crate) fn written(&self, bytes: usize) {
        match self.series.get() {
            Some(series) => series.written(bytes as u64),
            None => self
                .written_bytes
                .set(self.written_bytes.get() + bytes as u64),
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
