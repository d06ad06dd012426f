//! The gRPC services, each a thin layer between the wire and the [`Mesh`].

mod access;
mod destination;
mod identity;
mod inbound;
mod outbound;
mod policy;
mod registry;
mod routes;
mod telemetry;

pub(crate) use access::AccessService;
pub(crate) use destination::Destinations;
pub(crate) use identity::Identities;
pub(crate) use inbound::InboundPolicies;
pub(crate) use outbound::OutboundPolicies;
pub(crate) use registry::Members;
pub(crate) use routes::RouteExchange;
pub(crate) use telemetry::TelemetrySettingsService;

use crate::authority::Authority;
use crate::mesh::Mesh;
use crate::stream::Streams;
use clew_api::convert::ConversionError;
use std::sync::Arc;
use tonic::Status;

/// What every service needs.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) mesh: Arc<Mesh>,
    pub(crate) streams: Streams,
    /// `None`: the mesh has no identities.
    pub(crate) authority: Option<Arc<Authority>>,
}

/// A question that makes no sense.
fn refused(error: ConversionError) -> Status {
    Status::invalid_argument(error.to_string())
}
