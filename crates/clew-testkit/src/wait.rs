//! Waiting for something that has to happen.

use std::future::Future;
use std::time::Duration;

/// How long a test waits for something that has to happen. Only a test that fails takes so long: the bound
/// is wide because machines are busy.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Waits for something that has to happen.
///
/// # Panics
/// It did not, within [`DEADLINE`].
pub async fn within<T>(awaited: &str, something: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, something).await {
        Ok(happened) => happened,
        Err(_) => panic!("not within {DEADLINE:?}: {awaited}"),
    }
}
