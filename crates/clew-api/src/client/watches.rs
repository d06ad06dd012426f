//! The kinds of streams whose answers are whole values.

use super::Trust;
use super::follow::{Read, Watch};
use super::token::{TokenSource, prove};
use crate::convert::inbound::{inbound_from_wire, port_to_wire};
use crate::convert::outbound::{outbound_from_wire, target_to_wire};
use crate::convert::telemetry::settings_from_wire;
use crate::convert::{ConversionError, Ignored, Resolution};
use crate::learned::{Learned, LearnedRoutes};
use crate::member::Instance;
use crate::unknown::Asker;
use crate::wire::identity::trust_client::TrustClient;
use crate::wire::linkerd::inbound::inbound_server_policies_client::InboundServerPoliciesClient;
use crate::wire::linkerd::outbound::outbound_policies_client::OutboundPoliciesClient;
use crate::wire::linkerd::{inbound, outbound};
use crate::wire::registry::registry_client::RegistryClient;
use crate::wire::telemetry::routes_client::RoutesClient;
use crate::wire::telemetry::telemetry_client::TelemetryClient;
use crate::wire::{identity, registry, telemetry};
use clew_model::name::{InstanceId, ServiceName, Workload};
use clew_model::policy::{InboundPolicy, OutboundPolicy};
use clew_model::service::Target;
use clew_model::telemetry::TelemetrySettings;
use futures_util::stream::{self, Stream};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

/// Size of a list of members; gRPC's default of 4 MiB would be too little for thousands with many ports.
const MAX_MEMBERS_BYTES: usize = 64 * 1024 * 1024;

/// The last value, and whether the next one is news.
#[derive(Debug)]
struct Last<T>(Option<T>);

impl<T: Clone + PartialEq> Last<T> {
    fn news(&mut self, value: T) -> Option<T> {
        if self.0.as_ref() == Some(&value) {
            return None;
        }
        self.0 = Some(value.clone());
        Some(value)
    }
}

/// A question about something that control may not know.
fn asking<Q, T>(question: &Q, last: &Last<Resolution<T>>) -> Request<Q>
where
    Q: Clone,
{
    let asker = match &last.0 {
        Some(Resolution::Known(_)) => Asker::Knows,
        Some(Resolution::Unknown) | None => Asker::Waits,
    };
    let mut request = Request::new(question.clone());
    asker.mark(request.metadata_mut());
    request
}

fn remarks(ignored: Vec<Ignored>, about: &str) -> Vec<String> {
    ignored
        .into_iter()
        .map(|part| format!("{about}: {part}"))
        .collect()
}

pub(super) struct Outbound {
    client: OutboundPoliciesClient<Channel>,
    question: outbound::TrafficSpec,
    last: Last<Resolution<OutboundPolicy>>,
}

impl Outbound {
    pub(super) fn new(channel: Channel, workload: &Workload, target: &Target) -> Self {
        Self {
            client: OutboundPoliciesClient::new(channel),
            question: target_to_wire(target, workload),
            last: Last(None),
        }
    }
}

impl Watch for Outbound {
    type Message = outbound::OutboundPolicy;
    type Item = Resolution<OutboundPolicy>;
    const CALL: &'static str = "OutboundPolicies.Watch";

    async fn open(&mut self) -> Result<Response<Streaming<Self::Message>>, Status> {
        self.client.watch(asking(&self.question, &self.last)).await
    }

    fn message(&mut self, message: Self::Message) -> Result<Read<Self::Item>, ConversionError> {
        let decoded = outbound_from_wire(message)?;
        let about = match &decoded.value {
            Resolution::Known(policy) => policy.service.to_string(),
            Resolution::Unknown => String::new(),
        };
        Ok(Read {
            news: self.last.news(decoded.value),
            remarks: remarks(decoded.ignored, &about),
        })
    }

    fn unknown(&mut self) -> Option<Self::Item> {
        self.last.news(Resolution::Unknown)
    }
}

pub(super) struct Inbound {
    client: InboundServerPoliciesClient<Channel>,
    question: inbound::PortSpec,
    service: ServiceName,
    last: Last<Resolution<InboundPolicy>>,
}

impl Inbound {
    pub(super) fn new(
        channel: Channel,
        workload: &Workload,
        port: u16,
        service: ServiceName,
    ) -> Self {
        let question = port_to_wire(workload, port);
        Self {
            client: InboundServerPoliciesClient::new(channel),
            question,
            service,
            last: Last(None),
        }
    }
}

impl Watch for Inbound {
    type Message = inbound::Server;
    type Item = Resolution<InboundPolicy>;
    const CALL: &'static str = "InboundServerPolicies.WatchPort";

    async fn open(&mut self) -> Result<Response<Streaming<Self::Message>>, Status> {
        self.client
            .watch_port(asking(&self.question, &self.last))
            .await
    }

    fn message(&mut self, message: Self::Message) -> Result<Read<Self::Item>, ConversionError> {
        let decoded = inbound_from_wire(message, &self.service)?;
        let about = format!("port {}", self.question.port);
        Ok(Read {
            news: self.last.news(Resolution::Known(decoded.value)),
            remarks: remarks(decoded.ignored, &about),
        })
    }

    fn unknown(&mut self) -> Option<Self::Item> {
        self.last.news(Resolution::Unknown)
    }
}

pub(super) struct Telemetry {
    client: TelemetryClient<Channel>,
    question: telemetry::WatchRequest,
    last: Last<TelemetrySettings>,
}

impl Telemetry {
    pub(super) fn new(channel: Channel, workload: &Workload) -> Self {
        let question = telemetry::WatchRequest {
            workload: workload.name.to_string(),
            namespace: workload.namespace.to_string(),
        };
        Self {
            client: TelemetryClient::new(channel),
            question,
            last: Last(None),
        }
    }
}

impl Watch for Telemetry {
    type Message = telemetry::Settings;
    type Item = TelemetrySettings;
    const CALL: &'static str = "Telemetry.Watch";

    async fn open(&mut self) -> Result<Response<Streaming<Self::Message>>, Status> {
        self.client.watch(self.question.clone()).await
    }

    fn message(&mut self, message: Self::Message) -> Result<Read<Self::Item>, ConversionError> {
        match settings_from_wire(message) {
            Ok(settings) => Ok(Read::news(self.last.news(settings))),
            Err(mistakes) => {
                let texts = mistakes
                    .iter()
                    .map(|m| format!("settings of control are not taken: {m}"));
                Ok(Read {
                    news: None,
                    remarks: texts.collect(),
                })
            }
        }
    }
}

pub(super) struct Instances {
    client: RegistryClient<Channel>,
    last: Last<Vec<Instance>>,
}

impl Instances {
    pub(super) fn new(channel: Channel) -> Self {
        Self {
            client: RegistryClient::new(channel).max_decoding_message_size(MAX_MEMBERS_BYTES),
            last: Last(None),
        }
    }
}

impl Watch for Instances {
    type Message = registry::Instances;
    type Item = Vec<Instance>;
    const CALL: &'static str = "Registry.Watch";

    async fn open(&mut self) -> Result<Response<Streaming<Self::Message>>, Status> {
        let mut request = Request::new(registry::WatchRequest {});
        let asker = match self.last.0 {
            Some(_) => Asker::Knows,
            None => Asker::Waits,
        };
        asker.mark(request.metadata_mut());
        self.client.watch(request).await
    }

    fn message(&mut self, message: Self::Message) -> Result<Read<Self::Item>, ConversionError> {
        let mut instances = Vec::with_capacity(message.instances.len());
        let mut remarks = Vec::new();
        for instance in message.instances {
            let id = instance.id.clone();
            match Instance::try_from(instance) {
                Ok(instance) => instances.push(instance),
                Err(error) => remarks.push(format!("member {id:?} is left out: {error}")),
            }
        }
        Ok(Read {
            news: self.last.news(instances),
            remarks,
        })
    }
}

/// Instances that were told to leave through one client, so that they join again as what they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaving(Arc<Mutex<BTreeSet<InstanceId>>>);

impl Leaving {
    pub(super) fn note(&self, id: &InstanceId) {
        self.lock().insert(id.clone());
    }

    fn forget(&self, id: &InstanceId) {
        self.lock().remove(id);
    }

    fn holds(&self, id: &str) -> bool {
        self.lock().iter().any(|leaving| leaving.as_str() == id)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<InstanceId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose signatures are believed.
pub(super) struct Roots {
    client: TrustClient<Channel>,
    last: Last<Trust>,
}

impl Roots {
    pub(super) fn new(channel: Channel) -> Self {
        Self {
            client: TrustClient::new(channel),
            last: Last(None),
        }
    }
}

impl Watch for Roots {
    type Message = identity::TrustBundle;
    type Item = Trust;
    const CALL: &'static str = "Trust.Watch";

    async fn open(&mut self) -> Result<Response<Streaming<Self::Message>>, Status> {
        self.client.watch(identity::WatchRequest {}).await
    }

    fn message(&mut self, message: Self::Message) -> Result<Read<Self::Item>, ConversionError> {
        let identity::TrustBundle {
            trust_domain,
            roots,
        } = message;
        if roots.is_empty() {
            return Err(ConversionError::Missing { field: "roots" });
        }
        let trust = Trust {
            trust_domain,
            roots,
        };
        Ok(Read::news(self.last.news(trust)))
    }
}

pub(super) struct Join {
    client: RegistryClient<Channel>,
    instance: registry::Instance,
    token: Option<TokenSource>,
    leaving: Leaving,
    /// Control has said on this stream that the instance is in.
    joined: bool,
}

impl Join {
    pub(super) fn new(
        channel: Channel,
        instance: Instance,
        token: Option<TokenSource>,
        leaving: &Leaving,
    ) -> Self {
        leaving.forget(&instance.id);
        Self {
            client: RegistryClient::new(channel),
            instance: (&instance).into(),
            token,
            leaving: leaving.clone(),
            joined: false,
        }
    }
}

impl Watch for Join {
    type Message = registry::Joined;
    type Item = ();
    const CALL: &'static str = "Registry.Join";

    async fn open(&mut self) -> Result<Response<Streaming<Self::Message>>, Status> {
        self.joined = false;
        // A control that was restarted has forgotten that it was told.
        self.instance.leaving |= self.leaving.holds(&self.instance.id);
        let mut request = Request::new(self.instance.clone());
        prove(&mut request, self.token.as_ref())?;
        self.client.join(request).await
    }

    fn message(&mut self, _: Self::Message) -> Result<Read<Self::Item>, ConversionError> {
        let first = !std::mem::replace(&mut self.joined, true);
        Ok(Read::news(first.then_some(())))
    }
}

pub(super) struct Routes {
    client: RoutesClient<Channel>,
    own: watch::Receiver<LearnedRoutes>,
    /// What others have learned and was yielded.
    theirs: LearnedRoutes,
}

impl Routes {
    pub(super) fn new(channel: Channel, own: watch::Receiver<LearnedRoutes>) -> Self {
        Self {
            client: RoutesClient::new(channel),
            own,
            theirs: LearnedRoutes::default(),
        }
    }
}

impl Watch for Routes {
    type Message = telemetry::Learned;
    type Item = Learned;
    const CALL: &'static str = "Routes.Share";

    async fn open(&mut self) -> Result<Response<Streaming<Self::Message>>, Status> {
        self.client.share(lessons(self.own.clone())).await
    }

    fn message(&mut self, message: Self::Message) -> Result<Read<Self::Item>, ConversionError> {
        let mut learned = Learned::from(message);
        let own = self.own.borrow();
        let (service, theirs) = (&learned.service, &mut self.theirs);
        learned
            .collapsed
            .retain(|t| !own.contains(service, t) && theirs.insert(service, t).added == 1);
        Ok(Read::news(
            (!learned.collapsed.is_empty()).then_some(learned),
        ))
    }
}

/// Everything that this proxy has learned, then what it learns. Never ends: when the learner is gone there
/// is nothing more to say, and still something to hear.
fn lessons(
    own: watch::Receiver<LearnedRoutes>,
) -> impl Stream<Item = telemetry::Learned> + Send + 'static {
    let start = (own, LearnedRoutes::default(), VecDeque::new());
    stream::unfold(start, |(mut own, mut sent, mut queue)| async move {
        loop {
            if let Some(next) = queue.pop_front() {
                return Some((next, (own, sent, queue)));
            }
            let now = own.borrow_and_update().clone();
            queue.extend(now.since(&sent).iter().map(telemetry::Learned::from));
            sent = now;
            if queue.is_empty() && own.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    })
}
