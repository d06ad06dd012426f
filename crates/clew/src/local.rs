//! The commands that run something on this machine.

use crate::cli::local::{DemoArgs, DownArgs, RolesArgs, RunArgs, UpArgs};
use crate::exit::Exit;
use anyhow::bail;

/// `clew demo`
pub(crate) fn demo(_args: DemoArgs) -> anyhow::Result<Exit> {
    bail!("not built yet")
}

/// `clew up`
pub(crate) fn up(_args: UpArgs) -> anyhow::Result<Exit> {
    bail!("not built yet")
}

/// `clew run`
pub(crate) fn run(_args: RunArgs) -> anyhow::Result<Exit> {
    bail!("not built yet")
}

/// `clew down`
pub(crate) fn down(_args: DownArgs) -> anyhow::Result<Exit> {
    bail!("not built yet")
}

/// `clew roles`
pub(crate) fn roles(_args: RolesArgs) -> anyhow::Result<Exit> {
    bail!("not built yet")
}
