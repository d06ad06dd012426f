//! Values for the tests of the tables.

use clew_api::rest::golden::{Golden, Quantiles};
use clew_api::rest::window::WindowBounds;
use std::collections::BTreeMap;

/// One minute of a day.
pub(crate) fn minute() -> WindowBounds {
    WindowBounds {
        from: "2026-03-01T12:00:00Z".into(),
        to: "2026-03-01T12:01:00Z".into(),
        seconds: 60.0,
    }
}

/// Golden metrics with everything in them.
pub(crate) fn golden(successes: u64, failures: u64, cancelled: u64) -> Golden {
    let requests = successes + failures + cancelled;
    let judged = successes + failures;
    Golden {
        requests,
        started: requests,
        rps: requests as f64 / 60.0,
        successes,
        failures,
        cancelled,
        success_rate: (judged > 0).then(|| successes as f64 / judged as f64),
        latency_ms: Some(Quantiles {
            p50: 4.2,
            p95: 18.55,
            p99: 1_204.0,
        }),
        open_streams: 0,
        errors: BTreeMap::from([("client_cancelled".to_owned(), cancelled)])
            .into_iter()
            .filter(|(_, n)| *n > 0)
            .collect(),
        statuses: BTreeMap::from([("200".to_owned(), successes), ("503".to_owned(), failures)])
            .into_iter()
            .filter(|(_, n)| *n > 0)
            .collect(),
    }
}

/// A rendered table without its colours.
pub(crate) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
