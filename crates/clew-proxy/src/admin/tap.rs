//! The tap server: `clew.tap.v1` over gRPC.

use std::pin::Pin;
use std::sync::Arc;

use clew_api::wire::tap::tap_server::{Tap, TapServer};
use clew_api::wire::tap::{TapEvent, TapRequest};
use clew_runtime::drain::DrainWatch;
use futures_util::{Stream, StreamExt};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::report::{Reports, TapError};

/// Serves until the drain has begun; open watches end then.
pub(super) async fn serve(listener: TcpListener, reports: Arc<Reports>, drain: DrainWatch) {
    let service = TapServer::new(TapService {
        reports,
        drain: drain.clone(),
    });
    let serving = Server::builder()
        .add_service(service)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), drain.started());
    tokio::select! {
        ended = serving => {
            if let Err(error) = ended {
                tracing::error!("the tap server ended: {error}");
            }
        }
        () = drain.forced() => {}
    }
}

#[derive(Debug)]
struct TapService {
    reports: Arc<Reports>,
    drain: DrainWatch,
}

#[tonic::async_trait]
impl Tap for TapService {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<TapEvent, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<TapRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let events = self.reports.tap(request.into_inner()).map_err(refusal)?;
        let drain = self.drain.clone();
        let until_drained = async move { drain.started().await };
        Ok(Response::new(Box::pin(events.take_until(until_drained))))
    }
}

fn refusal(error: TapError) -> Status {
    match error {
        TapError::Direction { .. } => Status::invalid_argument(error.to_string()),
        TapError::TooMany => Status::resource_exhausted(error.to_string()),
    }
}
