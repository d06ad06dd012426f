//! OTLP/gRPC: `opentelemetry.proto.collector.trace.v1.TraceService/Export`, plain or gzip.

use super::{Ingest, MAX_REQUEST_BYTES, Refusal};
use axum::Router;
use axum::http::{HeaderMap, header};
use clew_api::otlp::{
    ExportTraceServiceRequest, ExportTraceServiceResponse, TraceService, TraceServiceServer,
};
use tonic::codec::CompressionEncoding;
use tonic::{Request, Response, Status};

const PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/{*method}";

pub(super) fn router(ingest: Ingest) -> Router {
    let service = TraceServiceServer::new(ingest)
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MAX_REQUEST_BYTES);
    Router::new()
        .route_service(PATH, service)
        .fallback(|| async { Status::unimplemented("").into_http() as axum::response::Response })
}

#[tonic::async_trait]
impl TraceService for Ingest {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let ingest = self.clone();
        // Converting some megabytes takes milliseconds, which other connections should not wait for.
        let taken = tokio::task::spawn_blocking(move || ingest.accept(request.into_inner())).await;
        let taken = taken.map_err(|_| Status::internal("the conversion failed"))?;
        taken.map(Response::new).map_err(|refusal| {
            self.refused(&refusal);
            status(&refusal)
        })
    }
}

/// The status that tells the sender what to do: of these only UNAVAILABLE means that it should try again.
pub(super) fn status(refusal: &Refusal) -> Status {
    let message = refusal.to_string();
    match refusal {
        Refusal::Busy | Refusal::Slow | Refusal::Store(_) => Status::unavailable(message),
        Refusal::Malformed(_)
        | Refusal::TooLarge
        | Refusal::ContentType(_)
        | Refusal::ContentEncoding(_) => Status::invalid_argument(message),
    }
}

pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}
