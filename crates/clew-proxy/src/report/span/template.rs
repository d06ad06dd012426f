//! The part of a span that the hops of a series have in common, encoded when it changes.
//!
//! Hops of one series differ in path, times, status and ids. Everything else is the same as in the hop
//! before as long as clients ask in the same way, so that it is one copy instead of a dozen attributes.

use std::sync::Arc;

use clew_model::learn;
use clew_trace::span::SpanKind;
use http::uri::PathAndQuery;
use http::{Method, Version};

use super::wire::{Message, name};
use super::{conventions, field, limited, protocol_version};
use crate::hop::{Direction, HopRecord, SeriesKey};

/// See the module.
pub(in crate::report) struct Template {
    bytes: Vec<u8>,
    /// What holds for every hop of the series comes first.
    constant: usize,
    /// What the rest was encoded from.
    shape: Option<Shape>,
}

/// What hops of a series may have in common.
struct Shape {
    method: Method,
    scheme: &'static str,
    version: Version,
    authority: Arc<str>,
    route_is_configured: bool,
    route_path: Option<Arc<str>>,
    /// Of gRPC, whose name it gives; elsewhere paths are not expected to be equal.
    grpc_path: Option<PathAndQuery>,
}

impl Shape {
    fn of(record: &HopRecord) -> Self {
        Self {
            method: record.method.clone(),
            scheme: record.scheme,
            version: record.version,
            authority: Arc::clone(&record.authority),
            route_is_configured: record.route_is_configured,
            route_path: record.route_path.clone(),
            grpc_path: record.is_grpc.then(|| record.path.clone()),
        }
    }

    fn fits(&self, record: &HopRecord) -> bool {
        let same_call = match &self.grpc_path {
            Some(path) => record.is_grpc && *path == record.path,
            None => !record.is_grpc,
        };
        same_call
            && self.method == record.method
            && self.scheme == record.scheme
            && self.version == record.version
            && self.authority == record.authority
            && self.route_is_configured == record.route_is_configured
            && self.route_path == record.route_path
    }
}

impl Template {
    /// For the hops with these labels.
    pub(in crate::report) fn new(key: &SeriesKey) -> Self {
        let mut bytes = Vec::new();
        constant(&mut Message::new(&mut bytes), key);
        Self {
            constant: bytes.len(),
            bytes,
            shape: None,
        }
    }

    /// The fields for a hop.
    pub(super) fn fields(&mut self, record: &HopRecord) -> &[u8] {
        if !self.shape.as_ref().is_some_and(|shape| shape.fits(record)) {
            self.bytes.truncate(self.constant);
            variable(&mut Message::new(&mut self.bytes), record);
            self.shape = Some(Shape::of(record));
        }
        &self.bytes
    }
}

fn constant(span: &mut Message<'_>, key: &SeriesKey) {
    let kind = match key.direction {
        Direction::Inbound => SpanKind::Server,
        Direction::Outbound => SpanKind::Client,
    };
    span.number(field::KIND, kind.number() as u64);
    let direction = key.direction.as_str();
    span.text_attribute(field::ATTRIBUTES, name!("clew.direction"), direction);
    span.text_attribute(
        field::ATTRIBUTES,
        name!("clew.tls"),
        key.peer.tls().as_str(),
    );
    if let Some(workload) = &key.peer.workload {
        let (workload, namespace) = (workload.name.as_str(), workload.namespace.as_str());
        span.text_attribute(field::ATTRIBUTES, name!("clew.peer.workload"), workload);
        span.text_attribute(field::ATTRIBUTES, name!("clew.peer.namespace"), namespace);
    }
    if let Some(instance) = &key.peer.instance {
        let instance = instance.as_str();
        span.text_attribute(field::ATTRIBUTES, name!("clew.peer.instance"), instance);
    }
    if let Some(identity) = &key.peer.identity {
        span.text_attribute(
            field::ATTRIBUTES,
            name!("clew.peer.identity"),
            identity.as_str(),
        );
    }
    if let (Direction::Outbound, Some(service)) = (key.direction, &key.peer.service) {
        let service = service.as_str();
        span.text_attribute(field::ATTRIBUTES, name!("clew.dst_service"), service);
    }
}

fn variable(span: &mut Message<'_>, record: &HopRecord) {
    conventions::span_name(record, |parts| span.text_of_parts(field::NAME, parts));
    match record.is_grpc {
        true => grpc(span, record),
        false => http(span, record),
    }
    let route = record.key.route.as_str();
    span.text_attribute(field::ATTRIBUTES, name!("clew.route"), route);
    if let (Direction::Inbound, Some(path)) = (record.key.direction, &record.route_path) {
        span.text_attribute(field::ATTRIBUTES, name!("http.route"), limited(path));
    }
    span.text_attribute(field::ATTRIBUTES, name!("url.scheme"), record.scheme);
    let version = protocol_version(record.version);
    span.text_attribute(
        field::ATTRIBUTES,
        name!("network.protocol.version"),
        version,
    );
    if let Some((host, port)) = conventions::server_address(&record.authority, record.scheme) {
        span.text_attribute(field::ATTRIBUTES, name!("server.address"), limited(host));
        span.number_attribute(field::ATTRIBUTES, name!("server.port"), port.into());
    }
}

fn grpc(span: &mut Message<'_>, record: &HopRecord) {
    span.text_attribute(field::ATTRIBUTES, name!("rpc.system"), "grpc");
    if let Some((service, method)) = conventions::grpc_method(record.path.path()) {
        span.text_attribute(field::ATTRIBUTES, name!("rpc.service"), limited(service));
        span.text_attribute(field::ATTRIBUTES, name!("rpc.method"), limited(method));
    }
}

fn http(span: &mut Message<'_>, record: &HopRecord) {
    let known = conventions::known_method(&record.method);
    let method = known.unwrap_or(learn::OTHER_METHOD);
    span.text_attribute(field::ATTRIBUTES, name!("http.request.method"), method);
    if known.is_none() {
        let original = limited(record.method.as_str());
        let name = name!("http.request.method_original");
        span.text_attribute(field::ATTRIBUTES, name, original);
    }
}
