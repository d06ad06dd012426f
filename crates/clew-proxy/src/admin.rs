//! The admin server of a proxy, HTTP/1 on a port of its own, and beside it the tap server.
//!
//! | path | answer |
//! |---|---|
//! | `GET /metrics` | all metrics, in the format that `Accept` asks for |
//! | `GET /live` | 200 while the process answers at all |
//! | `GET /ready` | 200 when requests can be served, 503 with the reasons otherwise |
//! | `GET /config` | what the proxy was told, at its start and by control since |
//! | `GET /propagation` | examples of calls that speak against the application (the propagation audit), as JSON |
//! | `GET /log-level` | what the process logs |
//! | `PUT /log-level` | logs from now on what the body says: `debug`, or `warn,clew_proxy=debug`; only from this machine |
//! | `POST /shutdown` | starts the drain; only from this machine |
//!
//! Both run on the control runtime: what they do costs no request anything.

mod body;
mod log_level;
mod propagation;
mod readiness;
mod respond;
mod tap;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use clew_runtime::drain::{Drain, DrainWatch};
use clew_runtime::listen::{Acceptor, ListenError};
use clew_runtime::logging::LogControl;
use clew_runtime::tasks::TaskSet;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

pub use self::readiness::Readiness;

use self::respond::Pages;
use crate::audit::Audit;
use crate::report::Reports;

/// Connections at one time; more are closed at once.
const MAX_CONNECTIONS: usize = 128;
/// The head of a request, and the body where one is read.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// For open answers, at the end.
const GRACE: Duration = Duration::from_secs(1);

/// Why the servers did not start.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The admin server's listener does not work on this runtime.
    #[error("the admin server cannot accept connections")]
    Admin(#[source] ListenError),
    /// The tap server's listener does not work on this runtime.
    #[error("the tap server cannot accept connections")]
    Tap(#[source] io::Error),
}

/// What the servers are given.
pub struct AdminConfig {
    /// Of the admin server; must not block.
    pub admin: TcpListener,
    /// Of the tap server; must not block.
    pub tap: TcpListener,
    /// What `/propagation` shows.
    pub(crate) audit: Arc<Audit>,
    /// What `/config` shows; must not block.
    pub config: Arc<dyn Fn() -> String + Send + Sync>,
    /// What `/ready` asks.
    pub readiness: Readiness,
    /// What `/log-level` shows and changes; `None`: the log is not to be changed from here.
    pub log: Option<LogControl>,
    /// What `/shutdown` does.
    pub shutdown: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for AdminConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminConfig")
            .field("admin", &self.admin)
            .field("tap", &self.tap)
            .finish_non_exhaustive()
    }
}

/// The admin and tap servers, while they run.
#[derive(Debug)]
pub struct Admin {
    drain: Drain,
    tasks: TaskSet,
}

impl Admin {
    /// Starts both servers on the current runtime.
    ///
    /// # Errors
    /// A listener cannot be used on this runtime.
    pub fn start(config: AdminConfig, reports: &Arc<Reports>) -> Result<Self, AdminError> {
        let (drain, watch) = Drain::new(GRACE);
        let acceptor =
            Acceptor::new("the proxy's admin server", config.admin).map_err(AdminError::Admin)?;
        let tap = tokio::net::TcpListener::from_std(config.tap).map_err(AdminError::Tap)?;
        let pages = Arc::new(Pages {
            reports: Arc::clone(reports),
            readiness: config.readiness,
            audit: config.audit,
            config: config.config,
            log: config.log,
            shutdown: config.shutdown,
        });
        let mut tasks = TaskSet::new();
        tasks.spawn("admin server", accept(acceptor, pages, watch.clone()));
        tasks.spawn("tap server", tap::serve(tap, Arc::clone(reports), watch));
        Ok(Self { drain, tasks })
    }

    /// Ends both servers. Answers that are open get a second.
    pub async fn stop(mut self) {
        self.drain.start();
        for error in self.tasks.join_all().await {
            tracing::error!("a task of the admin server failed: {error}");
        }
    }
}

async fn accept(mut acceptor: Acceptor, pages: Arc<Pages>, drain: DrainWatch) {
    let mut connections = TaskSet::new();
    while let Some((stream, peer)) = acceptor.accept_until(&drain).await {
        connections.reap();
        if connections.len() < MAX_CONNECTIONS {
            connections.spawn(
                "admin connection",
                serve(stream, peer, Arc::clone(&pages), drain.clone()),
            );
        }
    }
    connections.join_all().await;
}

async fn serve(stream: TcpStream, peer: SocketAddr, pages: Arc<Pages>, drain: DrainWatch) {
    let service = service_fn(|request| {
        let pages = Arc::clone(&pages);
        async move { Ok::<_, std::convert::Infallible>(pages.answer(request, peer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // What goes wrong on a connection is the concern of the one who opened it.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = drain.started() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = drain.forced() => {}
    }
}
