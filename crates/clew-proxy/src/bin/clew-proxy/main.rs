//! The data plane as a program of its own: what goes into pods and network namespaces, and what
//! benchmarks measure. It links no SQLite, no dashboard and no Kubernetes.

mod arguments;
mod redirect;

use anyhow::Context;
use arguments::{Arguments, Command};
use clap::Parser;
use clew_proxy::proxy::Proxy;
use clew_runtime::drain::Drain;
use clew_runtime::logging::{self, LogFormat};
use clew_runtime::signals::Signals;
use std::io::IsTerminal;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code for flags that make no sense (`EX_USAGE` of sysexits(3)).
const WRONG_USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let outcome = match arguments.command {
        Command::Run(run) => match &run.mistakes()[..] {
            [] => serve(*run),
            mistakes => {
                eprintln!("clew-proxy: {}", mistakes.join("\nclew-proxy: "));
                return ExitCode::from(WRONG_USAGE);
            }
        },
        Command::Redirect(rules) => redirect::apply(&rules),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("clew-proxy: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Help and version go to standard output and are no failure; everything else is wrong usage.
fn usage(error: &clap::Error) -> ExitCode {
    // Nobody reads it any more: there is nothing left to say.
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(WRONG_USAGE)
    } else {
        ExitCode::SUCCESS
    }
}

/// Control, export, admin and tap share one thread; requests have threads of their own.
fn serve(run: arguments::Run) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the control runtime")?;
    runtime.block_on(async {
        let colour = std::io::stderr().is_terminal();
        let log = logging::init(LogFormat::Text { colour }, &run.log).context("logging")?;
        let mut signals = Signals::install().context("signals")?;
        let config = run.into_config(log);
        let (drain, watch) = Drain::new(config.limits.drain_timeout);
        let proxy = Proxy::bind(config)?;
        let addresses = proxy.addresses();
        tracing::info!(listeners = ?addresses.listeners, admin = %addresses.admin, tap = %addresses.tap, "listening");
        let draining = async {
            signals.drive(&drain).await;
            std::future::pending().await
        };
        tokio::select! {
            ended = proxy.run(watch) => Ok(ended?),
            never = draining => never,
        }
    })
}
