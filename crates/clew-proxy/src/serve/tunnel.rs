//! Connections that stop being HTTP: upgrades, WebSocket, CONNECT.

use super::connection;
use super::refusal::http;
use crate::codec::{InBody, Io};
use crate::endpoint::Lease;
use crate::error::Reason;
use crate::headers;
use crate::hop::End;
use crate::opaque::{self, Transferred};
use crate::response_body::{Hops, ResponseBody};
use crate::shard::Shard;
use crate::via::{Via, Way};
use clew_model::service::Target;
use http::{Method, Request, Response, StatusCode, Version};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

type Inherited = Pin<Box<dyn Future<Output = Option<Io>>>>;

/// An upgrade that the client asked for and that the server may accept.
pub(super) struct Upgrade {
    client: Inherited,
    is_connect: bool,
}

impl Upgrade {
    /// The upgrade that a request asks for, if it does.
    pub(super) fn asked(request: &mut Request<InBody>) -> Option<Self> {
        let is_connect = request.method() == Method::CONNECT;
        // HTTP/1.0 has no upgrades (RFC 9110, section 7.8).
        let asked = match request.version() {
            Version::HTTP_11 => is_connect || headers::asks_upgrade(request.headers()),
            Version::HTTP_10 => is_connect,
            _ => false,
        };
        asked.then(|| Self {
            client: Box::pin(request.body_mut().inherit()),
            is_connect,
        })
    }

    /// The server accepts.
    pub(super) fn accepted(&self, response: &Response<InBody>) -> bool {
        if self.is_connect {
            response.status().is_success()
        } else {
            response.status() == StatusCode::SWITCHING_PROTOCOLS
        }
    }

    /// Passes the acceptance on and joins both connections. The hops end when the tunnel does.
    pub(super) fn join(
        self,
        shard: &Rc<Shard>,
        mut response: Response<InBody>,
        mut hops: Hops,
        lease: Lease,
    ) -> Response<ResponseBody> {
        let transferred = Rc::new(Transferred::default());
        hops.each(|hop| hop.tunnel(&transferred));
        let server = response.body_mut().take_connection();
        let (mut head, _) = response.into_parts();
        head.extensions.clear();
        headers::strip_hop_by_hop(&mut head.headers, !self.is_connect);
        let shard = Rc::clone(shard);
        tokio::task::spawn_local(async move {
            let copying = async {
                // It may have gone before it heard of the acceptance.
                let (Some(client), Some(server)) = (self.client.await, server) else {
                    return End::CancelledByClient;
                };
                let count = |from, bytes| transferred.add(from, bytes);
                // However it ends, a tunnel is over when one side says so.
                drop(opaque::copy(client, server, &count).await);
                End::Complete
            };
            let ended = shard.connections().drive(copying, |_| {}).await;
            drop(lease);
            if let Some(end) = ended {
                hops.close(end);
            }
        });
        Response::from_parts(head, ResponseBody::Empty)
    }
}

/// Accepts a CONNECT of the application: what runs inside is treated like any connection of the
/// application to that target, detection included.
pub(super) fn open(via: &Rc<Via>, mut request: Request<InBody>) -> Response<ResponseBody> {
    let Some(authority) = request
        .uri()
        .authority()
        .map(|authority| Arc::<str>::from(authority.as_str().to_ascii_lowercase()))
    else {
        via.shard.refuse(via.way.direction(), Reason::NoAuthority);
        return http(Reason::NoAuthority);
    };
    let io = request.body_mut().inherit();
    let (shard, client) = (Rc::clone(&via.shard), via.client);
    tokio::task::spawn_local(async move {
        if let Some(io) = io.await {
            let target = shard.own.target(&authority);
            let service = shard.service(&target);
            let way = match target {
                Target::Service(name) => Way::Dependency(service, name.as_str().into()),
                _ => Way::Outbound(service),
            };
            connection::serve(shard, way, None, io, client).await;
        }
    });
    Response::new(ResponseBody::Empty)
}
