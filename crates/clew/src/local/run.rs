//! `clew run`: a process, its sidecar, and nothing in between: its signals, its exit code.

use super::environment::{self, ApplicationPort, Variable, replaced_proxy};
use super::find::{Found, find_or_start};
use super::journal::{Journal, Stream, folder_of};
use super::naming::name_of;
use super::plan::PortChoice;
use super::ports::OwnPort;
use super::process::{SpawnError, exit_code};
use super::record::{Record, own_state_dir};
use super::sidecar::{RunningProxy, Sidecar, SidecarPlan, Surroundings};
use super::tee;
use crate::cli::local::RunArgs;
use crate::exit::Exit;
use crate::output::announce;
use anyhow::Context as _;
use clew_model::name::{ServiceName, Workload};
use clew_runtime::logging::LogControl;
use clew_runtime::signals::{Signal, Signals};
use futures_util::FutureExt as _;
use rustix::process::{Pid, getpgid, getpgrp, kill_process};
use rustix::termios::tcgetpgrp;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::process::{Child, Command};

/// How long the last words of a process that has ended may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs the process in the mesh, and ends with its code.
pub(crate) async fn run(args: RunArgs, log: LogControl) -> anyhow::Result<Exit> {
    let mut signals = Signals::install_these(Signal::ALL)?;
    let Some((program, arguments)) = args.process.split_first() else {
        return Ok(Exit::Usage);
    };
    let name = args
        .name
        .clone()
        .map_or_else(|| name_and_say(&args.process), Ok)?;
    let state = own_state_dir();
    let found = tokio::select! {
        found = find_or_start(&state, args.api.address) => found?,
        // There is no process yet that it could be passed on to.
        signal = signals.next() => return Ok(ended_by(signal)),
    };
    let Found { record, is_new } = found;
    if is_new {
        announce(&format!(
            "started a local mesh, dashboard and API http://{}; it ends with `clew down`, or when nobody is in it",
            record.api
        ));
    }
    if let Some(proxy) = replaced_proxy(variable) {
        announce(&format!(
            "the sidecar takes the place of {proxy}; other hosts are reached directly"
        ));
    }
    let ports = take_ports(&args)?;
    let sidecar = bind_sidecar(
        &args,
        &name,
        &ports,
        &Surroundings::of(&record, args.proxy, log)?,
    )?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(variables((&args, &name), &ports, &sidecar, &record));
    if let Some(signal) = signals.next().now_or_never() {
        return Ok(ended_by(signal));
    }
    let journal = args.log.then(|| {
        let folder = folder_of(&state, record.api);
        Journal::new(&folder, &name, sidecar.instance.as_str())
    });
    if journal.is_some() {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
    }
    let mut sidecar = sidecar.start();
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(source) => {
            let error = SpawnError::new(&program.to_string_lossy(), source);
            let code = error.exit_code();
            announce(&format!("{:#}", anyhow::Error::new(error)));
            leave(sidecar, &mut signals).await;
            return Ok(Exit::Process(code));
        }
    };
    let copying = journal.map(|journal| tokio::spawn(keep(&mut child, journal)));
    let status = supervise(child, &mut sidecar, &mut signals).await?;
    if let Some(copying) = copying {
        // Its pipes end with it, unless something that it started holds them.
        let _ = tokio::time::timeout(LAST_WORDS, copying).await;
    }
    leave(sidecar, &mut signals).await;
    Ok(status.map_or(Exit::Failed, |status| Exit::Process(exit_code(status))))
}

/// Passes on what the process writes, and keeps it.
fn keep(child: &mut Child, journal: Journal) -> impl Future<Output = ()> + use<> {
    let (output, error) = (child.stdout.take(), child.stderr.take());
    let journal = Arc::new(Mutex::new(journal));
    let kept = Arc::clone(&journal);
    let output = async move {
        if let Some(output) = output {
            tee::copy(output, tokio::io::stdout(), Stream::Output, kept).await;
        }
    };
    let error = async move {
        if let Some(error) = error {
            tee::copy(error, tokio::io::stderr(), Stream::Error, journal).await;
        }
    };
    async {
        tokio::join!(output, error);
    }
}

/// The exit code of a process that a signal has ended.
fn ended_by(signal: Signal) -> Exit {
    Exit::Process(u8::try_from(128 + signal.number()).unwrap_or(u8::MAX))
}

/// The name that the words of a command give to a workload, which the user is told.
fn name_and_say(words: &[OsString]) -> anyhow::Result<String> {
    let name = name_of(words).context("the command gives no name; choose one with --name")?;
    announce(&format!(
        "the workload is named {name}; --name gives it another name"
    ));
    Ok(name)
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

fn bind_sidecar(
    args: &RunArgs,
    name: &str,
    ports: &[OwnPort],
    mesh: &Surroundings,
) -> anyhow::Result<Sidecar> {
    let own = ServiceName::new(name);
    let ports = args.ports.iter().zip(ports).map(|(asked, port)| {
        let service = asked
            .service
            .as_deref()
            .map_or_else(|| own.clone(), ServiceName::from);
        (port.address, service, asked.protocol)
    });
    let plan = SidecarPlan {
        workload: Workload::new(name, args.namespace.as_str()),
        ports: ports.collect(),
        to: args
            .to
            .iter()
            .map(|service| ServiceName::new(service.as_str()))
            .collect(),
    };
    Ok(Sidecar::bind(plan, mesh)?)
}

/// What the process is told of its surroundings.
fn variables(
    (args, name): (&RunArgs, &str),
    ports: &[OwnPort],
    sidecar: &Sidecar,
    roles: &Record,
) -> Vec<Variable> {
    let surroundings = environment::Surroundings {
        workload: Workload::new(name, args.namespace.as_str()),
        instance: sidecar.instance.clone(),
        http_proxy: sidecar.http_proxy,
        dependencies: sidecar.dependencies.clone(),
        port: ports.first().map(|port| ApplicationPort {
            number: port.address.port(),
            is_news: port.is_news,
        }),
        otlp_http: roles.otlp_http,
        zipkin: roles.zipkin,
        is_one_of_many: false,
    };
    environment::variables(&surroundings, variable)
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
                pass_on(pid, Signal::Terminate);
            }
        }
    }
}

/// What a terminal sends goes to all processes of the group in its foreground. A process that is in it with
/// us has it already, and would take it for a second one. Who has sent a signal cannot be seen from here, so
/// one that comes from elsewhere (`kill -INT`) is taken for the terminal's then.
fn pass_on(pid: Option<Pid>, signal: Signal) {
    let Some(pid) = pid else { return };
    let can_come_from_terminal = matches!(signal, Signal::Interrupt | Signal::Quit);
    if can_come_from_terminal && is_in_foreground_with_us(pid) {
        return;
    }
    if let Some(signal) = rustix::process::Signal::from_named_raw(signal.number()) {
        // It fails when the process has just ended, which is noticed next.
        let _ = kill_process(pid, signal);
    }
}

fn is_in_foreground_with_us(process: Pid) -> bool {
    let Ok(terminal) = File::open("/dev/tty") else {
        return false;
    };
    let own = getpgrp();
    let is_ours = |group: rustix::io::Result<Pid>| group.is_ok_and(|group| group == own);
    is_ours(tcgetpgrp(&terminal)) && is_ours(getpgid(Some(process)))
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
