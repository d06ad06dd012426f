//! `OutboundPolicies`: how requests to a target are classed and where they go.

use super::{Shared, policy, refused};
use crate::snapshot::{Question, ServiceKey, Snapshot};
use crate::stream::Answers;
use clew_api::convert::outbound::{outbound_to_wire, target_from_wire};
use clew_api::unknown::Asker;
use clew_api::wire::linkerd::outbound as wire;
use clew_model::policy::OutboundPolicy;
use tonic::{Request, Response, Status};

/// Serves `OutboundPolicies`.
pub(crate) struct OutboundPolicies(pub(crate) Shared);

const MISSING: &str = "the target is not in the mesh";

fn question_of(spec: wire::TrafficSpec) -> Result<Question, Status> {
    let (caller, target) = target_from_wire(spec).map_err(refused)?;
    Ok(Question {
        target,
        namespace: caller.namespace,
    })
}

fn find(snapshot: &Snapshot, question: &Question) -> Option<(ServiceKey, OutboundPolicy)> {
    let key = snapshot.resolve(question)?;
    let policy = snapshot.outbound_policy(&key)?;
    Some((key, policy))
}

#[tonic::async_trait]
impl wire::outbound_policies_server::OutboundPolicies for OutboundPolicies {
    async fn get(
        &self,
        request: Request<wire::TrafficSpec>,
    ) -> Result<Response<wire::OutboundPolicy>, Status> {
        let question = question_of(request.into_inner())?;
        let snapshot = self.0.mesh.snapshots().borrow().clone();
        let (key, policy) = find(&snapshot, &question).ok_or_else(|| Status::not_found(MISSING))?;
        Ok(Response::new(outbound_to_wire(
            &policy,
            &key.namespace,
            question.port(),
        )))
    }

    type WatchStream = Answers<wire::OutboundPolicy>;

    async fn watch(
        &self,
        request: Request<wire::TrafficSpec>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let asker = Asker::of(request.metadata());
        let question = question_of(request.into_inner())?;
        let port = question.port();
        policy::watch(
            &self.0,
            asker,
            move |now| find(now, &question),
            move |(key, policy)| outbound_to_wire(policy, &key.namespace, port),
            MISSING,
        )
    }
}
