//! `GET heatmap`: the distribution of the latency over time.

use super::Api;
use super::answer::build_json;
use super::clock::{millis, rfc3339_nanos};
use super::described::{Always, FromStore};
use super::over_time::{self, OverTimeParameters};
use super::query::{Asked, WindowParameters};
use super::refusal::Refusal;
use axum::extract::State;
use axum::response::Response;
use clew_api::rest::golden::Direction as Side;
use clew_api::rest::problem::Problem;
use clew_api::rest::series::{Exemplar, Heatmap, TimeSteps};
use clew_store::Histogram;
use clew_store::query::{Exemplar as Found, Exemplars};
use std::collections::BTreeMap;

/// The distribution of the latency over time
#[utoipa::path(
    get,
    path = "/api/v1/heatmap",
    tag = "metrics",
    params(WindowParameters, OverTimeParameters),
    responses(
        Always,
        FromStore,
        (status = 200, body = Heatmap),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such workload"),
    )
)]
pub(super) async fn heatmap(
    State(api): State<Api>,
    Asked(asked): Asked<OverTimeParameters>,
) -> Result<Response, Refusal> {
    let store = &api.sources.store;
    let question = asked.question(&api, &[]).await?;
    let steps = over_time::shown(store, question.steps).await?;
    let count = question.steps.count();
    let (found, exemplars) = tokio::try_join!(
        store.golden_steps(question.clone()),
        store.exemplars(question)
    )?;
    let build = move || {
        let group = found.groups.into_iter().next();
        let of_group = group.map(|group| group.steps).unwrap_or_default();
        let mut histograms: Vec<Histogram> = of_group
            .iter()
            .map(|step| step.latency.histogram().clone())
            .collect();
        histograms.resize_with(count, Histogram::default);
        map(histograms, exemplars, steps, asked.direction)
    };
    build_json("the heatmap", build).await
}

fn map(
    mut histograms: Vec<Histogram>,
    exemplars: Exemplars,
    steps: TimeSteps,
    direction: Side,
) -> Heatmap {
    // Of different resolutions the coarsest is the one that all can be shown in.
    let filled = histograms.iter().filter(|histogram| !histogram.is_empty());
    let coarsest = filled.map(Histogram::schema).min();
    // Bounds are not negative, so that their bits are in their order.
    let mut buckets: BTreeMap<u64, (f64, usize)> = BTreeMap::new();
    for histogram in &mut histograms {
        histogram.coarsen(coarsest.unwrap_or_default());
        let bounds = histogram.buckets().map(|(lower, upper, _)| (lower, upper));
        buckets.extend(bounds.map(|(lower, upper)| (upper.to_bits(), (lower, 0))));
    }
    for (place, bucket) in buckets.values_mut().enumerate() {
        bucket.1 = place;
    }
    let counted = |histogram: &Histogram| {
        let mut counts = vec![0; buckets.len()];
        for (_, upper, count) in histogram.buckets() {
            if let Some((_, place)) = buckets.get(&upper.to_bits()) {
                counts[*place] = count;
            }
        }
        counts
    };
    let bound = |bits: &u64| Some(f64::from_bits(*bits)).filter(|bound| bound.is_finite());
    Heatmap {
        steps,
        direction,
        counts: histograms.iter().map(counted).collect(),
        bounds_ms: buckets.keys().map(bound).collect(),
        lower_bounds_ms: buckets.values().map(|(lower, _)| *lower).collect(),
        exemplars_truncated: exemplars.truncated,
        exemplars: exemplars
            .steps
            .into_iter()
            .map(|step| step.into_iter().map(exemplar).collect())
            .collect(),
    }
}

fn exemplar(found: Found) -> Exemplar {
    Exemplar {
        trace_id: found.trace_id.to_string(),
        span_id: found.span_id.to_string(),
        start: rfc3339_nanos(found.start_unix_nano),
        duration_ms: millis(found.duration),
        failed: found.failed,
    }
}
