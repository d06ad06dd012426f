//! Watching a policy that may not be there: what outbound and inbound policies have in common
//! (docs/decisions/0001-unknown-targets.md).

use super::Shared;
use crate::snapshot::Snapshot;
use crate::stream::Answers;
use clew_api::unknown::{Asker, mark_unknown};
use tonic::{Response, Status};

/// How a stream begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// With a policy.
    Known,
    /// With the word that there is none, yet.
    Unknown,
    /// With nothing: the client knows better, for control has just started.
    Silent,
}

/// Sends what `find` finds, and again when it changes. `missing` says what is not there when nothing is
/// found: to a plain client, and to every client when what was there is no more. There is no message for
/// that, so the stream ends with NOT_FOUND, and the client asks again.
pub(super) fn watch<P, M>(
    shared: &Shared,
    asker: Asker,
    find: impl Fn(&Snapshot) -> Option<P> + Send + 'static,
    write: impl Fn(&P) -> M + Send + 'static,
    missing: &'static str,
) -> Result<Response<Answers<M>>, Status>
where
    P: PartialEq + Send + 'static,
    M: Send + 'static,
{
    let snapshots = shared.mesh.snapshots();
    let start = snapshots.borrow().clone();
    let opening = match (find(&start), asker) {
        (Some(_), _) => Opening::Known,
        (None, Asker::Plain) => return Err(Status::not_found(missing)),
        (None, Asker::Knows) if !start.settled => Opening::Silent,
        (None, Asker::Knows | Asker::Waits) => Opening::Unknown,
    };
    let mut is_known = opening == Opening::Known;
    let mut last = None;
    let answers = shared.streams.follow(snapshots, move |now| {
        let found = find(now);
        match &found {
            Some(_) if last == found => Ok(Vec::new()),
            Some(policy) => {
                let message = write(policy);
                is_known = true;
                last = found;
                Ok(vec![message])
            }
            None if is_known || (opening == Opening::Silent && now.settled) => {
                Err(Status::not_found(missing))
            }
            None => Ok(Vec::new()),
        }
    })?;
    let mut response = Response::new(answers);
    if opening == Opening::Unknown {
        mark_unknown(response.metadata_mut());
    }
    Ok(response)
}
