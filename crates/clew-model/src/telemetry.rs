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
    /// What applications make of trace context is compared with what they are given.
    pub audit: bool,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            tracing: true,
            sampling: Sampling::default(),
            write: WriteFormats::default(),
            access_log: AccessLog::Off,
            show_headers: Arc::new([]),
            audit: true,
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

/// A family of headers that trace context can be written in, beside W3C's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum WriteFormat {
    /// `b3` as one header.
    B3,
    /// `x-b3-*` headers.
    B3Multi,
    /// `uber-trace-id`.
    Jaeger,
    /// `x-datadog-*`.
    Datadog,
    /// `x-amzn-trace-id`.
    XRay,
    /// `grpc-trace-bin`.
    GrpcTraceBin,
}

impl WriteFormat {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::B3,
        Self::B3Multi,
        Self::Jaeger,
        Self::Datadog,
        Self::XRay,
        Self::GrpcTraceBin,
    ];

    /// As in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::B3 => "b3",
            Self::B3Multi => "b3multi",
            Self::Jaeger => "jaeger",
            Self::Datadog => "datadog",
            Self::XRay => "xray",
            Self::GrpcTraceBin => "grpc-trace-bin",
        }
    }
}

/// Families of headers to write whatever came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteFormats(u8);

impl WriteFormats {
    /// What [`WriteFormats::add`] takes, for who is to be told.
    pub const EXPECTED: &'static str = "b3, b3multi, jaeger, datadog, xray or grpc-trace-bin";

    /// Those that are written.
    pub fn iter(self) -> impl Iterator<Item = WriteFormat> {
        let all = WriteFormat::ALL.into_iter();
        all.filter(move |format| self.contains(*format))
    }

    /// Whether this one is written.
    pub fn contains(self, format: WriteFormat) -> bool {
        self.0 & 1 << format as u8 != 0
    }

    /// Names of those that are written.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.iter().map(WriteFormat::as_str)
    }

    /// Adds the one of this name; false when there is none.
    pub fn add(&mut self, name: &str) -> bool {
        let mut all = WriteFormat::ALL.into_iter();
        let found = all.find(|format| format.as_str() == name);
        self.extend(found);
        found.is_some()
    }
}

impl Extend<WriteFormat> for WriteFormats {
    fn extend<I: IntoIterator<Item = WriteFormat>>(&mut self, formats: I) {
        for format in formats {
            self.0 |= 1 << format as u8;
        }
    }
}

impl FromIterator<WriteFormat> for WriteFormats {
    fn from_iter<I: IntoIterator<Item = WriteFormat>>(formats: I) -> Self {
        let mut all = Self::default();
        all.extend(formats);
        all
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
