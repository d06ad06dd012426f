//! `GET mesh`: the state of the mesh itself. What is to be done about it is what `check` says.

mod member;
mod storage;

use super::Api;
use super::clock::bounds;
use super::described::{Always, FromStore};
use super::members::sorted;
use super::query::{Asked, DEFAULT_WINDOW, Nothing};
use super::refusal::Refusal;
use super::settings::load_settings;
use axum::Json;
use axum::extract::State;
use clew_api::rest::mesh::{Mesh, MeshControl, MeshObserve};
use clew_store::Window;
use member::{Processes, Rates};

/// The state of the mesh itself
///
/// What its members, its store and its roles say of themselves. Whether that is well, and what to do otherwise, is told
/// by `check`.
#[utoipa::path(get, path = "/api/v1/mesh", tag = "mesh", responses(Always, FromStore, (status = 200, body = Mesh)))]
pub(super) async fn mesh(State(api): State<Api>, _: Asked<Nothing>) -> Result<Json<Mesh>, Refusal> {
    let store = &api.sources.store;
    let window = Window::last(DEFAULT_WINDOW.duration());
    let window = store.measured(window).await?;
    let (rates, stats, control) =
        tokio::join!(Rates::load(store, window), store.stats(), control(&api));
    let (rates, stats) = (rates?, stats?);
    let targets = api.sources.scraper.targets();
    let sorted = sorted(&api);
    let processes = Processes::of(&sorted);
    let members = sorted.iter().map(|member| {
        let health = targets
            .iter()
            .find(|target| target.instance.id == member.id);
        member::state(member, health, (&rates, &processes))
    });
    Ok(Json(Mesh {
        window: bounds(&window),
        members: members.collect(),
        store: storage::state(store, &stats),
        ingest: storage::ingest(&api.sources.ingest.counts()),
        observe: MeshObserve {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
        },
        control,
    }))
}

async fn control(api: &Api) -> MeshControl {
    let refusal = load_settings(&api.sources.control).await.err();
    MeshControl {
        answers: refusal.is_none(),
        error: refusal.map(|refusal| refusal.detail().to_owned()),
    }
}
