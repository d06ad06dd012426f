//! `GET check`: is the mesh well.
//!
//! Each check says what was found, with its numbers, and what to do about it unless all is well.

mod clocks;
mod members;
mod propagation;
mod spans;
mod storage;

use super::Api;
use super::described::Always;
use super::query::{Asked, Nothing};
use super::refusal::Refusal;
use super::settings::load_settings;
use axum::Json;
use axum::extract::State;
use clew_api::rest::check::{Check, CheckStatus, Checks};
use clew_store::query::SeriesQuery;
use clew_store::{Label, ReadError, Store, Window};
use std::time::Duration;

/// How far back counters are looked at: what went wrong before has passed.
const LATELY: Duration = Duration::from_secs(5 * 60);

/// Look whether the mesh is well
#[utoipa::path(get, path = "/api/v1/check", tag = "mesh", responses(Always, (status = 200, body = Checks)))]
pub(super) async fn check(
    State(api): State<Api>,
    _: Asked<Nothing>,
) -> Result<Json<Checks>, Refusal> {
    let targets = api.sources.scraper.targets();
    let members = api.sources.scraper.members();
    let (store, ingest) = (&api.sources.store, api.sources.ingest.counts());
    let [writes, size, upkeep] = storage::checks(store).await;
    Ok(Json(Checks::new(vec![
        control(&api).await,
        members::present(members.as_deref()),
        members::numbers(&targets),
        members::versions(members.as_deref().unwrap_or_default()),
        members::certificates(&targets),
        spans::taken_in(&ingest),
        spans::sent(store).await,
        spans::series(store).await,
        propagation::checks(&api).await,
        writes,
        size,
        upkeep,
        clocks::skew(store).await,
    ])))
}

async fn control(api: &Api) -> Check {
    match load_settings(&api.sources.control).await {
        Ok(_) => ok("control", "answers".to_owned()),
        Err(refusal) => fail(
            "control",
            refusal.detail().to_owned(),
            "look at the log of the process that runs control; proxies go on with what they know"
                .to_owned(),
        ),
    }
}

fn ok(name: &str, found: String) -> Check {
    Check {
        name: name.to_owned(),
        status: CheckStatus::Ok,
        found,
        hint: None,
    }
}

fn warn(name: &str, found: String, hint: String) -> Check {
    Check {
        name: name.to_owned(),
        status: CheckStatus::Warn,
        found,
        hint: Some(hint),
    }
}

fn fail(name: &str, found: String, hint: String) -> Check {
    Check {
        name: name.to_owned(),
        status: CheckStatus::Fail,
        found,
        hint: Some(hint),
    }
}

/// The store did not answer: the check cannot be made.
fn unanswered(name: &str, error: &ReadError) -> Check {
    fail(
        name,
        error.to_string(),
        "see the checks of the store".to_owned(),
    )
}

/// What a counter family gained lately, by a label.
async fn gained(store: &Store, family: &str, by: Label) -> Result<Vec<(String, u64)>, ReadError> {
    let query = SeriesQuery {
        window: Window::last(LATELY),
        filters: Vec::new(),
        group_by: vec![by],
    };
    let rows = store.counters(family, query).await?;
    let gained = rows.into_iter().map(|mut row| {
        (
            row.labels.remove(&by).unwrap_or_default(),
            row.value.round() as u64,
        )
    });
    Ok(gained.filter(|(_, count)| *count > 0).collect())
}

/// At most a few names of many.
fn named(names: &[String]) -> String {
    const SHOWN: usize = 5;
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}
