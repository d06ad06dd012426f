//! Whether the clocks of those who send spans agree with ours.

use super::{ok, unanswered, warn};
use clew_api::rest::check::Check;
use clew_store::query::TraceQuery;
use clew_store::{Store, Window};
use std::time::{Duration, SystemTime};

/// Less is not worth a word.
const TOLERANCE: Duration = Duration::from_secs(2);
/// Spans further ahead are not looked for.
const HORIZON: Duration = Duration::from_secs(24 * 3600);

/// A span cannot begin after it was received: one that begins in the future was sent by a clock that is
/// ahead. A clock that is behind cannot be told from a slow sender.
pub(super) async fn skew(store: &Store) -> Check {
    const NAME: &str = "clocks";
    let now = SystemTime::now();
    let window = Window {
        from: now + TOLERANCE,
        to: now + HORIZON,
    };
    let found = store
        .find_traces(TraceQuery {
            window,
            limit: 1,
            ..TraceQuery::default()
        })
        .await;
    match found.as_ref().map(|found| found.traces.as_slice()) {
        Err(error) => unanswered(NAME, error),
        Ok([]) => ok(NAME, "no span begins in the future".to_owned()),
        Ok([trace, ..]) => {
            let services: Vec<&str> = trace.services.keys().map(String::as_str).collect();
            let found = format!(
                "trace {} of {} has spans that begin in the future",
                trace.trace_id,
                services.join(", ")
            );
            warn(
                NAME,
                found,
                "set the clocks of these machines (NTP); spans are shown at the wrong time"
                    .to_owned(),
            )
        }
    }
}
