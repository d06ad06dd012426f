//! `clew up`: a whole application from one file.

use super::instance::Ended;
use super::mesh::{Mesh, Whereabouts, names};
use super::mesh_file;
use super::prefix::{Lines, Stream, Voice};
use super::record::own_state_dir;
use super::roles::RolesPlan;
use super::{after, default_api, kept};
use crate::cli::local::UpArgs;
use crate::exit::Exit;
use anyhow::Context as _;
use clew_runtime::signals::Signals;
use clew_store::StorePath;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

/// After this the user is told that something does not listen yet.
const SLOW_START: Duration = Duration::from_secs(10);
/// The name by which we speak among the services.
const OWN_NAME: &str = "clew";

/// Runs what the file says until a signal, the given time, or the end of every program.
pub(crate) async fn up(args: UpArgs) -> anyhow::Result<Exit> {
    let mut plan = match mesh_file::load(&args.file) {
        Ok(plan) => plan,
        Err(mistakes) => {
            anstream::eprintln!("{mistakes}");
            return Ok(Exit::Usage);
        }
    };
    let mut signals = Signals::install()?;
    plan.retention = kept(&args.store, plan.retention);
    let own_file = own_state_dir().join(format!("{}.db", plan.name));
    let store = StorePath::File(args.store.store.clone().unwrap_or(own_file));
    let api = args.api.or(plan.api).unwrap_or_else(default_api);
    let roles = RolesPlan::of_mesh("up", &plan, api, store);

    let mut names = names(&plan.services);
    names.push(OWN_NAME.to_owned());
    let lines = Lines::start(names);
    let voice = lines.voice(OWN_NAME);
    let mut mesh = Mesh::start(plan, roles, &lines).await?;
    let exit = tokio::select! {
        _ = signals.next() => Ok(Exit::Ok),
        () = after(args.for_time) => Ok(Exit::Ok),
        exit = serve(&mut mesh, &voice, args.ready_file.as_deref()) => exit,
    };
    end(mesh, &mut signals).await;
    drop(voice);
    tokio::task::spawn_blocking(move || lines.finish()).await?;
    exit
}

/// Ends all in order, or at once when there is another signal: what is dropped is killed.
pub(crate) async fn end(mut mesh: Mesh, signals: &mut Signals) {
    tokio::select! {
        () = mesh.stop() => {}
        _ = signals.next() => {}
    }
}

/// Says when all is ready, and resolves when nothing is left to wait for.
async fn serve(mesh: &mut Mesh, voice: &Voice, ready_file: Option<&Path>) -> anyhow::Result<Exit> {
    explain_others(mesh, voice).await;
    let mut left = mesh.programs();
    let waits_for_signal = left == 0;
    let mut exit = Exit::Ok;
    let mut ready = Box::pin(mesh.ready());
    let mut slow = pin!(tokio::time::sleep(SLOW_START));
    let (mut is_ready, mut is_slow) = (false, false);
    while left > 0 || waits_for_signal {
        tokio::select! {
            () = &mut ready, if !is_ready => {
                is_ready = true;
                let whereabouts = mesh.whereabouts();
                tell(&whereabouts, voice).await;
                write_ready_file(ready_file, &whereabouts)?;
            }
            () = &mut slow, if !is_slow => {
                is_slow = true;
                if !is_ready {
                    voice.say(Stream::Error, "not every application listens yet").await;
                }
            }
            ended = mesh.next_end() => match ended {
                None => return Ok(Exit::Failed),
                Some(Ended { is_success, .. }) => {
                    left = left.saturating_sub(1);
                    ready = Box::pin(mesh.ready());
                    if !is_success {
                        exit = Exit::Failed;
                    }
                }
            }
        }
    }
    Ok(exit)
}

/// Programs that someone else starts need to be told of their sidecar.
async fn explain_others(mesh: &Mesh, voice: &Voice) {
    for instance in mesh.not_ours() {
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
    voice
        .say(
            Stream::Output,
            &format!("ready; the API is at http://{api}"),
        )
        .await;
    if let Some(gateway) = whereabouts.gateway {
        voice
            .say(
                Stream::Output,
                &format!("the gateway is at http://{gateway}"),
            )
            .await;
    }
}

/// Writes where everything is. A file appears whole; a pipe is written to as it is.
pub(crate) fn write_ready_file(
    file: Option<&Path>,
    whereabouts: &Whereabouts,
) -> anyhow::Result<()> {
    let Some(file) = file else { return Ok(()) };
    let text = serde_json::to_string(whereabouts)? + "\n";
    let write = || {
        if std::fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
            return std::fs::write(file, &text);
        }
        let mut draft = file.as_os_str().to_owned();
        draft.push(".new");
        std::fs::write(&draft, &text)?;
        std::fs::rename(&draft, file)
    };
    write().with_context(|| format!("cannot write {}", file.display()))
}
