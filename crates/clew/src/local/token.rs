//! `clew token`: what a proxy that somebody else starts shows to be let into the mesh.

use super::keys::Keys;
use super::record::own_state_dir;
use crate::cli::local::TokenArgs;
use crate::exit::Exit;
use crate::output::announce;
use clew_model::name::Workload;

/// Prints a token, and nothing else.
pub(crate) fn token(args: TokenArgs) -> anyhow::Result<Exit> {
    let api = args.api.address;
    let Some(keys) = Keys::read(&own_state_dir(), api)? else {
        announce(&format!("no mesh of yours has its API at http://{api}"));
        return Ok(Exit::Unreachable);
    };
    let workload = Workload::new(args.workload, args.namespace);
    println!("{}", keys.token(&workload, args.life)?);
    Ok(Exit::Ok)
}
