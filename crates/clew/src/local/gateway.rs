//! `clew gateway`: the way into the local mesh from outside.

use super::find::{Found, find_or_start};
use super::plan::GatewayPlan;
use super::record::own_state_dir;
use super::sidecar::{Gateway, Surroundings};
use crate::cli::local::GatewayArgs;
use crate::exit::Exit;
use crate::output::announce;
use clew_model::name::Workload;
use clew_runtime::logging::LogControl;
use clew_runtime::signals::Signals;

/// Joins the mesh as its gateway, until a signal.
pub(crate) async fn gateway(args: GatewayArgs, log: LogControl) -> anyhow::Result<Exit> {
    let mut signals = Signals::install()?;
    let state = own_state_dir();
    let found = tokio::select! {
        found = find_or_start(&state, args.api.address) => found?,
        _ = signals.next() => return Ok(Exit::Ok),
    };
    let Found { record, .. } = found;
    let workload = Workload::new(args.name.as_str(), args.namespace.as_str());
    let plan = GatewayPlan {
        listen: args.listen,
        routes: args.routes,
        trusted: args.trusted,
    };
    let gateway = Gateway::bind(workload, plan, &Surroundings::of(&record, args.proxy, log)?)?;
    announce(&format!(
        "the gateway listens on http://{}, dashboard and API http://{}",
        gateway.address, record.api
    ));
    let mut running = gateway.start();
    tokio::select! {
        _ = signals.next() => running.leave(),
        () = running.failed() => return Ok(Exit::Failed),
    }
    loop {
        tokio::select! {
            () = running.ended() => return Ok(Exit::Ok),
            _ = signals.next() => running.force(),
        }
    }
}
