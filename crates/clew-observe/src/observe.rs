//! The role: bind, then run.

#[cfg(test)]
mod tests;

use crate::api;
use crate::ingest::Ingest;
use crate::listen::{BoundPort, Port};
use crate::scrape::Scraper;
use clew_api::client::ControlClient;
use clew_model::name::Workload;
use clew_runtime::drain::DrainWatch;
use clew_runtime::logging::LogControl;
use clew_store::Store;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;

/// Everything that observe is told.
#[derive(Clone, Debug)]
pub struct ObserveConfig {
    /// Where the HTTP API listens.
    pub api: Port,
    /// Where spans come in by OTLP/gRPC; `None`: nowhere.
    pub otlp_grpc: Option<Port>,
    /// Where spans come in by OTLP/HTTP; `None`: nowhere.
    pub otlp_http: Option<Port>,
    /// Where spans come in as Zipkin has it; `None`: only where OTLP/HTTP does.
    pub zipkin: Option<Port>,
    /// Where control answers (gRPC, `http://host:port`).
    pub control: http::Uri,
    /// How often each member is scraped.
    pub scrape_interval: Duration,
    /// The log of this process, which the API shows and changes; `None`: it does not.
    pub log: Option<LogControl>,
}

/// Observe could not start.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address} for {listener}")]
    Bind {
        /// What was to listen there.
        listener: &'static str,
        /// Where.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// The role `observe`.
#[derive(Debug)]
pub struct Observe;

/// Observe with its ports open. Connections wait until it runs.
#[derive(Debug)]
pub struct BoundObserve {
    api: BoundPort,
    otlp_grpc: Option<BoundPort>,
    otlp_http: Option<BoundPort>,
    zipkin: Option<BoundPort>,
    store: Store,
    ingest: Ingest,
    scraper: Scraper,
    control: ControlClient,
    log: Option<LogControl>,
}

impl Observe {
    /// Opens the ports. Reads and writes `store`, which the end of the run closes.
    ///
    /// Call it inside the Tokio runtime that it is to run on.
    ///
    /// # Errors
    /// A port that is required cannot be listened on; the error names which and for what.
    pub async fn bind(config: ObserveConfig, store: Store) -> Result<BoundObserve, ObserveError> {
        let api = bind("the API", config.api).await?;
        let otlp_grpc = bind_optional("OTLP over gRPC", config.otlp_grpc).await?;
        let otlp_http = bind_optional("OTLP over HTTP", config.otlp_http).await?;
        let zipkin = bind_optional("Zipkin", config.zipkin).await?;
        Ok(BoundObserve {
            api,
            otlp_grpc,
            otlp_http,
            zipkin,
            ingest: Ingest::new(store.clone()),
            scraper: Scraper::new(store.clone(), config.scrape_interval),
            control: ControlClient::new(config.control, Workload::new("observe", "clew")),
            store,
            log: config.log,
        })
    }
}

async fn bind_optional(
    listener: &'static str,
    port: Option<Port>,
) -> Result<Option<BoundPort>, ObserveError> {
    match port {
        Some(port) => bind(listener, port).await.map(Some),
        None => Ok(None),
    }
}

async fn bind(listener: &'static str, port: Port) -> Result<BoundPort, ObserveError> {
    port.bind()
        .await
        .map_err(|(address, source)| ObserveError::Bind {
            listener,
            address,
            source,
        })
}

impl BoundObserve {
    /// Where the API listens.
    pub fn api_address(&self) -> SocketAddr {
        self.api.address()
    }

    /// Where OTLP/gRPC listens.
    pub fn otlp_grpc_address(&self) -> Option<SocketAddr> {
        self.otlp_grpc.as_ref().map(BoundPort::address)
    }

    /// Where OTLP/HTTP listens.
    pub fn otlp_http_address(&self) -> Option<SocketAddr> {
        self.otlp_http.as_ref().map(BoundPort::address)
    }

    /// Where Zipkin's spans come in, beside where OTLP/HTTP listens.
    pub fn zipkin_address(&self) -> Option<SocketAddr> {
        self.zipkin.as_ref().map(BoundPort::address)
    }

    /// Reads the members; also for those who run observe in their own process and want numbers now.
    pub fn scraper(&self) -> Scraper {
        self.scraper.clone()
    }

    /// Takes in spans; also for those who want its counts.
    pub fn ingest(&self) -> Ingest {
        self.ingest.clone()
    }

    /// Works until the drain begins; then ends what is open, writes what was taken in, and closes the store.
    pub async fn run(self, drain: DrainWatch) {
        let open = drain.guard();
        let mut tasks = JoinSet::new();
        if let Some(port) = self.otlp_grpc {
            tasks.spawn(port.serve(self.ingest.grpc_router(), drain.clone()));
        }
        if let Some(port) = self.otlp_http {
            tasks.spawn(port.serve(self.ingest.http_router(), drain.clone()));
        }
        if let Some(port) = self.zipkin {
            tasks.spawn(port.serve(self.ingest.zipkin_router(), drain.clone()));
        }
        let sources = api::Sources {
            store: self.store.clone(),
            scraper: self.scraper.clone(),
            ingest: self.ingest,
            control: self.control.clone(),
            log: self.log,
            drain: drain.clone(),
        };
        tasks.spawn(self.api.serve(api::router(sources), drain.clone()));
        let (scraper, control) = (self.scraper, self.control);
        tasks.spawn(async move { scraper.run(&control, drain).await });
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a part of observe ended with a panic");
            }
        }
        self.store.close().await;
        drop(open);
    }
}
