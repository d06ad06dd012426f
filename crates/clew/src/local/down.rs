//! `clew down`: ends the local mesh.

use super::record::{Record, own_state_dir};
use crate::cli::local::DownArgs;
use crate::exit::Exit;
use crate::output::announce;
use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::time::Duration;

/// Longer than a mesh takes to let open requests finish.
const END_TIMEOUT: Duration = Duration::from_secs(60);

/// Asks the process of the roles to end, and waits until it has.
pub(crate) async fn down(args: DownArgs) -> anyhow::Result<Exit> {
    let (dir, api) = (own_state_dir(), args.api.address);
    let Some(record) = Record::find(&dir, api)? else {
        announce(&format!("no mesh of yours has its API at http://{api}"));
        return Ok(Exit::Unreachable);
    };
    // The record is locked by that very process, so the id is not another's.
    let pid = Pid::from_raw(record.pid).context("the mesh names no process")?;
    kill_process(pid, Signal::TERM).context("cannot end the mesh")?;
    let command = record.command.clone();
    let ended = tokio::task::spawn_blocking(move || record.wait_for_end(&dir));
    match tokio::time::timeout(END_TIMEOUT, ended).await {
        Ok(ended) => ended??,
        Err(_) => bail!("process {pid} was asked to end and has not, after {END_TIMEOUT:?}"),
    }
    announce(&format!(
        "the mesh of `clew {command}` at http://{api} has ended"
    ));
    Ok(Exit::Ok)
}
