//! Telemetry settings (`clew.telemetry.v1`).

use super::ConversionError;
use crate::rest::settings::TelemetrySettings as Shown;
use crate::wire::telemetry as wire;
use clew_model::telemetry::{AccessLog, Sampling, TelemetrySettings, WriteFormats};
use std::sync::Arc;

/// Headers that may be shown, at most.
const MAX_SHOWN_HEADERS: usize = 64;

/// Settings as they are handed out. `generation` grows by one with each change; 0 in a request to change.
pub fn settings_to_wire(settings: &TelemetrySettings, generation: u64) -> wire::Settings {
    wire::Settings {
        tracing: settings.tracing,
        sampling: Some(wire::Sampling {
            ratio: settings.sampling.ratio,
            max_per_second: settings.sampling.max_per_second.unwrap_or(0.0),
        }),
        write_formats: settings.write.names().map(str::to_owned).collect(),
        access_log: settings.access_log.as_str().to_owned(),
        show_headers: settings
            .show_headers
            .iter()
            .map(|header| header.to_string())
            .collect(),
        generation,
        audit_off: !settings.audit,
    }
}

/// The settings in a message, or all that is wrong with them.
pub fn settings_from_wire(
    settings: wire::Settings,
) -> Result<TelemetrySettings, Vec<ConversionError>> {
    let mut mistakes = Vec::new();
    let sampling = read_sampling(settings.sampling, &mut mistakes);
    let write = read_formats(&settings.write_formats, &mut mistakes);
    let access_log = AccessLog::from_name(&settings.access_log).unwrap_or_else(|| {
        let given = &settings.access_log;
        let mistake = ConversionError::invalid("access_log", given, AccessLog::EXPECTED);
        mistakes.push(mistake);
        AccessLog::Off
    });
    let show_headers = read_headers(&settings.show_headers, &mut mistakes);
    if mistakes.is_empty() {
        Ok(TelemetrySettings {
            tracing: settings.tracing,
            sampling,
            write,
            access_log,
            show_headers,
            audit: !settings.audit_off,
        })
    } else {
        Err(mistakes)
    }
}

/// Settings as the API shows them.
pub fn settings_to_rest(settings: &TelemetrySettings) -> Shown {
    Shown {
        tracing: settings.tracing,
        sampling_ratio: settings.sampling.ratio,
        sampling_max_per_second: settings.sampling.max_per_second,
        write_formats: settings.write.names().map(str::to_owned).collect(),
        access_log: settings.access_log.as_str().to_owned(),
        show_headers: settings
            .show_headers
            .iter()
            .map(ToString::to_string)
            .collect(),
        audit: settings.audit,
    }
}

/// The settings that the API has shown, or all that is wrong with them.
pub fn settings_from_rest(shown: Shown) -> Result<TelemetrySettings, Vec<ConversionError>> {
    settings_from_wire(wire::Settings {
        tracing: shown.tracing,
        sampling: Some(wire::Sampling {
            ratio: shown.sampling_ratio,
            max_per_second: shown.sampling_max_per_second.unwrap_or(0.0),
        }),
        write_formats: shown.write_formats,
        access_log: shown.access_log,
        show_headers: shown.show_headers,
        generation: 0,
        audit_off: !shown.audit,
    })
}

fn read_sampling(
    sampling: Option<wire::Sampling>,
    mistakes: &mut Vec<ConversionError>,
) -> Sampling {
    let Some(sampling) = sampling else {
        mistakes.push(ConversionError::Missing { field: "sampling" });
        return Sampling::default();
    };
    if !(0.0..=1.0).contains(&sampling.ratio) {
        mistakes.push(ConversionError::invalid(
            "sampling.ratio",
            sampling.ratio,
            "a number from 0 to 1",
        ));
    }
    let limit = sampling.max_per_second;
    if !(limit >= 0.0 && limit.is_finite()) {
        mistakes.push(ConversionError::invalid(
            "sampling.max_per_second",
            limit,
            "a number of at least 0",
        ));
    }
    Sampling {
        ratio: sampling.ratio,
        max_per_second: (limit > 0.0).then_some(limit),
    }
}

fn read_formats(names: &[String], mistakes: &mut Vec<ConversionError>) -> WriteFormats {
    let mut write = WriteFormats::default();
    for name in names {
        if !write.add(name) {
            mistakes.push(ConversionError::invalid(
                "write_formats",
                name,
                WriteFormats::EXPECTED,
            ));
        }
    }
    write
}

fn read_headers(names: &[String], mistakes: &mut Vec<ConversionError>) -> Arc<[Arc<str>]> {
    if names.len() > MAX_SHOWN_HEADERS {
        mistakes.push(ConversionError::invalid(
            "show_headers",
            names.len(),
            "a list of at most 64 names",
        ));
    }
    for name in names {
        // `from_lowercase` refuses upper case as well as what is no header name at all.
        if http::HeaderName::from_lowercase(name.as_bytes()).is_err() {
            mistakes.push(ConversionError::invalid(
                "show_headers",
                name,
                "a header name in lower case",
            ));
        }
    }
    names.iter().map(|name| Arc::from(name.as_str())).collect()
}
