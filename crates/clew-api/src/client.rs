//! A proxy's (or observe's) end of the streams to control.
//!
//! Every stream lives for ever: when control is lost it is asked again, after a wait that grows from 100 ms
//! to 5 s, and the stream goes on where it was. It yields only what is news, so a control that restarts and
//! says the same again is not noticed. Loss of control is not an item: the last known value stands.
//!
//! ```no_run
//! # async fn example() {
//! use clew_api::client::ControlClient;
//! use clew_model::name::Workload;
//! use clew_model::service::Target;
//! use futures_util::StreamExt as _;
//!
//! let control = ControlClient::new("http://127.0.0.1:8086".parse().unwrap(), Workload::new("web", "default"));
//! let mut policies = control.watch_outbound(Target::Authority("books".into()));
//! while let Some(policy) = policies.next().await {
//!     println!("{policy:?}");
//! }
//! # }
//! ```

mod backoff;
mod calls;
mod endpoints;
mod follow;
mod token;
mod watches;

pub use crate::access::AccessInForce;
pub use crate::convert::Resolution;
pub use crate::learned::{Learned, LearnedRoutes};
pub use crate::member::{Instance, Port, Role};
pub use token::TokenSource;

use crate::convert::ConversionError;
use clew_model::identity::Identity;
use clew_model::name::{InstanceId, ServiceName, Workload};
use clew_model::policy::{Access, InboundPolicy, OutboundPolicy};
use clew_model::service::{EndpointUpdate, Target};
use clew_model::telemetry::TelemetrySettings;
use follow::{Link, follow};
use futures_util::stream::BoxStream;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tonic::transport::{Channel, Endpoint};
use watches::Leaving;

/// Items for as long as somebody polls; it never ends. Between two polls nothing is lost: what came
/// meanwhile waits in the connection.
pub type Updates<T> = BoxStream<'static, T>;

/// Time in which control must accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A frozen control is noticed after both.
const PINGS: Pings = Pings {
    interval: Duration::from_secs(10),
    timeout: Duration::from_secs(5),
};
/// Bytes of one stream that may wait unread. All streams share one connection, whose window is made for
/// 256 streams that nobody reads: a slow reader must not stop the others.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
/// Bytes of all streams that may wait unread.
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// The way to control. Cheap to clone; all clones share one connection, which is made when it is first
/// needed and again when it is lost.
#[derive(Clone, Debug)]
pub struct ControlClient {
    channel: Channel,
    workload: Workload,
    token: Option<TokenSource>,
    link: Arc<Link>,
    leaving: Leaving,
}

/// A certificate, as control has signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// Of the workload, in DER.
    pub leaf: Vec<u8>,
    /// Those between it and a root, in DER.
    pub intermediates: Vec<Vec<u8>>,
    /// When it ends.
    pub not_after: SystemTime,
}

/// Whose signatures the mesh believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The domain of all identities.
    pub trust_domain: String,
    /// Roots, in PEM.
    pub roots: String,
}

/// How a connection is watched on which nothing is said.
#[derive(Clone, Copy, Debug)]
struct Pings {
    /// From one ping to the next.
    interval: Duration,
    /// In which a ping must be answered.
    timeout: Duration,
}

/// Why a single call failed. Streams never fail.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Control understood, and said no.
    #[error("control refused: {}", mistakes.join("; "))]
    Refused {
        /// What is wrong, one line each.
        mistakes: Vec<String>,
    },
    /// Control was not reached, or did not answer in time.
    #[error("control did not answer {call}")]
    Unanswered {
        /// The call's name.
        call: &'static str,
        /// What became of it.
        #[source]
        status: Box<tonic::Status>,
    },
    /// Control answered with something that makes no sense.
    #[error("control's answer to {call} makes no sense")]
    Answer {
        /// The call's name.
        call: &'static str,
        /// The first thing that makes no sense.
        #[source]
        cause: ConversionError,
    },
}

impl ControlClient {
    /// A client for the control at `uri` (`http://host:port`), speaking for `workload`. Connects later.
    ///
    /// Call it inside the Tokio runtime that is to drive the connection; outside of one it panics, as
    /// everything that spawns does. The streams may be polled on other runtimes.
    pub fn new(uri: http::Uri, workload: Workload) -> Self {
        Self::with_pings(uri, workload, PINGS)
    }

    fn with_pings(uri: http::Uri, workload: Workload, pings: Pings) -> Self {
        let link = Arc::new(Link::new(uri.to_string()));
        let endpoint = Endpoint::from(uri)
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(pings.interval)
            .keep_alive_timeout(pings.timeout)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
        Self {
            channel: endpoint.connect_lazy(),
            workload,
            token: None,
            link,
            leaving: Leaving::default(),
        }
    }

    /// The same, and the workload proves who it is where that is asked.
    pub fn with_token(self, token: TokenSource) -> Self {
        Self {
            token: Some(token),
            ..self
        }
    }

    /// How requests to a target are classed and where they go.
    ///
    /// [`Resolution::Unknown`] when control says that the target is not in the mesh; a policy follows
    /// as soon as it is.
    pub fn watch_outbound(&self, target: Target) -> Updates<Resolution<OutboundPolicy>> {
        follow(
            watches::Outbound::new(self.channel.clone(), &self.workload, &target),
            &self.link,
        )
    }

    /// The same once, with a deadline.
    pub async fn load_outbound(
        &self,
        target: &Target,
    ) -> Result<Resolution<OutboundPolicy>, CallError> {
        calls::load_outbound(self.channel.clone(), &self.workload, target).await
    }

    /// The endpoints of a destination ([`OutboundPolicy::destination`], or a route's backend).
    ///
    /// The first item with endpoints is [`EndpointUpdate::Reset`], as is the first one after control was
    /// lost, if anything has changed meanwhile.
    pub fn watch_endpoints(&self, destination: Arc<str>) -> Updates<EndpointUpdate> {
        follow(
            endpoints::Endpoints::new(self.channel.clone(), destination),
            &self.link,
        )
    }

    /// How requests that arrive at one port of the application are classed.
    ///
    /// `port` is the application's. `service` is what the proxy was told that the port answers to; it is
    /// used when control names no service (a Linkerd control plane does not).
    pub fn watch_inbound(
        &self,
        port: u16,
        service: ServiceName,
    ) -> Updates<Resolution<InboundPolicy>> {
        follow(
            watches::Inbound::new(self.channel.clone(), &self.workload, port, service),
            &self.link,
        )
    }

    /// The telemetry settings.
    pub fn watch_telemetry(&self) -> Updates<TelemetrySettings> {
        follow(
            watches::Telemetry::new(self.channel.clone(), &self.workload),
            &self.link,
        )
    }

    /// Every member of the mesh, whole, again after each change.
    pub fn watch_instances(&self) -> Updates<Vec<Instance>> {
        follow(watches::Instances::new(self.channel.clone()), &self.link)
    }

    /// Makes the instance a member for as long as the stream is kept and polled, and joins again when
    /// control was lost. Yields each time the instance is in; dropping the stream takes it out.
    pub fn join(&self, instance: Instance) -> Updates<()> {
        follow(
            watches::Join::new(
                self.channel.clone(),
                instance,
                self.token.clone(),
                &self.leaving,
            ),
            &self.link,
        )
    }

    /// Takes the instance's endpoints out of discovery. It stays a (leaving) member while it is joined, also when
    /// control is lost and it joins again.
    pub async fn leave(&self, id: InstanceId) -> Result<(), CallError> {
        self.leaving.note(&id);
        calls::leave(self.channel.clone(), id, self.token.as_ref()).await
    }

    /// Whose signatures the mesh believes.
    pub fn watch_trust(&self) -> Updates<Trust> {
        follow(watches::Roots::new(self.channel.clone()), &self.link)
    }

    /// Has a certificate signed for `identity`, by the token. `request` is a certificate signing request in DER.
    pub async fn certify(
        &self,
        identity: &Identity,
        request: Vec<u8>,
    ) -> Result<Certified, CallError> {
        calls::certify(self.channel.clone(), identity, request, self.token.as_ref()).await
    }

    /// Shares what this proxy has learned, now and after each change of `own`, and yields what others have
    /// learned and `own` has not. After control was lost everything is sent again, so that a control that
    /// forgot learns it all.
    pub fn share_routes(&self, own: watch::Receiver<LearnedRoutes>) -> Updates<Learned> {
        follow(watches::Routes::new(self.channel.clone(), own), &self.link)
    }

    /// Replaces the telemetry settings of the mesh. Answers with what is in force.
    pub async fn set_telemetry(
        &self,
        settings: TelemetrySettings,
    ) -> Result<TelemetrySettings, CallError> {
        calls::set_telemetry(self.channel.clone(), settings).await
    }

    /// Who may call what.
    pub async fn load_access(&self) -> Result<AccessInForce, CallError> {
        calls::load_access(self.channel.clone()).await
    }

    /// From now on these may call a service of control's namespace, and nobody else. Answers with what is in force.
    pub async fn set_access(
        &self,
        service: &ServiceName,
        access: &Access,
    ) -> Result<AccessInForce, CallError> {
        calls::set_access(self.channel.clone(), service, access).await
    }

    /// From now on the mesh's default holds for a service. Answers with what is in force.
    pub async fn reset_access(&self, service: &ServiceName) -> Result<AccessInForce, CallError> {
        calls::reset_access(self.channel.clone(), service).await
    }
}

#[cfg(test)]
mod tests;
