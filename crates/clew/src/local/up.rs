//! `clew up`: a whole application from one file.

use super::foreign;
use super::instance::Instance;
use super::mesh::{BoundMesh, Change, Mesh, Whereabouts, names};
use super::mesh_file;
use super::plan::MeshPlan;
use super::prefix::{Lines, Stream, Voice};
use super::record::{file_of, own_state_dir};
use super::reload::apply::apply;
use super::reload::{Request, Requests};
use super::roles::RolesPlan;
use super::{after, kept};
use crate::address::DEFAULT_API;
use crate::cli::local::UpArgs;
use crate::exit::Exit;
use crate::output;
use anyhow::Context as _;
use clew_model::name::{InstanceId, ServiceName};
use clew_runtime::config::Mistakes;
use clew_runtime::logging::LogControl;
use clew_runtime::signals::Signals;
use clew_store::StorePath;
use std::collections::HashSet;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

/// After this the user is told that something does not listen yet.
const SLOW_START: Duration = Duration::from_secs(10);
/// How long the terminal may take for the last lines when all has to end at once.
const LAST_LINES: Duration = Duration::from_secs(1);
/// The name by which we speak among the services.
const OWN_NAME: &str = "clew";

/// Runs what the file says until a signal, the given time, or the end of every program.
pub(crate) async fn up(args: UpArgs, log: LogControl) -> anyhow::Result<Exit> {
    if let Some(file) = &args.from {
        return print_meaning(file);
    }
    let plan = match load(&args, &args.file) {
        Ok(plan) => plan,
        Err(mistakes) => {
            anstream::eprintln!("{mistakes}");
            return Ok(Exit::Usage);
        }
    };
    let mut signals = Signals::install()?;
    let api = args.api.or(plan.api).unwrap_or(DEFAULT_API);
    let store = args.store.store.clone().or_else(|| own_store(&plan, api));
    let store = store.map_or(StorePath::Temporary, StorePath::File);
    let roles = RolesPlan::of_mesh("up", &plan, api, store, log);

    let mut names = names(&plan.services);
    names.push(OWN_NAME.to_owned());
    let bound = BoundMesh::bind(plan.clone(), roles).await?;
    let lines = Lines::start(names, bound.log_folder());
    let voice = lines.voice(&ServiceName::from(OWN_NAME), OWN_NAME);
    let (mut mesh, started) = bound.start(&lines);
    let exit = match started {
        Ok(()) => tokio::select! {
            _ = signals.next() => Ok(Exit::Ok),
            () = after(args.for_time) => Ok(Exit::Ok),
            exit = serve(&mut mesh, (&lines, &voice), plan, &args) => exit,
        },
        Err(error) => Err(error.into()),
    };
    let end = tokio::select! {
        () = mesh.stop() => End::InOrder,
        _ = signals.next() => End::AtOnce,
    };
    if end == End::AtOnce {
        mesh.kill().await;
    }
    drop(voice);
    drop(mesh);
    finish(lines, end, &mut signals).await;
    exit
}

/// Reads the file. What flags say comes first.
fn load(args: &UpArgs, file: &Path) -> Result<MeshPlan, Mistakes> {
    let mut plan = mesh_file::load(file)?;
    plan.retention = kept(&args.store, plan.retention);
    Ok(plan)
}

/// Prints the `mesh.yaml` that a file of another program means.
fn print_meaning(file: &Path) -> anyhow::Result<Exit> {
    match foreign::convert(file) {
        Ok(text) => output::print(&text).context("cannot write it")?,
        Err(mistakes) => {
            anstream::eprintln!("{mistakes}");
            return Ok(Exit::Usage);
        }
    }
    Ok(Exit::Ok)
}

/// The file of a mesh that keeps its numbers when it ends. It has the address of the API in its name, as a
/// mesh by the same name may run at another one; an address that is another one each time is no name.
fn own_store(plan: &MeshPlan, api: SocketAddr) -> Option<PathBuf> {
    let what = format!("{}.db", plan.name);
    (api.port() != 0).then(|| file_of(&own_state_dir(), api, &what))
}

/// How all ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Open requests finish, and programs end by themselves.
    InOrder,
    /// The user has asked twice: what runs is killed, and nobody is waited for.
    AtOnce,
}

/// Waits until all lines are written. Nobody may be reading them, so it waits no longer than the user does.
pub(crate) async fn finish(lines: Lines, end: End, signals: &mut Signals) {
    let writing = tokio::task::spawn_blocking(move || lines.finish());
    let patience = async {
        match end {
            End::InOrder => drop(signals.next().await),
            End::AtOnce => tokio::time::sleep(LAST_LINES).await,
        }
    };
    tokio::select! {
        _ = writing => {}
        () = patience => {}
    }
}

/// Says when all is ready, and resolves when nothing is left to wait for.
async fn serve(
    mesh: &mut Mesh,
    (lines, voice): (&Lines, &Voice),
    mut plan: MeshPlan,
    args: &UpArgs,
) -> anyhow::Result<Exit> {
    let mut requests = listen_for_reloads(mesh);
    explain_others(mesh, voice, &HashSet::new()).await;
    let waits_for_signal = !mesh.goes_on();
    let mut exit = Exit::Ok;
    let mut ready = Box::pin(mesh.ready());
    let mut slow = pin!(tokio::time::sleep(SLOW_START));
    let (mut is_ready, mut is_told, mut is_slow) = (false, false, false);
    while mesh.goes_on() || waits_for_signal {
        tokio::select! {
            () = &mut ready, if !is_ready => {
                is_ready = true;
                let whereabouts = mesh.whereabouts();
                if !is_told {
                    tell(&whereabouts, voice).await;
                }
                is_told = true;
                write_ready_file(args.ready_file.as_deref(), &whereabouts)?;
            }
            () = &mut slow, if !is_slow => {
                is_slow = true;
                if !is_ready {
                    voice.say(Stream::Error, "not every application listens yet").await;
                }
            }
            change = mesh.next_change() => {
                match change {
                    None => return Ok(Exit::Failed),
                    Some(Change::Ended(ended)) if ended.again.is_none() => {
                        if !ended.is_success {
                            exit = Exit::Failed;
                        }
                    }
                    // A sidecar of a new life is somewhere else than the one before: that is written again.
                    Some(Change::Ended(_)) => {}
                    Some(Change::StartedAgain) => is_ready = false,
                }
                ready = Box::pin(mesh.ready());
            }
            Some(request) = next(&mut requests) => {
                let file = request.file.as_deref().unwrap_or(&args.file);
                let wanted = load(args, file);
                let known = mesh.not_ours().map(Instance::id).collect();
                let reply = apply(mesh, lines, &mut plan, wanted).await;
                for line in reply.in_words() {
                    voice.say(Stream::Output, &line).await;
                }
                explain_others(mesh, voice, &known).await;
                // Whoever asked may be gone.
                let _ = request.answer.send(reply);
                ready = Box::pin(mesh.ready());
                is_ready = false;
            }
        }
    }
    Ok(exit)
}

/// Without a way to be asked, all else goes on.
fn listen_for_reloads(mesh: &Mesh) -> Option<Requests> {
    let listening = Requests::listen(mesh.whereabouts().roles.api);
    listening
        .inspect_err(|error| tracing::warn!("`clew reload` cannot be answered: {error}"))
        .ok()
}

async fn next(requests: &mut Option<Requests>) -> Option<Request> {
    requests.as_mut()?.next().await
}

/// Programs that someone else starts need to be told of their sidecar; of those that are known they were.
async fn explain_others(mesh: &Mesh, voice: &Voice, known: &HashSet<InstanceId>) {
    let is_new = |instance: &&Instance| !known.contains(&instance.id());
    for instance in mesh.not_ours().filter(is_new) {
        let name = &instance.addresses.name;
        let text = match instance.addresses.application {
            Some(application) => format!("start {name} yourself, on {application}, with"),
            None => format!("start {name} yourself, with"),
        };
        voice.say(Stream::Output, &text).await;
        for (name, value) in &instance.environment {
            voice
                .say(Stream::Output, &format!("  {name}={value}"))
                .await;
        }
    }
}

async fn tell(whereabouts: &Whereabouts, voice: &Voice) {
    let api = whereabouts.roles.api;
    let mut lines = vec![
        "ready".to_owned(),
        format!("  dashboard  http://{api}      (the API too)"),
    ];
    if let Some(gateway) = whereabouts.gateway {
        lines.push(format!("  gateway    http://{gateway}"));
    }
    for line in lines {
        voice.say(Stream::Output, &line).await;
    }
}

/// Writes where everything is. A file appears whole; a pipe or a link is written to as it is.
pub(crate) fn write_ready_file(
    file: Option<&Path>,
    whereabouts: &Whereabouts,
) -> anyhow::Result<()> {
    let Some(file) = file else { return Ok(()) };
    let text = serde_json::to_string(whereabouts)? + "\n";
    let write = || {
        // A link may be `/dev/stdout`: to put a file in its place would take it from everyone.
        if std::fs::symlink_metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
            let mut stream = std::fs::OpenOptions::new().append(true).open(file)?;
            return stream.write_all(text.as_bytes());
        }
        let mut draft = file.as_os_str().to_owned();
        draft.push(".new");
        std::fs::write(&draft, &text)?;
        std::fs::rename(&draft, file)
    };
    write().with_context(|| format!("cannot write {}", file.display()))
}
