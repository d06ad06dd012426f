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

impl WriteFormats {
    /// What [`WriteFormats::add`] takes, for who is to be told.
    pub const EXPECTED: &'static str = "b3 or b3multi";

    /// Names of those that are written.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let named = [("b3", self.b3_single), ("b3multi", self.b3_multi)];
        named
            .into_iter()
            .filter(|(_, is_on)| *is_on)
            .map(|(name, _)| name)
    }

    /// Adds the one of this name; false when there is none.
    pub fn add(&mut self, name: &str) -> bool {
        match name {
            "b3" => self.b3_single = true,
            "b3multi" => self.b3_multi = true,
            _ => return false,
        }
        true
    }
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

impl AccessLog {
    /// What [`AccessLog::from_name`] takes, for who is to be told.
    pub const EXPECTED: &'static str = "off, errors or all";

    /// As in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Errors => "errors",
            Self::All => "all",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Off, Self::Errors, Self::All]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}
