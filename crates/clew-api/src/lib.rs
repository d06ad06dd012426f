//! The wire: protobuf services and their conversions to the model, the scrape format, and the JSON
//! shapes of the API.
//!
//! What it is not: it decides nothing and keeps nothing. Generated types end here; what the rest of the
//! mesh sees are the values of `clew-model` and `clew-trace`.
//!
//! Start reading at [`client`], which is how a proxy talks to control, then [`convert`], which is where
//! the Linkerd proxy API becomes our model and back. [`wire`] holds the generated code.

pub mod access;
pub mod bearer;
pub mod client;
pub mod convert;
pub mod learned;
pub mod member;
pub mod otlp;
pub mod prometheus;
pub mod rest;
pub mod unknown;
pub mod wire;
pub mod zipkin;
