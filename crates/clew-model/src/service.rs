//! Services and their endpoints.

use crate::identity::Identity;
use crate::name::{InstanceId, ServiceName, Workload};
use std::net::SocketAddr;

/// What a port speaks, as the configuration says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Told apart by the first bytes, within a bound of time.
    #[default]
    Detect,
    /// HTTP/1.0 and 1.1.
    Http1,
    /// HTTP/2 by prior knowledge.
    Http2,
    /// gRPC: HTTP/2 whose outcome is in the trailers.
    Grpc,
    /// Bytes. Needed where the server speaks first.
    Opaque,
}

/// Address of one instance of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where to connect: the inbound listener of the instance's sidecar, or the application itself
    /// where there is none.
    pub address: SocketAddr,
    /// Relative share of requests; 0 takes none.
    pub weight: u32,
    /// The workload behind the address, when control knows it.
    pub workload: Option<Workload>,
    /// The instance behind the address, when control knows it.
    pub instance: Option<InstanceId>,
    /// Who is there, by its certificate; `None`: it speaks no TLS of the mesh.
    pub identity: Option<Identity>,
}

/// A change to the endpoints of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointUpdate {
    /// These, and no others, are the endpoints now: the first answer, and the first one after the
    /// stream to control was lost and found again.
    Reset(Vec<Endpoint>),
    /// These are new, or replace the ones of the same address.
    Add(Vec<Endpoint>),
    /// These are gone.
    Remove(Vec<SocketAddr>),
    /// There are none now. `exists` tells an empty service from an unknown one.
    NoEndpoints {
        /// The service is known.
        exists: bool,
    },
}

/// What an outbound request is addressed to, before control has said which service that is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Original destination of a redirected connection.
    Address(SocketAddr),
    /// Authority of a request that came to the HTTP proxy, `host` or `host:port`, lower case.
    Authority(std::sync::Arc<str>),
    /// A dependency's own listener (`--to SERVICE`).
    Service(ServiceName),
}
