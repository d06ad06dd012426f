//! The stream from one member's proxy.

use super::super::clock::{nanos_as_millis, rfc3339_nanos};
use clew_api::rest::golden::Direction;
use clew_api::rest::span::ProxyTime;
use clew_api::rest::tap::{TapHeader, TapRequest};
use clew_api::wire::tap as wire;
use clew_api::wire::tap::tap_client::TapClient;
use futures_util::stream::{self, BoxStream, StreamExt};
use std::net::SocketAddr;
use std::time::Duration;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A frozen proxy is noticed after this and the next.
const PING_INTERVAL: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(3);
/// Before a proxy is asked again that was lost.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What a member's stream yields.
pub(super) enum News {
    /// Its proxy answers: it sends from now on.
    Reached,
    /// Its proxy does not answer, or not any more.
    Lost,
    /// A request, and how many before it were left out.
    Request(Box<TapRequest>, u64),
}

enum State {
    Ask,
    Read(Box<Streaming<wire::TapEvent>>),
    Wait,
}

/// Asks the proxy, again when it is lost. Never ends.
pub(super) fn watch(address: SocketAddr, request: wire::TapRequest) -> BoxStream<'static, News> {
    // An address and port are always the authority of a URI.
    let Ok(endpoint) = Endpoint::from_shared(format!("http://{address}")) else {
        return stream::once(async { News::Lost })
            .chain(stream::pending())
            .boxed();
    };
    let channel = endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .connect_lazy();
    let client = TapClient::new(channel);
    stream::unfold(State::Ask, move |state| {
        let (client, request) = (client.clone(), request.clone());
        async move { Some(step(state, client, request).await) }
    })
    .boxed()
}

async fn step(
    state: State,
    mut client: TapClient<Channel>,
    request: wire::TapRequest,
) -> (News, State) {
    let mut stream = match state {
        State::Read(stream) => stream,
        State::Ask | State::Wait => {
            if matches!(state, State::Wait) {
                tokio::time::sleep(RETRY_AFTER).await;
            }
            return match client.watch(request).await {
                Ok(response) => (News::Reached, State::Read(Box::new(response.into_inner()))),
                Err(_) => (News::Lost, State::Wait),
            };
        }
    };
    match stream.message().await {
        Ok(Some(event)) => {
            let skipped = event.skipped;
            (
                News::Request(Box::new(shown(event)), skipped),
                State::Read(stream),
            )
        }
        Ok(None) | Err(_) => (News::Lost, State::Wait),
    }
}

/// As the API shows it.
pub(super) fn shown(event: wire::TapEvent) -> TapRequest {
    let given = |text: String| (!text.is_empty()).then_some(text);
    let headers = |headers: Vec<wire::Header>| {
        headers
            .into_iter()
            .map(|header| TapHeader {
                name: header.name,
                value: header.value,
            })
            .collect()
    };
    let phases = event
        .proxy_time_nano
        .into_iter()
        .map(|(phase, nanos)| (phase, nanos / 1_000));
    TapRequest {
        start: rfc3339_nanos(event.start_unix_nano),
        duration_ms: nanos_as_millis(event.duration_nano),
        direction: if event.direction == "outbound" {
            Direction::Outbound
        } else {
            Direction::Inbound
        },
        workload: event.workload,
        namespace: event.namespace,
        instance: event.instance,
        peer_workload: given(event.peer_workload),
        peer_namespace: given(event.peer_namespace),
        service: given(event.dst_service),
        method: event.method,
        scheme: event.scheme,
        authority: event.authority,
        path: event.path,
        route: event.route,
        protocol_version: event.protocol_version,
        status_code: u16::try_from(event.status_code)
            .ok()
            .filter(|status| *status > 0),
        grpc_status: given(event.grpc_status),
        classification: event.classification,
        open: event.open,
        error: given(event.error),
        request_bytes: event.request_bytes,
        response_bytes: event.response_bytes,
        trace_id: given(event.trace_id),
        span_id: given(event.span_id),
        sampled: event.sampled,
        request_headers: headers(event.request_headers),
        response_headers: headers(event.response_headers),
        proxy_time: ProxyTime::from_phases(phases.collect()),
    }
}
