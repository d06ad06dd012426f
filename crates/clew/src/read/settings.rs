//! `clew settings`: what proxies report; shown, or changed and then shown.

use super::{ReadError, show};
use crate::cli::read::{AccessLog, SettingsArgs, Switch, WriteFormat};
use crate::client::{ApiClient, Question};
use crate::exit::Exit;
use crate::output::table::{Cell, Table};
use clew_api::rest::settings::{TelemetryChange, TelemetrySettings};

pub(super) async fn run(args: &SettingsArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let question = Question::new("/settings/telemetry");
    let change = change(args)?;
    let answer = if change.is_empty() {
        api.get(&question).await?
    } else {
        api.put(&question, &change).await?
    };
    show(&answer, args.output, |settings, _| render(settings))?;
    Ok(Exit::Ok)
}

/// What the flags change; what they do not name stays.
fn change(args: &SettingsArgs) -> Result<TelemetryChange, ReadError> {
    let formats = match args.write_formats.as_slice() {
        [] => None,
        [WriteFormat::None] => Some(Vec::new()),
        formats if formats.contains(&WriteFormat::None) => {
            return Err(alone("write"));
        }
        formats => Some(
            formats
                .iter()
                .filter_map(|format| name(*format))
                .map(str::to_owned)
                .collect(),
        ),
    };
    let headers = match args.show_headers.as_slice() {
        [] => None,
        [none] if none == "none" => Some(Vec::new()),
        headers if headers.iter().any(|header| header == "none") => {
            return Err(alone("show-header"));
        }
        headers => Some(
            headers
                .iter()
                .map(|header| header.to_ascii_lowercase())
                .collect(),
        ),
    };
    let access_log = args.access_log.map(|access_log| match access_log {
        AccessLog::Off => "off".to_owned(),
        AccessLog::Errors => "errors".to_owned(),
        AccessLog::All => "all".to_owned(),
    });
    Ok(TelemetryChange {
        tracing: args.tracing.map(|tracing| tracing == Switch::On),
        sampling_ratio: args.sample,
        sampling_max_per_second: args.max_traces_per_second,
        write_formats: formats,
        access_log,
        show_headers: headers,
        audit: args.audit.map(|audit| audit == Switch::On),
    })
}

fn alone(flag: &'static str) -> ReadError {
    ReadError::Flag {
        flag,
        given: "none".to_owned(),
        expected: "none to stand alone",
    }
}

fn name(format: WriteFormat) -> Option<&'static str> {
    match format {
        WriteFormat::B3 => Some("b3"),
        WriteFormat::B3multi => Some("b3multi"),
        WriteFormat::Jaeger => Some("jaeger"),
        WriteFormat::Datadog => Some("datadog"),
        WriteFormat::Xray => Some("xray"),
        WriteFormat::GrpcTraceBin => Some("grpc-trace-bin"),
        WriteFormat::None => None,
    }
}

fn render(settings: &TelemetrySettings) -> String {
    let list = |items: &[String]| {
        if items.is_empty() {
            "none".to_owned()
        } else {
            items.join(", ")
        }
    };
    let switch = |is_on| if is_on { "on" } else { "off" }.to_owned();
    let limit = settings
        .sampling_max_per_second
        .map_or_else(|| "no limit".to_owned(), |limit| limit.to_string());
    let mut table = Table::new().text("SETTING").text("VALUE");
    for (setting, value) in [
        ("tracing", switch(settings.tracing)),
        ("propagation audit", switch(settings.audit)),
        ("sampling ratio", settings.sampling_ratio.to_string()),
        ("new traces a second, each proxy", limit),
        (
            "trace-context families beside W3C",
            list(&settings.write_formats),
        ),
        ("access log", settings.access_log.clone()),
        ("headers shown", list(&settings.show_headers)),
    ] {
        table.row(vec![Cell::new(setting), Cell::new(value)]);
    }
    table.render()
}

#[cfg(test)]
mod tests;
