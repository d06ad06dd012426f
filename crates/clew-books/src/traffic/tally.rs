//! What was sent and what came back, by route and in all.

use super::latency::Latencies;
use super::mix::Route;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How a request ended, for the one who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The response was read to its end.
    Answered(StatusCode),
    /// The sender gave up on purpose, after the start of the response.
    GaveUp,
    /// No whole response: refused, broken off, or too late.
    Failed,
}

/// The count, which may be read while it grows.
#[derive(Debug)]
pub struct Tally {
    start: Instant,
    end: OnceLock<Instant>,
    routes: Mutex<[Counts; Route::COUNT]>,
}

#[derive(Clone, Debug, Default)]
struct Counts {
    sent: u64,
    skipped: u64,
    gave_up: u64,
    failed: u64,
    status: BTreeMap<u16, u64>,
    latencies: Latencies,
}

/// Summary of the traffic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// From the first request to the end of the last.
    pub seconds: f64,
    /// All routes together.
    pub total: RouteSummary,
    /// Each route that was sent, or skipped, at least once.
    pub routes: Vec<RouteSummary>,
}

/// Summary of one route.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RouteSummary {
    /// Name of the route; `all` for the total.
    pub route: String,
    /// Requests sent. Each of them was answered, given up, has failed, or is still open.
    pub sent: u64,
    /// Responses read to their end.
    pub answered: u64,
    /// Given up on purpose.
    pub gave_up: u64,
    /// Without a whole response.
    pub failed: u64,
    /// Not sent, because too many were open.
    pub skipped: u64,
    /// Answered, by status.
    pub status: BTreeMap<u16, u64>,
    /// Milliseconds to the end of the response; absent when nothing was answered.
    pub p50_ms: Option<f64>,
    /// The same for 95%.
    pub p95_ms: Option<f64>,
    /// The same for 99%.
    pub p99_ms: Option<f64>,
}

impl RouteSummary {
    /// Answered with a status below 500.
    pub fn successes(&self) -> u64 {
        self.status.range(..500).map(|(_, count)| count).sum()
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            end: OnceLock::new(),
            routes: Mutex::default(),
        }
    }
}

impl Tally {
    /// One more was sent.
    pub fn sent(&self, route: Route) {
        self.count(route, |counts| counts.sent += 1);
    }

    /// One more was not sent.
    pub fn skip(&self, route: Route) {
        self.count(route, |counts| counts.skipped += 1);
    }

    /// One that was sent has ended.
    pub fn ended(&self, route: Route, outcome: Outcome, latency: Duration) {
        self.count(route, |counts| match outcome {
            Outcome::Answered(status) => {
                *counts.status.entry(status.as_u16()).or_default() += 1;
                counts.latencies.record(latency);
            }
            Outcome::GaveUp => counts.gave_up += 1,
            Outcome::Failed => counts.failed += 1,
        });
    }

    /// Nothing more will come; time stops.
    pub fn finish(&self) {
        let _ = self.end.set(Instant::now());
    }

    /// The count so far.
    pub fn summary(&self) -> Summary {
        let end = self.end.get().copied().unwrap_or_else(Instant::now);
        let routes = self
            .routes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut all = Counts::default();
        for counts in &routes {
            all.merge(counts);
        }
        Summary {
            seconds: end.saturating_duration_since(self.start).as_secs_f64(),
            total: all.summary("all"),
            routes: Route::ALL
                .iter()
                .zip(&routes)
                .filter(|(_, counts)| counts.sent + counts.skipped > 0)
                .map(|(route, counts)| counts.summary(route.as_str()))
                .collect(),
        }
    }

    fn count(&self, route: Route, change: impl FnOnce(&mut Counts)) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counts) = routes.get_mut(route as usize) {
            change(counts);
        }
    }
}

impl Counts {
    fn merge(&mut self, other: &Self) {
        self.sent += other.sent;
        self.skipped += other.skipped;
        self.gave_up += other.gave_up;
        self.failed += other.failed;
        for (status, count) in &other.status {
            *self.status.entry(*status).or_default() += count;
        }
        self.latencies.merge(&other.latencies);
    }

    fn summary(&self, route: &str) -> RouteSummary {
        let quantile_ms = |share| {
            self.latencies
                .quantile(share)
                .map(|latency: Duration| latency.as_secs_f64() * 1_000.0)
        };
        RouteSummary {
            route: route.to_owned(),
            sent: self.sent,
            answered: self.status.values().sum(),
            gave_up: self.gave_up,
            failed: self.failed,
            skipped: self.skipped,
            status: self.status.clone(),
            p50_ms: quantile_ms(0.5),
            p95_ms: quantile_ms(0.95),
            p99_ms: quantile_ms(0.99),
        }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{:<28} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9}",
            "ROUTE", "SENT", "OK", "5XX", "FAILED", "GAVE UP", "P50", "P99"
        )?;
        for route in self.routes.iter().chain([&self.total]) {
            let successes = route.successes();
            writeln!(
                f,
                "{:<28} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9}",
                route.route,
                route.sent,
                successes,
                route.answered - successes,
                route.failed,
                route.gave_up,
                milliseconds(route.p50_ms),
                milliseconds(route.p99_ms),
            )?;
        }
        let rate = self.total.sent as f64 / self.seconds.max(f64::EPSILON);
        write!(
            f,
            "{} requests in {:.1} s, {rate:.1} a second",
            self.total.sent, self.seconds
        )?;
        if self.total.skipped > 0 {
            write!(f, "; {} not sent, too many were open", self.total.skipped)?;
        }
        Ok(())
    }
}

fn milliseconds(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}ms"))
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Tally};
    use crate::traffic::mix::Route;
    use axum::http::StatusCode;
    use std::time::Duration;

    #[test]
    fn whatever_was_sent_is_accounted_for() {
        let tally = Tally::default();
        let outcomes = [
            Outcome::Answered(StatusCode::OK),
            Outcome::Answered(StatusCode::INTERNAL_SERVER_ERROR),
            Outcome::GaveUp,
            Outcome::Failed,
        ];
        for outcome in outcomes {
            tally.sent(Route::Home);
            tally.ended(Route::Home, outcome, Duration::from_millis(3));
        }
        tally.skip(Route::Book);
        tally.finish();
        let summary = tally.summary();
        let total = &summary.total;
        assert_eq!(total.sent, total.answered + total.gave_up + total.failed);
        assert_eq!(
            (total.answered, total.successes(), total.skipped),
            (2, 1, 1)
        );
        assert_eq!(summary.routes.len(), 2);
        assert!(summary.to_string().contains("1 not sent"));
    }
}
