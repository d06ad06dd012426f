//! `Registry`: who is in the mesh.

use super::{Shared, refused};
use crate::mesh::JoinError;
use crate::snapshot::Snapshot;
use crate::stream::Answers;
use clew_api::bearer;
use clew_api::member::Instance;
use clew_api::unknown::Asker;
use clew_api::wire::registry as wire;
use clew_model::identity::Identity;
use clew_model::name::InstanceId;
use std::sync::Arc;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

/// Serves `Registry`.
pub(crate) struct Members(pub(crate) Shared);

impl Members {
    /// Who calls. Where members have identities, each has to prove its own.
    fn caller(&self, metadata: &MetadataMap) -> Result<Option<Identity>, Status> {
        let Some(authority) = &self.0.authority else {
            return Ok(None);
        };
        let token = bearer::token(metadata).ok_or_else(|| {
            Status::unauthenticated("in this mesh a member proves who it is, and there is no token")
        })?;
        let identity = authority.identify(token.as_bytes());
        identity
            .map(Some)
            .map_err(|error| Status::unauthenticated(error.to_string()))
    }
}

/// A member is of the workload that its token names, and answers as no other.
fn may_join(instance: &Instance, proven: &Identity) -> Result<(), Status> {
    let Instance {
        id,
        workload,
        identity,
        ..
    } = instance;
    let is_own = identity.as_ref().is_none_or(|identity| identity == proven);
    if is_own && proven.workload().as_ref() == Some(workload) {
        return Ok(());
    }
    tracing::warn!(instance = %id, %workload, %proven, "may not join as another workload");
    Err(Status::permission_denied(format!(
        "the token is that of {proven}, and not of the workload {workload}"
    )))
}

#[tonic::async_trait]
impl wire::registry_server::Registry for Members {
    type JoinStream = Answers<wire::Joined>;

    /// The membership lives in the stream: whatever ends the stream (the client, its death, the connection)
    /// drops it, and with it the member.
    async fn join(
        &self,
        request: Request<wire::Instance>,
    ) -> Result<Response<Self::JoinStream>, Status> {
        let caller = self.caller(request.metadata())?;
        let instance = Instance::try_from(request.into_inner()).map_err(refused)?;
        if let Some(identity) = &caller {
            may_join(&instance, identity)?;
        }
        // First: who cannot stay must not have been seen.
        let permit = self.0.streams.permit_to_join()?;
        let membership = self
            .0
            .mesh
            .join(instance, caller)
            .map_err(|error| match error {
                JoinError::Full { .. } => Status::resource_exhausted(error.to_string()),
                JoinError::Ports { .. } => Status::invalid_argument(error.to_string()),
            })?;
        let mut told = false;
        let news = move |now: &Arc<Snapshot>| {
            if !membership.is_in(now) {
                return Err(Status::aborted(
                    "the instance has joined again on another stream",
                ));
            }
            let first = !std::mem::replace(&mut told, true);
            Ok(if first {
                vec![wire::Joined {}]
            } else {
                Vec::new()
            })
        };
        let snapshots = self.0.mesh.snapshots();
        Ok(Response::new(
            self.0.streams.follow_by(permit, snapshots, news),
        ))
    }

    async fn leave(
        &self,
        request: Request<wire::LeaveRequest>,
    ) -> Result<Response<wire::LeaveResponse>, Status> {
        let caller = self.caller(request.metadata())?;
        let id = InstanceId::new(request.into_inner().id);
        if caller.is_some_and(|caller| self.0.mesh.identity(&id).is_some_and(|id| id != caller)) {
            return Err(Status::permission_denied(format!(
                "{id} is another workload's"
            )));
        }
        if self.0.mesh.leave(&id) {
            Ok(Response::new(wire::LeaveResponse {}))
        } else {
            Err(Status::not_found(format!("{id} is no member")))
        }
    }

    type WatchStream = Answers<wire::Instances>;

    async fn watch(
        &self,
        request: Request<wire::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        // Who knows the members of before the restart would take those who are back for all that there are.
        let may_hold_back = Asker::of(request.metadata()) == Asker::Knows;
        let answers = self.0.streams.follow(self.0.mesh.snapshots(), move |now| {
            if may_hold_back && !now.settled {
                return Ok(Vec::new());
            }
            let instances = now
                .members
                .iter()
                .map(|member| (&member.instance).into())
                .collect();
            Ok(vec![wire::Instances { instances }])
        })?;
        Ok(Response::new(answers))
    }
}
