//! The proof of who a workload is.

use crate::bearer;
use std::sync::Arc;
use std::{fmt, io};
use tonic::{Request, Status};

/// Gives the token by which the workload proves who it is, each time that it is asked for one.
#[derive(Clone)]
pub struct TokenSource(Arc<dyn Fn() -> io::Result<String> + Send + Sync>);

impl TokenSource {
    /// A source that asks `token`. It may read a file, and waits for nothing else.
    pub fn new(token: impl Fn() -> io::Result<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(token))
    }

    /// A token that is good now.
    pub(super) fn token(&self) -> Result<String, Status> {
        (self.0)().map_err(|error| {
            Status::unauthenticated(format!(
                "there is no token to prove the identity with: {error}"
            ))
        })
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource")
    }
}

/// Adds the token to what is asked, where there is one.
pub(super) fn prove<T>(
    request: &mut Request<T>,
    source: Option<&TokenSource>,
) -> Result<(), Status> {
    match source {
        Some(source) => bearer::put(request.metadata_mut(), &source.token()?),
        None => Ok(()),
    }
}
