//! `Telemetry`: what proxies report, and how.

use super::Shared;
use crate::mesh::Settings;
use crate::stream::Answers;
use clew_api::convert::telemetry::{settings_from_wire, settings_to_wire};
use clew_api::wire::telemetry as wire;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Serves `Telemetry`.
pub(crate) struct TelemetrySettingsService(pub(crate) Shared);

fn write(now: &Settings) -> wire::Settings {
    settings_to_wire(&now.settings, now.generation)
}

#[tonic::async_trait]
impl wire::telemetry_server::Telemetry for TelemetrySettingsService {
    type WatchStream = Answers<wire::Settings>;

    async fn watch(
        &self,
        _: Request<wire::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let answers = self
            .0
            .streams
            .follow(self.0.mesh.settings(), |now| Ok(vec![write(now)]))?;
        Ok(Response::new(answers))
    }

    async fn set(
        &self,
        request: Request<wire::Settings>,
    ) -> Result<Response<wire::Settings>, Status> {
        let settings = settings_from_wire(request.into_inner()).map_err(|mistakes| {
            let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            Status::invalid_argument(lines.join("\n"))
        })?;
        let in_force = self.0.mesh.set(settings);
        let mesh = Arc::clone(&self.0.mesh);
        // Before the answer: what was answered outlives control. It fails when control ends, which is told.
        tokio::task::spawn_blocking(move || mesh.keep_settings())
            .await
            .map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(Response::new(write(&in_force)))
    }
}
