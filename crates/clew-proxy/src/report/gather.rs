//! A scrape: the shards added up, family by family, written in the format that was asked for.

use std::sync::Arc;
use std::time::Instant;

use clew_api::prometheus::exposition::{Exposition, FamilyWriter, Format, Value};
use clew_runtime::buildinfo;
use clew_trace::audit::Evidence;

use super::budget::Budgeted;
use super::entry::{HopEntry, Series, StreamCell, TcpCell};
use super::family::{self, Family};
use super::histogram;
use super::labels::DurationKind;
use super::process::Process;
use super::shared::Shared;
use super::tally::{Counter, Tally};
use crate::hop::{Direction, Phase};

/// The body of a scrape. What is idle is forgotten on this occasion: here, and not on a data-plane thread.
pub(super) fn gather(shared: &Shared, format: Format) -> Vec<u8> {
    shared.directory.sweep(Instant::now());
    let mut exposition = Exposition::new(format);
    let out = &mut exposition;
    let hops = sorted(shared.directory.hops(), |entry| {
        entry.requests.labels.as_text()
    });
    requests(out, &hops);
    responses(out, &hops);
    DurationKind::ALL
        .into_iter()
        .for_each(|kind| durations(out, &hops, kind));
    streams(out, &hops);
    let connections = sorted(shared.directory.tcp(), |series| series.labels.as_text());
    propagation(out, &hops, &connections);
    calls(out, &hops);
    application(out, shared);
    tcp(out, &connections);
    proxy_time(out, shared);
    own(out, shared);
    process(out, shared);
    exposition.finish()
}

/// In the order of their labels, so that two scrapes can be compared by eye.
fn sorted<T>(mut entries: Vec<Arc<T>>, labels: impl Fn(&T) -> &str) -> Vec<Arc<T>> {
    entries.sort_by(|a, b| labels(a).cmp(labels(b)));
    entries
}

fn begin<'a>(out: &'a mut Exposition, family: &Family) -> FamilyWriter<'a> {
    out.family(family.as_exposed())
}

fn requests(out: &mut Exposition, hops: &[Arc<HopEntry>]) {
    let mut family = begin(out, &family::REQUESTS);
    for entry in hops {
        write_counter(&mut family, &entry.requests);
    }
}

fn responses(out: &mut Exposition, hops: &[Arc<HopEntry>]) {
    let mut family = begin(out, &family::RESPONSES);
    for (_, series) in hops.iter().flat_map(|entry| entry.responses.all()) {
        write_counter(&mut family, &series);
    }
}

fn write_counter(family: &mut FamilyWriter<'_>, series: &Series<Counter>) {
    let total: u64 = series.cells().map(Counter::get).sum();
    family.write(
        &series.labels,
        &Value::counter(total as f64, series.created_unix_nano),
    );
}

fn durations(out: &mut Exposition, hops: &[Arc<HopEntry>], kind: DurationKind) {
    let mut family = begin(out, kind.family());
    for (_, series) in hops
        .iter()
        .flat_map(|entry| entry.durations.all())
        .filter(|(key, _)| key.kind == kind)
    {
        if let Some(total) = histogram::sum(series.cells(), series.created_unix_nano) {
            family.write(&series.labels, &Value::from(total));
        }
    }
}

fn streams(out: &mut Exposition, hops: &[Arc<HopEntry>]) {
    let all = || hops.iter().filter_map(|entry| entry.streams.get());
    let total = |series: &Series<StreamCell>, tally: fn(&StreamCell) -> &Tally| {
        series.cells().map(|cell| tally(cell).get()).sum::<u64>() as f64
    };
    let mut family = begin(out, &family::OPEN_STREAMS);
    for series in all() {
        let open = total(series, |cell| &cell.open);
        family.write(&series.labels, &Value::gauge(open));
    }
    drop(family);
    let mut family = begin(out, &family::STREAM_BYTES);
    for series in all() {
        for (from, bytes) in [
            ("client", total(series, |cell| &cell.from_client)),
            ("server", total(series, |cell| &cell.from_server)),
        ] {
            family.write(
                &series.labels.and([("from", from)]),
                &Value::counter(bytes, series.created_unix_nano),
            );
        }
    }
}

fn propagation(out: &mut Exposition, hops: &[Arc<HopEntry>], connections: &[Arc<Series<TcpCell>>]) {
    let mut family = begin(out, &family::PROPAGATION);
    for series in hops.iter().filter_map(|entry| entry.propagation.get()) {
        for evidence in Evidence::ALL {
            let requests: u64 = series.cells().map(|cell| cell.of(evidence).get()).sum();
            // Most routes show one kind, or two.
            if requests > 0 {
                family.write(
                    &series.labels.and([("evidence", evidence.as_str())]),
                    &Value::counter(requests as f64, series.created_unix_nano),
                );
            }
        }
    }
    for series in connections {
        let opaque: u64 = series.cells().map(|cell| cell.opaque.get()).sum();
        if opaque > 0 {
            family.write(
                &series.labels.and([("evidence", Evidence::Opaque.as_str())]),
                &Value::counter(opaque as f64, series.created_unix_nano),
            );
        }
    }
}

fn calls(out: &mut Exposition, hops: &[Arc<HopEntry>]) {
    let all: Vec<_> = hops.iter().flat_map(|entry| entry.calls.all()).collect();
    let mut family = begin(out, &family::CALLS);
    for (_, series) in &all {
        let shards = series.cells().map(|cell| &cell.per_request);
        if let Some(total) = histogram::sum(shards, series.created_unix_nano) {
            family.write(&series.labels, &Value::from(total));
        }
    }
    drop(family);
    let mut family = begin(out, &family::CALLS_AGAIN);
    for (_, series) in &all {
        let again: u64 = series.cells().map(|cell| cell.again.get()).sum();
        let value = Value::counter(again as f64, series.created_unix_nano);
        family.write(&series.labels, &value);
    }
}

fn application(out: &mut Exposition, shared: &Shared) {
    let constant = shared.directory.constant_labels();
    let (busy, idle) = shared.busy.times();
    let mut family = begin(out, &family::APPLICATION);
    for (state, time) in [("busy", busy), ("idle", idle)] {
        let value = Value::counter(time.as_secs_f64(), shared.started_unix_nano);
        family.write(&constant.and([("state", state)]), &value);
    }
}

/// One of the numbers of connections.
type TallyOf = fn(&TcpCell) -> &Tally;

fn tcp(out: &mut Exposition, tcp: &[Arc<Series<TcpCell>>]) {
    let total = |series: &Series<TcpCell>, tally: TallyOf| -> f64 {
        series.cells().map(|cell| tally(cell).get()).sum::<u64>() as f64
    };
    let counters: [(&Family, TallyOf); 4] = [
        (&family::TCP_OPENED, |cell| &cell.opened),
        (&family::TCP_CLOSED, |cell| &cell.closed),
        (&family::TCP_READ, |cell| &cell.read_bytes),
        (&family::TCP_WRITTEN, |cell| &cell.written_bytes),
    ];
    for (family, tally) in counters {
        let mut family = begin(out, family);
        for series in tcp {
            family.write(
                &series.labels,
                &Value::counter(total(series, tally), series.created_unix_nano),
            );
        }
    }
    let mut open = begin(out, &family::TCP_OPEN);
    for series in tcp {
        // Closed first: what is opened and closed in between then never makes the difference negative.
        let closed = total(series, |cell| &cell.closed);
        open.write(
            &series.labels,
            &Value::gauge((total(series, |cell| &cell.opened) - closed).max(0.0)),
        );
    }
    drop(open);
    let mut durations = begin(out, &family::TCP_DURATIONS);
    for series in tcp {
        let shards = series.cells().map(|cell| &cell.durations);
        if let Some(total) = histogram::sum(shards, series.created_unix_nano) {
            durations.write(&series.labels, &Value::from(total));
        }
    }
}

fn proxy_time(out: &mut Exposition, shared: &Shared) {
    let constant = shared.directory.constant_labels();
    let mut family = begin(out, &family::PROXY_TIMES);
    for direction in [Direction::Inbound, Direction::Outbound] {
        for phase in Phase::ALL {
            let shards = shared
                .workers
                .iter()
                .map(|cells| cells.proxy_time(direction, phase));
            if let Some(total) = histogram::sum(shards, shared.started_unix_nano) {
                let labels =
                    constant.and([("direction", direction.as_str()), ("phase", phase.as_str())]);
                family.write(&labels, &Value::from(total));
            }
        }
    }
}

/// What the reports say of themselves.
fn own(out: &mut Exposition, shared: &Shared) {
    let counter = |value: u64| Value::counter(value as f64, shared.started_unix_nano);
    let constant = shared.directory.constant_labels();
    let mut spans = begin(out, &family::SPANS);
    for (outcome, total) in span_outcomes(shared) {
        spans.write(&constant.and([("outcome", outcome)]), &counter(total));
    }
    drop(spans);
    budget(out, shared);
    let lines: u64 = shared
        .workers
        .iter()
        .map(|cells| cells.lines_dropped.get())
        .sum();
    begin(out, &family::LOG_DROPPED).write(constant, &counter(lines));
    let certificates = &shared.certificates;
    // Where there is no identity, there is nothing to tell.
    if let Some(expires) = certificates.expires() {
        let expires = Value::gauge(expires as f64);
        begin(out, &family::CERTIFICATE_EXPIRES).write(constant, &expires);
        let renewals = counter(certificates.renewals());
        begin(out, &family::CERTIFICATES).write(constant, &renewals);
        let refused = counter(certificates.refused());
        begin(out, &family::TLS_REFUSED).write(constant, &refused);
    }
    begin(out, &family::BUILD).write(
        &constant.and([("version", buildinfo::VERSION)]),
        &Value::gauge(1.0),
    );
}

fn budget(out: &mut Exposition, shared: &Shared) {
    let constant = shared.directory.constant_labels();
    let budget = &shared.directory.budget;
    let labels = |budgeted: Budgeted| constant.and([("family", budgeted.family().name)]);
    let mut living = begin(out, &family::SERIES);
    for budgeted in Budgeted::ALL {
        let series = budget.living(budgeted) as f64;
        living.write(&labels(budgeted), &Value::gauge(series));
    }
    drop(living);
    let limit = Value::gauge(budget.max_series() as f64);
    begin(out, &family::SERIES_LIMIT).write(constant, &limit);
    let mut dropped = begin(out, &family::SERIES_DROPPED);
    for budgeted in Budgeted::ALL {
        let refused = budget.refused(budgeted) as f64;
        let value = Value::counter(refused, shared.started_unix_nano);
        dropped.write(&labels(budgeted), &value);
    }
}

/// The outcomes of `clew_spans_total`. What was exported or dropped is read first: an emitted span is
/// then never missing from `emitted`.
fn span_outcomes(shared: &Shared) -> [(&'static str, u64); 5] {
    use std::sync::atomic::Ordering::Relaxed;
    let sum = |tally: fn(&super::spans::SpanCounts) -> &Counter| -> u64 {
        shared
            .workers
            .iter()
            .map(|cells| tally(&cells.spans).get())
            .sum()
    };
    let exported = shared.ledger.exported.load(Relaxed);
    let export_failed = shared.ledger.export_failed.load(Relaxed);
    let queue_full = sum(|counts| &counts.queue_full);
    let emitted = sum(|counts| &counts.emitted);
    [
        ("emitted", emitted),
        ("exported", exported),
        ("dropped_queue_full", queue_full),
        ("dropped_export_failed", export_failed),
        ("unsampled", sum(|counts| &counts.unsampled)),
    ]
}

fn process(out: &mut Exposition, shared: &Shared) {
    let process = Process::read();
    let constant = shared.directory.constant_labels();
    let mut write = |family: &Family, value: Option<Value>| {
        if let Some(value) = value {
            begin(out, family).write(constant, &value);
        }
    };
    write(
        &family::STARTED,
        Some(Value::gauge(shared.started_unix_nano as f64 / 1e9)),
    );
    write(
        &family::RESIDENT,
        process
            .resident_bytes
            .map(|bytes| Value::gauge(bytes as f64)),
    );
    let cpu = |seconds| Value::counter(seconds, shared.started_unix_nano);
    write(&family::CPU, process.cpu_seconds.map(cpu));
    write(
        &family::OPEN_FDS,
        process.open_fds.map(|fds| Value::gauge(fds as f64)),
    );
}
