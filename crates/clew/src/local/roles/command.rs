//! `clew roles`: the roles in a process of their own.

use super::{Roles, RolesPlan, idle_for};
use crate::cli::local::RolesArgs;
use crate::exit::Exit;
use crate::local::kept;
use crate::local::record::{file_of, own_state_dir};
use anyhow::Context as _;
use clew_control::AccessTable;
use clew_model::name::Namespace;
use clew_model::telemetry::{Sampling, TelemetrySettings};
use clew_observe::Port;
use clew_runtime::logging::LogControl;
use clew_runtime::signals::Signals;
use clew_store::{Retention, StorePath};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

/// Runs the roles until a signal, or until nobody has needed them for a while. One line of JSON on
/// standard output says where they answer, as soon as they do.
pub(crate) async fn roles(args: RolesArgs, log: LogControl) -> anyhow::Result<Exit> {
    if args.detach {
        // A session without a terminal: its end is none of ours. It fails only for the leader of a
        // group, which is alone already.
        let _ = rustix::process::setsid();
    }
    let mut signals = Signals::install()?;
    let mut roles = Roles::start(plan(&args, log)).await?;
    announce(&roles).context("cannot say that the roles are ready")?;
    let control = roles.record.control;
    let idle = args.idle_exit.duration();
    let exit = tokio::select! {
        _ = signals.next() => Exit::Ok,
        () = idle_for(control, idle), if !idle.is_zero() => {
            tracing::info!("nobody has been in the mesh for {}; ending", args.idle_exit);
            Exit::Ok
        }
        () = roles.failed() => Exit::Failed,
    };
    tokio::select! {
        () = roles.stop() => {}
        _ = signals.next() => {}
    }
    Ok(exit)
}

fn plan(args: &RolesArgs, log: LogControl) -> RolesPlan {
    let port = |asked: Option<SocketAddr>, usual: u16| match asked {
        Some(address) => Port::Required(address),
        None => Port::Wanted((Ipv4Addr::LOCALHOST, usual).into()),
    };
    let sampling = Sampling {
        ratio: args.sample.ratio,
        ..Sampling::default()
    };
    RolesPlan {
        command: "roles",
        api: args.api.address,
        control: port(args.control, 0),
        otlp_grpc: port(args.otlp_grpc, 4317),
        otlp_http: port(args.otlp_http, 4318),
        zipkin: port(args.zipkin, 9411),
        namespace: Namespace::from("default"),
        telemetry: TelemetrySettings {
            sampling,
            ..TelemetrySettings::default()
        },
        // An address that is another one each time is no name.
        kept_settings: (args.api.address.port() != 0)
            .then(|| file_of(&own_state_dir(), args.api.address, "settings.json")),
        access: AccessTable::default(),
        services: Vec::new(),
        store: args
            .store
            .store
            .clone()
            .map_or(StorePath::Temporary, StorePath::File),
        retention: kept(&args.store, Retention::default()),
        log,
    }
}

fn announce(roles: &Roles) -> anyhow::Result<()> {
    let line = serde_json::to_string(&roles.record)?;
    let mut output = std::io::stdout();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}
