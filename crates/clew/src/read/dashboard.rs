//! `clew dashboard`: the dashboard, in a browser.

use super::ReadError;
use crate::cli::read::DashboardArgs;
use crate::client::{ApiClient, Question};
use crate::exit::Exit;
use crate::output;
use clew_api::rest::Version;
use clew_api::rest::golden::Stat;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// What opens an address in the user's browser.
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};
/// An opener that still runs then has become the browser.
const OPENING: Duration = Duration::from_secs(2);

pub(super) async fn run(args: &DashboardArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    // Anything may answer at `/`: first, whether it is a mesh.
    api.get::<Version>(&Question::new("/version")).await?;
    if !api.has_dashboard().await? {
        return Err(ReadError::NoDashboard {
            api: api.address().to_owned(),
        });
    }
    let page = match &args.workload {
        Some(name) => page_of(name, args.namespace.as_deref(), api).await?,
        None => Some(Question::new("/")),
    };
    let Some(page) = page else {
        output::announce("there is no such workload in this namespace");
        return Ok(Exit::Empty);
    };
    let url = format!("{}{}", api.address(), page.path());
    output::print(&format!("{url}\n")).map_err(ReadError::Write)?;
    if !args.print && has_display(|name| std::env::var(name).ok()) {
        // Whoever has the address can go there.
        if let Err(reason) = open(OPENER, &url).await {
            output::announce(&format!("no browser was opened: {reason}"));
        }
    }
    Ok(Exit::Ok)
}

/// The page of a workload, which the mesh has to know. `None`: not in this namespace.
async fn page_of(
    name: &str,
    namespace: Option<&str>,
    api: &ApiClient,
) -> Result<Option<Question>, ReadError> {
    let question = Question::new("/stat")
        .with("workload", name)
        .with_some("namespace", namespace);
    let stat = api.get::<Stat>(&question).await?.body;
    Ok(stat.workloads.first().map(|found| {
        Question::new("/workloads")
            .segment(&found.namespace)
            .segment(&found.workload)
    }))
}

/// Whether there is a screen to open something on.
fn has_display(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

/// Starts the opener, which may become the browser and go on after us; else why it did not open anything.
async fn open(opener: &str, url: &str) -> Result<(), String> {
    let mut command = Command::new(opener);
    command
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C is for us, and not for the browser.
        .process_group(0);
    let mut child = command
        .spawn()
        .map_err(|error| format!("cannot start {opener} ({error})"))?;
    match tokio::time::timeout(OPENING, child.wait()).await {
        Ok(Ok(status)) if !status.success() => Err(format!("{opener} ended with {status}")),
        Ok(Err(error)) => Err(format!("{opener} cannot be waited for ({error})")),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
