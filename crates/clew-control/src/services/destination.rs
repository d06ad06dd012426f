//! `Destination`: the endpoints of services.

use super::Shared;
use crate::snapshot::{Endpoints, Question, Snapshot};
use crate::stream::Answers;
use clew_api::convert::destination::update_to_wire;
use clew_api::unknown::Asker;
use clew_api::wire::linkerd::destination as wire;
use clew_model::service::{EndpointUpdate, Protocol, Target};
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Serves `Destination`.
pub(crate) struct Destinations(pub(crate) Shared);

impl Destinations {
    /// Paths are full names, in which the namespace of the caller plays no part; one that is short is a name
    /// in control's own namespace.
    fn question(&self, request: wire::GetDestination) -> Result<Question, Status> {
        if request.path.is_empty() {
            return Err(Status::invalid_argument("path is missing"));
        }
        let target = Target::Authority(request.path.to_ascii_lowercase().into());
        Ok(Question {
            target,
            namespace: self.0.mesh.namespace().clone(),
        })
    }
}

#[tonic::async_trait]
impl wire::destination_server::Destination for Destinations {
    type GetStream = Answers<wire::Update>;

    async fn get(
        &self,
        request: Request<wire::GetDestination>,
    ) -> Result<Response<Self::GetStream>, Status> {
        let may_hold_back = Asker::of(request.metadata()) == Asker::Knows;
        let question = self.question(request.into_inner())?;
        let mut told = Told::Nothing;
        let answers = self.0.streams.follow(self.0.mesh.snapshots(), move |now| {
            // Good news too: the first one to join again is not the only endpoint that there is.
            if may_hold_back && told == Told::Nothing && !now.settled {
                return Ok(Vec::new());
            }
            let there_is = Told::of(now, &question);
            let updates = told.updates(&there_is);
            told = there_is;
            Ok(updates.iter().map(update_to_wire).collect())
        })?;
        Ok(Response::new(answers))
    }

    type GetProfileStream = Answers<wire::DestinationProfile>;

    /// What Linkerd's proxies ask beside the policy: only the name and whether the bytes are opaque.
    async fn get_profile(
        &self,
        request: Request<wire::GetDestination>,
    ) -> Result<Response<Self::GetProfileStream>, Status> {
        let question = self.question(request.into_inner())?;
        let mut told = None;
        let answers = self.0.streams.follow(self.0.mesh.snapshots(), move |now| {
            let profile = profile(now, &question);
            if told.as_ref() == Some(&profile) {
                return Ok(Vec::new());
            }
            told = Some(profile.clone());
            Ok(vec![profile])
        })?;
        Ok(Response::new(answers))
    }
}

fn profile(snapshot: &Snapshot, question: &Question) -> wire::DestinationProfile {
    let key = snapshot.resolve(question);
    let policy = key.as_ref().and_then(|key| snapshot.outbound_policy(key));
    wire::DestinationProfile {
        fully_qualified_name: key.map(|key| key.path().to_string()).unwrap_or_default(),
        opaque_protocol: policy.is_some_and(|policy| policy.protocol == Protocol::Opaque),
        ..Default::default()
    }
}

/// What a client has been told about a destination.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    Nothing,
    None { exists: bool },
    Endpoints(Arc<Endpoints>),
}

impl Told {
    fn of(snapshot: &Snapshot, question: &Question) -> Self {
        let service = snapshot
            .resolve(question)
            .and_then(|key| snapshot.endpoints(&key).cloned());
        match service {
            None => Self::None { exists: false },
            Some(endpoints) if endpoints.is_empty() => Self::None { exists: true },
            Some(endpoints) => Self::Endpoints(endpoints),
        }
    }

    /// What has to be said so that the client is told `now`.
    pub(super) fn updates(&self, now: &Told) -> Vec<EndpointUpdate> {
        match (self, now) {
            (before, now) if before == now => Vec::new(),
            (_, Told::Nothing) => Vec::new(),
            (_, Told::None { exists }) => vec![EndpointUpdate::NoEndpoints { exists: *exists }],
            (Told::Endpoints(before), Told::Endpoints(now)) => difference(before, now),
            (_, Told::Endpoints(now)) => vec![EndpointUpdate::Add(now.values().cloned().collect())],
        }
    }
}

/// New ones first, so that a client whose endpoints are all replaced is never without one.
fn difference(before: &Endpoints, now: &Endpoints) -> Vec<EndpointUpdate> {
    let changed = now.values().filter(|e| before.get(&e.address) != Some(e));
    let added: Vec<_> = changed.cloned().collect();
    let removed: Vec<_> = before
        .keys()
        .filter(|address| !now.contains_key(address))
        .copied()
        .collect();
    let mut updates = Vec::new();
    if !added.is_empty() {
        updates.push(EndpointUpdate::Add(added));
    }
    if !removed.is_empty() {
        updates.push(EndpointUpdate::Remove(removed));
    }
    updates
}
