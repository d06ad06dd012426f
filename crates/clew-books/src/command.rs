//! The application's command line: which service to be, where to listen, where the others are.

use crate::dependency::Propagation;
use crate::service::{Service, ServiceError, run_service};
use crate::traffic::mix::{Mix, Route};
use crate::traffic::tally::{Summary, Tally};
use crate::traffic::{Loop, MAX_OPEN, Plan, RATES, generate};
use axum::http::{HeaderValue, Uri};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// One process of the application.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// What readers see; calls books, authors and ratings
    Webapp {
        /// Address of books
        #[arg(long, env = "CLEW_BOOKS_URL")]
        books_url: Uri,
        /// Address of authors
        #[arg(long, env = "CLEW_AUTHORS_URL")]
        authors_url: Uri,
        /// Address of ratings
        #[arg(long, env = "CLEW_RATINGS_URL")]
        ratings_url: Uri,
        /// What every service is told
        #[command(flatten)]
        serve: ServeArgs,
    },
    /// The shelf; calls authors
    Books {
        /// Address of authors
        #[arg(long, env = "CLEW_AUTHORS_URL")]
        authors_url: Uri,
        /// What every service is told
        #[command(flatten)]
        serve: ServeArgs,
    },
    /// Who wrote the books
    Authors {
        /// What every service is told
        #[command(flatten)]
        serve: ServeArgs,
    },
    /// What readers think of them (gRPC)
    Ratings {
        /// What every service is told
        #[command(flatten)]
        serve: ServeArgs,
    },
    /// Sends requests, and counts what was sent and what came back
    Traffic(TrafficArgs),
}

/// What every service is told.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Port to listen on, on 127.0.0.1
    #[arg(long, env = "PORT")]
    port: u16,
    /// Forget the trace context instead of copying it
    #[arg(long)]
    drop_context: bool,
    /// End when standard input is closed, so that the process never outlives who started it
    #[arg(long)]
    until_stdin_closes: bool,
}

/// What the generator is told.
#[derive(Clone, Debug, Args)]
pub struct TrafficArgs {
    /// Where requests go
    #[arg(long, value_name = "URL")]
    url: Uri,
    /// Host to ask for, when it is not the URL's
    #[arg(long)]
    host: Option<HeaderValue>,
    /// Requests per second, whether or not the earlier ones are answered
    #[arg(long, default_value_t = 50.0, value_parser = parse_rate)]
    rps: f64,
    /// Instead: so many callers, each sending its next request when the last one is answered
    #[arg(long, value_name = "CALLERS", conflicts_with = "rps", value_parser = parse_callers)]
    closed: Option<usize>,
    /// End after so many seconds
    #[arg(long = "for", value_name = "SECONDS", value_parser = parse_seconds)]
    duration: Option<Duration>,
    /// End after so many requests
    #[arg(long)]
    requests: Option<u64>,
    /// Send only these kinds of requests (default: all)
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Route>,
    /// The same seed sends the same requests
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write one JSON object a line instead of a table at the end
    #[arg(long)]
    json: bool,
    /// With --json: also write the count so far, once a second
    #[arg(long, requires = "json")]
    progress: bool,
    /// End when standard input is closed
    #[arg(long)]
    until_stdin_closes: bool,
}

/// A line that the generator writes with `--json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrafficLine {
    /// The count so far.
    Progress(Summary),
    /// The whole count, in the last line.
    Summary(Summary),
}

/// Why a process of the application failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The runtime did not start.
    #[error("cannot start the runtime")]
    Runtime {
        /// What the system said.
        source: std::io::Error,
    },
    /// Signals cannot be received.
    #[error("cannot receive signals")]
    Signals {
        /// What the system said.
        source: std::io::Error,
    },
    /// The service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// Is one process of the application until it ends by itself or is told to (SIGTERM, SIGINT, end of
/// standard input where asked for). One thread is plenty for each of them.
pub fn run(command: Command) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| CommandError::Runtime { source })?;
    runtime.block_on(async {
        match command {
            Command::Webapp {
                books_url,
                authors_url,
                ratings_url,
                serve,
            } => {
                let service = Service::Webapp {
                    books: books_url,
                    authors: authors_url,
                    ratings: ratings_url,
                };
                run_as(service, serve).await
            }
            Command::Books { authors_url, serve } => {
                run_as(
                    Service::Books {
                        authors: authors_url,
                    },
                    serve,
                )
                .await
            }
            Command::Authors { serve } => run_as(Service::Authors, serve).await,
            Command::Ratings { serve } => run_as(Service::Ratings, serve).await,
            Command::Traffic(traffic) => run_traffic(traffic).await,
        }
    })
}

async fn run_as(service: Service, serve: ServeArgs) -> Result<(), CommandError> {
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), serve.port);
    let propagation = if serve.drop_context {
        Propagation::Forgets
    } else {
        Propagation::Copies
    };
    let stop = told_to_stop(serve.until_stdin_closes)?;
    Ok(run_service(service, address, propagation, stop).await?)
}

async fn run_traffic(traffic: TrafficArgs) -> Result<(), CommandError> {
    let stop = told_to_stop(traffic.until_stdin_closes)?;
    let plan = Plan {
        base: traffic.url,
        host: traffic.host,
        pace: match traffic.closed {
            Some(callers) => Loop::Closed { callers },
            None => Loop::Open { rate: traffic.rps },
        },
        duration: traffic.duration,
        requests: traffic.requests,
        mix: Mix::new(traffic.seed, &traffic.only),
    };
    let tally = Arc::new(Tally::default());
    let generate = generate(plan, Arc::clone(&tally), stop);
    if traffic.progress {
        tokio::select! { () = generate => {}, () = write_progress(&tally) => {} }
    } else {
        generate.await;
    }
    let summary = tally.summary();
    if traffic.json {
        write_line(&TrafficLine::Summary(summary));
    } else {
        println!("{summary}");
    }
    Ok(())
}

async fn write_progress(tally: &Tally) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        write_line(&TrafficLine::Progress(tally.summary()));
    }
}

fn write_line(line: &TrafficLine) {
    use std::io::Write as _;
    // A reader that is gone wants no more lines; what was asked for goes on.
    if let Ok(json) = serde_json::to_string(line) {
        let _ = writeln!(std::io::stdout(), "{json}");
    }
}

/// Resolves on SIGTERM, SIGINT, or, where asked for, the end of standard input.
fn told_to_stop(
    until_stdin_closes: bool,
) -> Result<impl Future<Output = ()> + Send + 'static, CommandError> {
    let receive = |kind| signal(kind).map_err(|source| CommandError::Signals { source });
    let mut terminate = receive(SignalKind::terminate())?;
    let mut interrupt = receive(SignalKind::interrupt())?;
    let stdin_closed = until_stdin_closes.then(stdin_closed);
    Ok(async move {
        let stdin_closed = async {
            match stdin_closed {
                // An error says that the thread is gone, which it is at the end of input only.
                Some(closed) => drop(closed.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stdin_closed => {}
        }
    })
}

/// Reads standard input on a thread of its own, which ends with the process: a read cannot be cancelled.
fn stdin_closed() -> tokio::sync::oneshot::Receiver<()> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = sender.send(());
    });
    receiver
}

/// Requests per second, within [`RATES`].
pub fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if RATES.contains(&rate) => Ok(rate),
        _ => Err(format!(
            "expected a number of requests per second, {} to {}",
            RATES.start(),
            RATES.end()
        )),
    }
}

fn parse_callers(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(callers) if (1..=MAX_OPEN).contains(&callers) => Ok(callers),
        _ => Err(format!("expected a number of callers, 1 to {MAX_OPEN}")),
    }
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.strip_suffix('s').unwrap_or(text).parse::<f64>().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "expected a number of seconds, greater than 0".to_owned())
}
