//! Control as proxies meet it: over loopback gRPC, through the client that they use. The order of events is
//! given by the items of the streams; the deadlines only keep a failure from hanging.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod discovery;
mod identity;
mod life;
mod raw;
mod settings;

use super::*;
use crate::config::{ControlConfig, DeclaredService};
use crate::sample::instance;
use clew_api::client::{ControlClient, Instance, Updates};
use clew_model::name::Workload;
use clew_runtime::drain::{Drain, Finished};
use tokio::task::JoinHandle;

/// Long enough for the slowest machine; nothing waits for it when all is well.
const DEADLINE: Duration = Duration::from_secs(30);

/// A control that answers.
struct Running {
    address: SocketAddr,
    /// To settle it when a test says so, and not a clock.
    mesh: Arc<Mesh>,
    drain: Drain,
    task: JoinHandle<Result<(), ControlError>>,
}

impl Running {
    /// Any port, no declared services, and long to settle: what is forgotten in a restart is held back.
    fn start() -> Self {
        Self::with(config())
    }

    fn with(config: ControlConfig) -> Self {
        let bound = Control::bind(config).unwrap();
        let (drain, watch) = Drain::new(DEADLINE);
        Self {
            address: bound.address(),
            mesh: Arc::clone(&bound.mesh),
            drain,
            task: tokio::spawn(bound.run(watch)),
        }
    }

    fn client(&self, workload: &str) -> ControlClient {
        let uri = format!("http://{}", self.address).parse().unwrap();
        ControlClient::new(uri, Workload::new(workload, "default"))
    }

    /// Drains, and gives the address, for a successor.
    async fn stop(self) -> SocketAddr {
        self.drain.start();
        assert_eq!(in_time(self.drain.finished()).await, Finished::Clean);
        in_time(self.task).await.unwrap().unwrap();
        self.address
    }
}

fn config() -> ControlConfig {
    ControlConfig {
        settle: DEADLINE * 10,
        ..ControlConfig::new("127.0.0.1:0".parse().unwrap())
    }
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .expect("in time")
}

async fn next<T>(updates: &mut Updates<T>) -> T {
    in_time(updates.next())
        .await
        .expect("streams of the client never end")
}

/// Joins, and waits until control has said so.
async fn join(client: &ControlClient, instance: Instance) -> Updates<()> {
    let mut membership = client.join(instance);
    next(&mut membership).await;
    membership
}

#[test]
fn what_cannot_be_is_refused_before_anything_starts() {
    let config = ControlConfig {
        listen: Vec::new(),
        ..config()
    };
    assert!(matches!(
        Control::bind(config),
        Err(ControlError::NoAddress)
    ));

    let twice = DeclaredService {
        name: "books".into(),
        protocol: None,
        routes: Arc::new([]),
    };
    let config = ControlConfig {
        services: vec![twice.clone(), twice],
        ..self::config()
    };
    assert!(matches!(
        Control::bind(config),
        Err(ControlError::DeclaredTwice { .. })
    ));

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = Control::bind(ControlConfig::new(taken.local_addr().unwrap())).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("control cannot listen on 127.0.0.1:"),
        "{error}"
    );
}
