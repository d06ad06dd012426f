//! `clew demo`: the books application, meshed and under load.

use super::mesh::{BoundMesh, Change, Mesh, names};
use super::mesh_file;
use super::plan::{MeshPlan, Restart};
use super::prefix::Lines;
use super::process::ProcessGroup;
use super::record::Record;
use super::roles::RolesPlan;
use super::up::{End, finish, write_ready_file};
use super::{after, kept};
use crate::address::DEFAULT_API;
use crate::cli::local::DemoArgs;
use crate::exit::Exit;
use crate::output::announce;
use anyhow::{Context as _, anyhow, bail};
use clew_books::command::TrafficLine;
use clew_books::traffic::tally::Summary;
use clew_runtime::drain::Drain;
use clew_runtime::logging::LogControl;
use clew_runtime::signals::Signals;
use clew_store::StorePath;
use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines as ReadLines};
use tokio::process::{ChildStdout, Command};

/// The application, as anyone would write it down for `clew up`.
const MESH: &str = include_str!("../../../../examples/books.yaml");
/// The services that call others, and so have a context to forget.
const CALLERS: [&str; 2] = ["webapp", "books"];
/// How long the application may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// Longer than the generator waits for its last answers.
const TRAFFIC_END_GRACE: Duration = Duration::from_secs(40);

/// Runs the demo until a signal or the given time.
pub(crate) async fn demo(args: DemoArgs, log: LogControl) -> anyhow::Result<Exit> {
    if let Some(unknown) = args
        .drop_context
        .iter()
        .find(|name| !CALLERS.contains(&name.as_str()))
    {
        announce(&format!(
            "--drop-context {unknown}: expected one of {}",
            CALLERS.join(", ")
        ));
        return Ok(Exit::Usage);
    }
    let plan = plan(&args)?;
    let mut signals = Signals::install()?;
    let store = args
        .store
        .store
        .clone()
        .map_or(StorePath::Temporary, StorePath::File);
    let roles = RolesPlan::of_mesh("demo", &plan, args.api.address, store, log);
    let names = names(&plan.services);
    let bound = BoundMesh::bind(plan, roles).await?;
    let lines = Lines::start(names, bound.log_folder());
    let (mut mesh, started) = bound.start(&lines);
    let mut traffic = None;
    let result = match started {
        Ok(()) => tokio::select! {
            result = show(&mut mesh, &mut traffic, &args) => result,
            _ = signals.next() => Ok(()),
        },
        Err(error) => Err(error.into()),
    };
    let is_well = result.is_ok();
    let ending = async {
        let summary = match traffic.take().filter(|_| is_well) {
            Some(traffic) => traffic.finish().await.map(Some),
            None => Ok(None),
        };
        mesh.stop().await;
        summary
    };
    let (summary, end) = tokio::select! {
        summary = ending => (summary, End::InOrder),
        // What is dropped here kills the generator.
        _ = signals.next() => (Ok(None), End::AtOnce),
    };
    if end == End::AtOnce {
        mesh.kill().await;
    }
    drop(mesh);
    finish(lines, end, &mut signals).await;
    result?;
    if let Some(summary) = summary? {
        anstream::println!("\nWhat the traffic generator counted:\n\n{summary}");
    }
    Ok(Exit::Ok)
}

fn plan(args: &DemoArgs) -> anyhow::Result<MeshPlan> {
    let mut plan = mesh_file::parse("the demo's mesh.yaml", MESH)?;
    plan.telemetry.sampling.ratio = args.sample.ratio;
    plan.retention = kept(&args.store, plan.retention);
    if let Some(gateway) = &mut plan.gateway {
        gateway.listen = args.gateway;
    }
    for service in &mut plan.services {
        let forgets = args
            .drop_context
            .iter()
            .any(|name| name == service.name.as_str());
        if let Some(program) = &mut service.program {
            // Whatever ends early is a mistake of ours, to be seen and not mended.
            program.restart = Restart::Never;
            program
                .words
                .extend(forgets.then(|| "--drop-context".to_owned()));
        }
    }
    Ok(plan)
}

/// Waits until the application is ready, says where to look, sends requests, and shows what is counted
/// until the given time is over. The generator is in `traffic` as soon as it runs.
async fn show(
    mesh: &mut Mesh,
    traffic: &mut Option<Traffic>,
    args: &DemoArgs,
) -> anyhow::Result<()> {
    let gateway = load(mesh, args).await?;
    let traffic = traffic.insert(Traffic::start(gateway, args.rps)?);
    watch(mesh, traffic, args).await
}

/// Waits until the application is ready, and says where to look.
async fn load(mesh: &mut Mesh, args: &DemoArgs) -> anyhow::Result<SocketAddr> {
    let ready = mesh.ready();
    tokio::select! {
        () = ready => {}
        change = mesh.next_change() => return Err(ended_early(change)),
        () = tokio::time::sleep(START_TIMEOUT) => {
            bail!("the application is not ready after {} s", START_TIMEOUT.as_secs());
        }
    }
    let whereabouts = mesh.whereabouts();
    let gateway = whereabouts.gateway.context("the demo has a gateway")?;
    write_ready_file(args.ready_file.as_deref(), &whereabouts)?;
    introduce(&whereabouts.roles, gateway);
    Ok(gateway)
}

fn ended_early(change: Option<Change>) -> anyhow::Error {
    match change {
        Some(Change::Ended(ended)) => anyhow!("{} has ended; what it said is above", ended.name),
        Some(Change::StartedAgain) | None => anyhow!("the mesh has ended"),
    }
}

/// Shows what the generator counts, until it is time to end.
async fn watch(mesh: &mut Mesh, traffic: &mut Traffic, args: &DemoArgs) -> anyhow::Result<()> {
    let mut live = LiveLine::default();
    let mut over = std::pin::pin!(after(args.for_time));
    loop {
        tokio::select! {
            () = &mut over => return Ok(()),
            change = mesh.next_change() => return Err(ended_early(change)),
            line = traffic.lines.next_line() => match line? {
                Some(line) => if let TrafficLine::Progress(summary) = serde_json::from_str(&line)? {
                    live.show(&summary);
                }
                None => bail!("the traffic generator has ended"),
            }
        }
    }
}

/// The traffic generator, a process outside of the mesh.
#[derive(Debug)]
struct Traffic {
    group: ProcessGroup,
    lines: ReadLines<BufReader<ChildStdout>>,
}

impl Traffic {
    fn start(gateway: SocketAddr, rps: f64) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut command = Command::new(&program);
        command.args([
            "books-app",
            "traffic",
            "--json",
            "--progress",
            "--until-stdin-closes",
        ]);
        command.args([
            "--url",
            &format!("http://{gateway}"),
            "--rps",
            &rps.to_string(),
        ]);
        let mut group = ProcessGroup::start(&program.to_string_lossy(), command)?;
        let (output, error) = group.take_output();
        let output = output.context("the traffic generator has no output")?;
        if let Some(mut error) = error {
            // Ends with the generator.
            tokio::spawn(
                async move { tokio::io::copy(&mut error, &mut tokio::io::stderr()).await },
            );
        }
        Ok(Self {
            group,
            lines: BufReader::new(output).lines(),
        })
    }

    /// Asks it to end, and reads what it counted.
    async fn finish(self) -> anyhow::Result<Summary> {
        let Self {
            mut group,
            mut lines,
        } = self;
        let (drain, watch) = Drain::new(TRAFFIC_END_GRACE);
        drain.start();
        let last = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Ok(TrafficLine::Summary(summary)) = serde_json::from_str(&line) {
                    return Some(summary);
                }
            }
            None
        };
        let (_, summary) = tokio::join!(group.end(&watch), last);
        summary.context("the traffic generator ended without a summary")
    }
}

/// Where to look, as commands to copy.
fn introduce(roles: &Record, gateway: SocketAddr) {
    let program = std::env::args().next().unwrap_or_else(|| "clew".to_owned());
    let api = format!("http://{}", roles.api);
    anstream::println!("The books application runs in a mesh, under load.");
    anstream::println!("\n  dashboard  {api}      (the API too)");
    anstream::println!("  gateway    http://{gateway}/\n");
    anstream::println!("While it runs, from another terminal:");
    if roles.api != DEFAULT_API {
        anstream::println!("  export CLEW_API={api}");
    }
    for command in [
        "dashboard                    # opens it in a browser",
        "stat",
        "routes webapp",
        "routes books --from webapp",
        "edges",
        "tap books",
        "traces --service webapp      # then: trace ID",
    ] {
        anstream::println!("  {program} {command}");
    }
    anstream::println!("\nCtrl-C ends it.");
}

/// One line that is written over and over, where there is a terminal to show it. Dropping it takes it away.
#[derive(Debug, Default)]
struct LiveLine {
    sent: u64,
}

impl Drop for LiveLine {
    fn drop(&mut self) {
        self.write("");
    }
}

impl LiveLine {
    fn show(&mut self, summary: &Summary) {
        let total = &summary.total;
        let in_last_second = total.sent - self.sent;
        self.sent = total.sent;
        let share =
            100.0 * total.successes() as f64 / (total.answered + total.failed).max(1) as f64;
        let text = format!(
            "{:.0} s  {in_last_second} requests/s  {share:.1}% answered well  p50 {:.0} ms  p99 {:.0} ms",
            summary.seconds,
            total.p50_ms.unwrap_or_default(),
            total.p99_ms.unwrap_or_default(),
        );
        self.write(&text);
    }

    fn write(&self, text: &str) {
        let mut output = std::io::stdout();
        if output.is_terminal() {
            // When the terminal is gone, so is who would read it.
            let _ = write!(output, "\r\x1b[2K{text}").and_then(|()| output.flush());
        }
    }
}
