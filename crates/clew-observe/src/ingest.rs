//! Spans in: OTLP over gRPC and HTTP.
