//! `InboundServerPolicies`: how requests that arrive at a port are classed.

use super::{Shared, policy, refused};
use crate::stream::Answers;
use clew_api::convert::inbound::{inbound_to_wire, port_from_wire};
use clew_api::unknown::Asker;
use clew_api::wire::linkerd::inbound as wire;
use tonic::{Request, Response, Status};

/// Serves `InboundServerPolicies`.
pub(crate) struct InboundPolicies(pub(crate) Shared);

const MISSING: &str = "no member has that port";

#[tonic::async_trait]
impl wire::inbound_server_policies_server::InboundServerPolicies for InboundPolicies {
    async fn get_port(
        &self,
        request: Request<wire::PortSpec>,
    ) -> Result<Response<wire::Server>, Status> {
        let (caller, port) = port_from_wire(request.into_inner()).map_err(refused)?;
        let snapshot = self.0.mesh.snapshots().borrow().clone();
        let found = snapshot.inbound_policy(&caller, port);
        let (key, policy) = found.ok_or_else(|| Status::not_found(MISSING))?;
        Ok(Response::new(inbound_to_wire(&policy, &key.namespace)))
    }

    type WatchPortStream = Answers<wire::Server>;

    async fn watch_port(
        &self,
        request: Request<wire::PortSpec>,
    ) -> Result<Response<Self::WatchPortStream>, Status> {
        let asker = Asker::of(request.metadata());
        let (caller, port) = port_from_wire(request.into_inner()).map_err(refused)?;
        policy::watch(
            &self.0,
            asker,
            move |now| now.inbound_policy(&caller, port),
            |(key, policy)| inbound_to_wire(policy, &key.namespace),
            MISSING,
        )
    }
}
