//! Whether traces are broken.

use super::super::Api;
use super::super::golden::Selection;
use super::super::propagation::scores;
use super::{LATELY, named, ok, unanswered, warn};
use clew_api::rest::check::Check;
use clew_store::Window;

pub(super) async fn checks(api: &Api) -> Check {
    const NAME: &str = "trace context";
    let selection = Selection::of(Window::last(LATELY), None);
    let scores = match scores(api, &selection).await {
        Ok(scores) => scores,
        Err(error) => return unanswered(NAME, &error),
    };
    let broken: Vec<String> = scores
        .iter()
        .filter(|(_, score)| **score < 1.0)
        .map(|((_, name), score)| format!("{name} ({:.2})", 100.0 * score))
        .collect();
    if broken.is_empty() {
        let found = match scores.len() {
            0 => "no request says anything of it in the last 5 minutes".to_owned(),
            1 => "1 workload passes it on".to_owned(),
            several => format!("{several} workloads pass it on"),
        };
        return ok(NAME, found);
    }
    let found = format!("traces are broken by {}", named(&broken));
    warn(NAME, found, "see `clew propagation`".to_owned())
}
