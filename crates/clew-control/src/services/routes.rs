//! `Routes`: what proxies have learned, shared between all of them.

use super::Shared;
use crate::stream::Answers;
use clew_api::learned::{Learned, LearnedRoutes};
use clew_api::wire::telemetry as wire;
use futures_util::stream::{self, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

/// Serves `Routes`.
pub(crate) struct RouteExchange(pub(crate) Shared);

#[tonic::async_trait]
impl wire::routes_server::Routes for RouteExchange {
    type ShareStream = Answers<wire::Learned>;

    /// One stream carries both ways, so that no task has to be owned: while the answers are polled, what the
    /// proxy sends is taken in. A proxy is told what it has sent itself too; it knows.
    async fn share(
        &self,
        request: Request<Streaming<wire::Learned>>,
    ) -> Result<Response<Self::ShareStream>, Status> {
        let mut told = LearnedRoutes::default();
        let answers =
            self.0
                .streams
                .follow(self.0.mesh.learned(), move |now: &LearnedRoutes| {
                    let news = now.since(&told);
                    told = now.clone();
                    Ok(news.iter().map(wire::Learned::from).collect())
                })?;
        let mesh = self.0.mesh.clone();
        let lessons = request.into_inner().filter_map(move |lesson| {
            // An error here is the end of the stream, which the answers meet as well.
            if let Ok(lesson) = lesson {
                mesh.learn(&Learned::from(lesson));
            }
            std::future::ready(None)
        });
        let lessons = self.0.streams.until_drain(lessons);
        Ok(Response::new(stream::select(lessons, answers).boxed()))
    }
}
