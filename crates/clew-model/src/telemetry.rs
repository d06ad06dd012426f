//! What proxies report, and how: the settings that control hands out and that change while they run.

use std::sync::Arc;

/// Telemetry settings of a proxy.
#[derive(Clone, Debug, PartialEq)]
pub struct TelemetrySettings {
    /// False: nothing is minted or emitted. Metrics are as before.
    pub tracing: bool,
    /// Decides for roots; a trusted decision that came in is kept.
    pub sampling: Sampling,
    /// Families written beside W3C and the one that came in.
    pub write: WriteFormats,
    /// Which hops go to the access log.
    pub access_log: AccessLog,
    /// Headers, lower case, whose values tap and the access log may show.
    pub show_headers: Arc<[Arc<str>]>,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            tracing: true,
            sampling: Sampling::default(),
            write: WriteFormats::default(),
            access_log: AccessLog::Off,
            show_headers: Arc::new([]),
        }
    }
}

/// Sampling of roots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Share of roots to keep, 0 to 1.
    pub ratio: f64,
    /// At most this many new traces a second and proxy, when set. Greater than 0.
    pub max_per_second: Option<f64>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            ratio: 1.0,
            max_per_second: None,
        }
    }
}

/// Trace-context families to write whatever came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteFormats {
    /// `b3` as one header.
    pub b3_single: bool,
    /// `x-b3-*` headers.
    pub b3_multi: bool,
}

/// Which hops go to the access log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccessLog {
    /// None.
    #[default]
    Off,
    /// Those that are classed as failures.
    Errors,
    /// All.
    All,
}
