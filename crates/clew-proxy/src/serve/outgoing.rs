//! The request as it is sent to the endpoint.

use super::reach;
use crate::codec::{Break, HttpVersion, InBody, Interim, SendError};
use crate::endpoint::{EndpointState, Lease};
use crate::error::Reason;
use crate::headers::{self, CLIENT};
use crate::hop::Phase;
use crate::request_body::{Progress, RequestBody};
use crate::response_body::{Hops, reason_of};
use crate::shard::Shard;
use futures_util::future::Either;
use http::header::HOST;
use http::request::Parts;
use http::uri::{Authority, Scheme, Uri};
use http::{HeaderValue, Method, Request, Response, Version};
use std::future::Future;
use std::rc::Rc;
use std::time::Instant;

/// A request that is ready to be sent, and the progress of its body if it has one.
pub(super) type Prepared = (Request<RequestBody>, Option<Rc<Progress>>);

/// Makes the request what the endpoint is to see.
pub(super) fn prepare(
    shard: &Shard,
    request: Request<InBody>,
    endpoint: &EndpointState,
    in_mesh: bool,
    keep_upgrade: bool,
) -> Prepared {
    let (mut head, body) = request.into_parts();
    // The codec's own notes about the connection that the request came on.
    head.extensions.clear();
    headers::strip_hop_by_hop(
        &mut head.headers,
        keep_upgrade && head.method != Method::CONNECT,
    );
    head.headers.remove(CLIENT);
    let (body, progress) = RequestBody::relay(body);
    if in_mesh && let Some(client) = &shard.client_header {
        head.headers.insert(CLIENT, client.clone());
    }
    if head.version == Version::HTTP_2 {
        head.uri = absolute(head.uri, endpoint);
    } else {
        head.version = Version::HTTP_11;
        if head.method != Method::CONNECT {
            name_host(&mut head);
            head.uri = origin(head.uri);
        }
        if !head.headers.contains_key(HOST)
            && let Ok(host) = HeaderValue::from_str(&endpoint.address().to_string())
        {
            // HTTP/1.0 has no Host; the application that we speak 1.1 to needs one.
            head.headers.insert(HOST, host);
        }
    }
    (Request::from_parts(head, body), progress)
}

/// The host that the target names in absolute form is the one that counts, and `Host` must agree (RFC 9112,
/// section 3.2.2): otherwise the route would be one host's and the answer another's.
fn name_host(head: &mut Parts) {
    let authority = head.uri.authority();
    let host =
        authority.map(|authority| HeaderValue::from_str(headers::without_user_info(authority)));
    if let Some(Ok(host)) = host {
        head.headers.insert(HOST, host);
    }
}

/// Origin form: path and query (RFC 9112, section 3.2.1).
fn origin(uri: Uri) -> Uri {
    if uri.scheme().is_none() && uri.authority().is_none() {
        return uri;
    }
    uri.path_and_query()
        .map_or_else(|| Uri::from_static("/"), |path| Uri::from(path.clone()))
}

/// HTTP/2 carries scheme and authority with each request.
fn absolute(uri: Uri, endpoint: &EndpointState) -> Uri {
    if uri.scheme().is_some() && uri.authority().is_some() {
        return uri;
    }
    let mut parts = uri.into_parts();
    parts.scheme.get_or_insert(Scheme::HTTP);
    if parts.authority.is_none() {
        parts.authority = endpoint.address().to_string().parse::<Authority>().ok();
    }
    parts
        .path_and_query
        .get_or_insert_with(|| http::uri::PathAndQuery::from_static("/"));
    Uri::from_parts(parts).unwrap_or_else(|_| Uri::from_static("/"))
}

/// Sends the request.
pub(super) fn send<'a>(
    shard: &'a Shard,
    mut lease: Lease,
    request: Request<RequestBody>,
    interim: Interim,
    hops: &'a mut Hops,
) -> impl Future<Output = Result<(Response<InBody>, Lease), Reason>> + 'a {
    let version = version_of(&request);
    let again = again(&lease, &request);
    let sent = Instant::now();
    note_request_time(hops, sent);
    // It is on its way from here on, and is not kept in the future.
    let sending = lease.send(request, interim.clone());
    async move {
        let failed = match sending.await {
            Ok(response) => {
                lease.answered_after(sent.elapsed());
                return Ok((response, lease));
            }
            Err(failed) => failed,
        };
        let is_closed = failed.cause == Break::Closed;
        let copy = again.filter(|_| is_closed).map(|copy| *copy);
        match failed.unsent.or(copy) {
            // The server closed the connection just when we took it.
            Some(request) => {
                Box::pin(send_again(shard, lease, request, interim, version, hops)).await
            }
            None => Err(reason_of(failed.cause)),
        }
    }
}

async fn send_again(
    shard: &Shard,
    failed: Lease,
    request: Request<RequestBody>,
    interim: Interim,
    version: HttpVersion,
    hops: &mut Hops,
) -> Result<(Response<InBody>, Lease), Reason> {
    let mut lease = reach::lease_again(shard, failed, version, hops).await?;
    let sent = Instant::now();
    let response = lease
        .send(request, interim)
        .await
        .map_err(|failed| reason_of(failed.cause))?;
    lease.answered_after(sent.elapsed());
    Ok((response, lease))
}

/// What the server is spoken to: the same as the client speaks.
pub(super) fn version_of<B>(request: &Request<B>) -> HttpVersion {
    match request.version() {
        Version::HTTP_2 => HttpVersion::Http2,
        _ => HttpVersion::Http1,
    }
}

/// A copy of the request, where the server may be closing the idle connection right now and where
/// sending twice does no harm (RFC 9110, section 9.2.2).
fn again(lease: &Lease, request: &Request<RequestBody>) -> Option<Box<Request<RequestBody>>> {
    if !lease.is_stale() || !request.body().is_empty() || !request.method().is_idempotent() {
        return None;
    }
    let mut copy = Request::new(RequestBody::Empty);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    Some(Box::new(copy))
}

/// The time from head in to head out, less the waits, is this proxy's work.
fn note_request_time(hops: &mut Hops, sent: Instant) {
    let Some(record) = hops.inner.record() else {
        return;
    };
    let waits = record
        .phases
        .iter()
        .filter(|(phase, _)| phase.is_wait())
        .map(|(_, time)| time)
        .sum();
    let work = sent
        .saturating_duration_since(record.start)
        .saturating_sub(waits);
    drop(record);
    // At the gateway both hops are of one passage: its time is told once.
    hops.inner.times(|times| times.add(Phase::Request, work));
}

impl Lease {
    fn send(
        &mut self,
        request: Request<RequestBody>,
        interim: Interim,
    ) -> impl Future<Output = Result<Response<InBody>, SendError<RequestBody>>> + use<> {
        // What the server says ahead of its answer, "100 Continue" and hints alike, is for the client to hear.
        let pass_on = move |mut response: Response<()>| {
            headers::strip_hop_by_hop(response.headers_mut(), false);
            interim.send(&response);
        };
        match self.connection() {
            Some(connection) => Either::Left(connection.send(request, pass_on)),
            None => Either::Right(std::future::ready(Err(SendError {
                unsent: Some(request),
                cause: Break::Closed,
            }))),
        }
    }
}
