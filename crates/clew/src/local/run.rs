//! `clew run`: a process, its sidecar, and nothing in between: its signals, its exit code.

use super::environment::{self, ApplicationPort, replaced_proxy};
use super::find::{Found, find_or_start};
use super::plan::PortChoice;
use super::ports::OwnPort;
use super::process::{SpawnError, exit_code};
use super::record::{Record, own_state_dir};
use super::say;
use super::sidecar::{RunningProxy, Sidecar, SidecarPlan, Surroundings};
use crate::cli::local::RunArgs;
use crate::exit::Exit;
use anyhow::Context as _;
use clew_model::name::{ServiceName, Workload};
use rustix::process::{Pid, Signal, getpgrp, kill_process};
use rustix::termios::tcgetpgrp;
use std::fs::File;
use std::io;
use std::process::ExitStatus;
use tokio::process::{Child, Command};
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::mpsc;

/// Runs the process in the mesh, and ends with its code.
pub(crate) async fn run(args: RunArgs) -> anyhow::Result<Exit> {
    let mut signals = Signals::install().context("cannot receive signals")?;
    let Found { record, is_new } = find_or_start(&own_state_dir(), args.api.address).await?;
    if is_new {
        say(&format!(
            "started a local mesh, API http://{}; it ends with `clew down`, or when nobody is in it",
            record.api
        ));
    }
    if let Some(proxy) = replaced_proxy(variable) {
        say(&format!(
            "the sidecar takes the place of {proxy}; other hosts are reached directly"
        ));
    }
    let ports = take_ports(&args)?;
    let sidecar = bind_sidecar(&args, &ports, &record)?;
    let surroundings = environment::Surroundings {
        workload: args.name.as_str().into(),
        http_proxy: sidecar.http_proxy,
        dependencies: sidecar.dependencies.clone(),
        port: ports.first().map(|port| ApplicationPort {
            number: port.address.port(),
            is_news: port.is_news,
        }),
        otlp_http: record.otlp_http,
    };
    let Some((program, arguments)) = args.process.split_first() else {
        return Ok(Exit::Usage);
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(environment::variables(&surroundings, variable));
    let mut sidecar = sidecar.start();
    let child = match command.spawn() {
        Ok(child) => child,
        Err(source) => {
            let error = SpawnError::new(&program.to_string_lossy(), source);
            let code = error.exit_code();
            say(&format!("{:#}", anyhow::Error::new(error)));
            leave(sidecar, &mut signals).await;
            return Ok(Exit::Process(code));
        }
    };
    let status = supervise(child, &mut sidecar, &mut signals).await?;
    leave(sidecar, &mut signals).await;
    Ok(status.map_or(Exit::Failed, |status| Exit::Process(exit_code(status))))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn take_ports(args: &RunArgs) -> anyhow::Result<Vec<OwnPort>> {
    let ports = args
        .ports
        .iter()
        .map(|port| OwnPort::take(port.listens.map_or(PortChoice::System, PortChoice::Fixed)));
    ports
        .collect::<io::Result<_>>()
        .context("the system gives no port")
}

fn bind_sidecar(args: &RunArgs, ports: &[OwnPort], roles: &Record) -> anyhow::Result<Sidecar> {
    let own = ServiceName::new(args.name.as_str());
    let ports = args.ports.iter().zip(ports).map(|(asked, port)| {
        let service = asked
            .service
            .as_deref()
            .map_or_else(|| own.clone(), ServiceName::from);
        (port.address, service, asked.protocol)
    });
    let plan = SidecarPlan {
        workload: Workload::new(args.name.as_str(), args.namespace.as_str()),
        ports: ports.collect(),
        to: args
            .to
            .iter()
            .map(|service| ServiceName::new(service.as_str()))
            .collect(),
    };
    Ok(Sidecar::bind(plan, &Surroundings::of(roles, args.proxy))?)
}

/// Passes signals on until the process ends. Without its sidecar a process is cut off, so it is asked
/// to end then, and there is no status.
async fn supervise(
    mut child: Child,
    sidecar: &mut RunningProxy,
    signals: &mut Signals,
) -> anyhow::Result<Option<ExitStatus>> {
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let mut is_cut_off = false;
    loop {
        tokio::select! {
            status = child.wait() => {
                let status = status.context("cannot wait for the process")?;
                return Ok((!is_cut_off).then_some(status));
            }
            signal = signals.next() => pass_on(pid, signal),
            () = sidecar.ended(), if !is_cut_off => {
                is_cut_off = true;
                pass_on(pid, Signal::TERM);
            }
        }
    }
}

/// What a terminal sends goes to all processes in its foreground, so the process has it already.
fn pass_on(pid: Option<Pid>, signal: Signal) {
    let comes_from_terminal = matches!(signal, Signal::INT | Signal::QUIT) && is_in_foreground();
    if let Some(pid) = pid.filter(|_| !comes_from_terminal) {
        // It fails when the process has just ended, which is noticed next.
        let _ = kill_process(pid, signal);
    }
}

fn is_in_foreground() -> bool {
    let terminal = File::open("/dev/tty");
    terminal.is_ok_and(|terminal| tcgetpgrp(&terminal).is_ok_and(|group| group == getpgrp()))
}

/// The instance leaves at once; what is still open may finish, until a signal says otherwise.
async fn leave(mut sidecar: RunningProxy, signals: &mut Signals) {
    sidecar.leave();
    loop {
        tokio::select! {
            () = sidecar.ended() => return,
            _ = signals.next() => sidecar.force(),
        }
    }
}

/// The signals that are passed on.
#[derive(Debug)]
struct Signals {
    received: mpsc::Receiver<Signal>,
}

impl Signals {
    const ALL: [Signal; 6] = [
        Signal::TERM,
        Signal::INT,
        Signal::HUP,
        Signal::QUIT,
        Signal::USR1,
        Signal::USR2,
    ];

    /// From here on they do not end this process any more.
    fn install() -> io::Result<Self> {
        let (sender, received) = mpsc::channel(16);
        for signal in Self::ALL {
            let mut source = unix::signal(SignalKind::from_raw(signal.as_raw()))?;
            let sender = sender.clone();
            // Ends with the runtime, which ends with the command.
            tokio::spawn(async move {
                while source.recv().await.is_some() && sender.send(signal).await.is_ok() {}
            });
        }
        Ok(Self { received })
    }

    async fn next(&mut self) -> Signal {
        match self.received.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}
