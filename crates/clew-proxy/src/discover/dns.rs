//! Hosts outside of the mesh, by name.

use super::until_unheard;
use clew_model::service::Endpoint;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often a host that is in use is looked up again. The system's resolver does not tell us the
/// time to live.
const REFRESH: Duration = Duration::from_secs(30);
/// How soon a failed look-up is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// Follows the addresses of `host:port` until nobody listens. A host that cannot be found has no
/// endpoints; one that was found keeps the addresses that it had.
pub(super) async fn follow(authority: Arc<str>, news: Arc<watch::Sender<Option<Arc<[Endpoint]>>>>) {
    until_unheard(&news, async {
        loop {
            let found = look_up(&authority).await;
            let pause = if found.is_some() { REFRESH } else { RETRY };
            news.send_if_modified(|known| match found {
                Some(found) if known.as_ref() != Some(&found) => {
                    *known = Some(found);
                    true
                }
                None if known.is_none() => {
                    *known = Some(Arc::from([]));
                    true
                }
                _ => false,
            });
            tokio::time::sleep(pause).await;
        }
    })
    .await;
}

async fn look_up(authority: &str) -> Option<Arc<[Endpoint]>> {
    let mut endpoints: Vec<_> = tokio::net::lookup_host(authority)
        .await
        .ok()?
        .map(|address| Endpoint {
            address,
            weight: 1,
            workload: None,
            instance: None,
            identity: None,
        })
        .collect();
    // The resolver's order turns round; ours must not look like a change each time.
    endpoints.sort_by_key(|endpoint| endpoint.address);
    Some(endpoints.into())
}
