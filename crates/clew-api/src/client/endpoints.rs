//! Endpoints of a destination: the one stream whose answers are changes.

use super::follow::{Read, Watch};
use crate::convert::ConversionError;
use crate::convert::destination::{destination_to_wire, update_from_wire};
use crate::unknown::Asker;
use crate::wire::linkerd::destination::destination_client::DestinationClient;
use crate::wire::linkerd::destination::{GetDestination, Update};
use clew_model::service::{Endpoint, EndpointUpdate};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

pub(super) struct Endpoints {
    client: DestinationClient<Channel>,
    question: GetDestination,
    known: Known,
}

impl Endpoints {
    pub(super) fn new(channel: Channel, destination: Arc<str>) -> Self {
        Self {
            client: DestinationClient::new(channel),
            question: destination_to_wire(&destination),
            known: Known::default(),
        }
    }
}

impl Watch for Endpoints {
    type Message = Update;
    type Item = EndpointUpdate;
    const CALL: &'static str = "Destination.Get";

    async fn open(&mut self) -> Result<Response<Streaming<Update>>, Status> {
        self.known.reopen();
        let mut request = Request::new(self.question.clone());
        let asker = if self.known.has_endpoints() {
            Asker::Knows
        } else {
            Asker::Waits
        };
        asker.mark(request.metadata_mut());
        self.client.get(request).await
    }

    fn message(&mut self, message: Update) -> Result<Read<EndpointUpdate>, ConversionError> {
        Ok(Read::news(self.known.apply(update_from_wire(message)?)))
    }

    fn unknown(&mut self) -> Option<EndpointUpdate> {
        self.known.none(false)
    }
}

/// What has been yielded so far, to tell what is news.
#[derive(Debug, Default)]
pub(super) struct Known {
    state: State,
    /// The stream is new: its first answer stands for everything.
    fresh: bool,
}

#[derive(Debug, Default, PartialEq)]
enum State {
    /// Nothing has been said.
    #[default]
    Unsaid,
    /// There are none.
    None { exists: bool },
    /// These; never empty.
    Some(BTreeMap<SocketAddr, Endpoint>),
}

impl Known {
    /// The next answer is the first one of a stream.
    pub(super) fn reopen(&mut self) {
        self.fresh = true;
    }

    /// Whether there are any.
    pub(super) fn has_endpoints(&self) -> bool {
        matches!(self.state, State::Some(_))
    }

    /// What of the answer is news.
    pub(super) fn apply(&mut self, update: EndpointUpdate) -> Option<EndpointUpdate> {
        let fresh = std::mem::replace(&mut self.fresh, false);
        match update {
            EndpointUpdate::NoEndpoints { exists } => self.none(exists),
            EndpointUpdate::Reset(endpoints) => self.reset(endpoints),
            EndpointUpdate::Add(endpoints) if fresh => self.reset(endpoints),
            EndpointUpdate::Add(endpoints) => self.add(endpoints),
            // The first answer says what is gone: nothing that is not there.
            EndpointUpdate::Remove(_) if fresh => self.none(true),
            EndpointUpdate::Remove(addresses) => self.remove(addresses),
        }
    }

    /// There are no endpoints.
    pub(super) fn none(&mut self, exists: bool) -> Option<EndpointUpdate> {
        let none = State::None { exists };
        if self.state == none {
            return None;
        }
        self.state = none;
        Some(EndpointUpdate::NoEndpoints { exists })
    }

    fn reset(&mut self, endpoints: Vec<Endpoint>) -> Option<EndpointUpdate> {
        let now: BTreeMap<SocketAddr, Endpoint> =
            endpoints.into_iter().map(|e| (e.address, e)).collect();
        if now.is_empty() {
            return self.none(true);
        }
        let now = State::Some(now);
        if self.state == now {
            return None;
        }
        self.state = now;
        self.all().map(EndpointUpdate::Reset)
    }

    fn all(&self) -> Option<Vec<Endpoint>> {
        match &self.state {
            State::Some(endpoints) => Some(endpoints.values().cloned().collect()),
            State::Unsaid | State::None { .. } => None,
        }
    }

    fn add(&mut self, endpoints: Vec<Endpoint>) -> Option<EndpointUpdate> {
        let State::Some(known) = &mut self.state else {
            return self.reset(endpoints);
        };
        let is_news = |e: &Endpoint| known.get(&e.address) != Some(e);
        let news: Vec<Endpoint> = endpoints.into_iter().filter(is_news).collect();
        known.extend(news.iter().map(|e| (e.address, e.clone())));
        (!news.is_empty()).then_some(EndpointUpdate::Add(news))
    }

    /// A removal of the last endpoint says that the service exists and has none (destination.proto).
    fn remove(&mut self, addresses: Vec<SocketAddr>) -> Option<EndpointUpdate> {
        let State::Some(known) = &mut self.state else {
            return None;
        };
        let gone: Vec<SocketAddr> = addresses
            .into_iter()
            .filter(|a| known.remove(a).is_some())
            .collect();
        if known.is_empty() {
            return self.none(true);
        }
        (!gone.is_empty()).then_some(EndpointUpdate::Remove(gone))
    }
}

#[cfg(test)]
mod tests;
