//! Examples of calls that speak against a workload: its members have them, whatever is sampled.

use super::Name;
use crate::scrape::innermost;
use clew_api::client::Instance;
use clew_api::rest::propagation::{MemberExample, MemberExamples};
use clew_api::rest::span::PROXY_SCOPE;
use clew_store::{ReadError, Store};
use clew_trace::TraceId;
use clew_trace::span::SpanKind;
use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

/// Members that are asked at the same time.
const MAX_CONCURRENT: usize = 32;
/// Members of a workload that are asked: they run the same code.
const MAX_MEMBERS: usize = 32;
/// For all of them. A member answers in a millisecond or is not there.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The largest answer: a hundred examples.
const MAX_ANSWER_BYTES: usize = 1 << 20;
/// Traces of a route that are looked up.
const MAX_TRACES: usize = 32;

/// What members of one workload have.
pub(super) type Examples = Vec<MemberExample>;

/// The examples of the members of these workloads.
pub(super) async fn load(
    members: Vec<Instance>,
    wanted: &BTreeSet<Name>,
) -> BTreeMap<Name, Examples> {
    let mut asked = BTreeMap::<Name, usize>::new();
    let mut addresses = Vec::new();
    for member in members {
        let workload = &member.workload;
        let name = (workload.namespace.to_string(), workload.name.to_string());
        if let Some(address) = member.admin_address.filter(|_| wanted.contains(&name)) {
            let count = asked.entry(name.clone()).or_default();
            *count += 1;
            if *count <= MAX_MEMBERS {
                addresses.push((name, member.id.to_string(), address));
            }
        }
    }
    let mut answers = stream::iter(addresses)
        .map(|(name, id, address)| async move { (name, id, ask(address).await) })
        .buffer_unordered(MAX_CONCURRENT);
    let mut examples = BTreeMap::<Name, Examples>::new();
    let collecting = async {
        while let Some((name, id, answer)) = answers.next().await {
            match answer {
                Ok(answer) => {
                    let of = answer.examples.into_iter().map(|mut example| {
                        example.example.instance = Some(id.clone());
                        example
                    });
                    examples.entry(name).or_default().extend(of);
                }
                // An older proxy has none; the verdicts are the same without.
                Err(error) => tracing::debug!("no examples of {id}: {error}"),
            }
        }
    };
    // What came in time is shown.
    let _ = tokio::time::timeout(TIMEOUT, collecting).await;
    examples
}

async fn ask(address: SocketAddr) -> Result<MemberExamples, String> {
    let client: Client<HttpConnector, Empty<bytes::Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    let uri = format!("http://{address}/propagation").parse();
    let uri = uri.map_err(|error| innermost(&error))?;
    let response = client.get(uri).await;
    let response = response.map_err(|error| innermost(&error))?;
    if response.status() != StatusCode::OK {
        return Err(response.status().to_string());
    }
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect();
    let body = body.await.map_err(|error| innermost(error.as_ref()))?;
    serde_json::from_slice(&body.to_bytes()).map_err(|error| error.to_string())
}

/// Whether the traces that these calls brought began in the workload, and not with a request to it: all of those that the
/// store has, and it has one.
pub(super) async fn begin_here(
    store: &Store,
    (namespace, workload): &Name,
    examples: impl Iterator<Item = &MemberExample>,
) -> Result<bool, ReadError> {
    let traces: BTreeSet<&String> = examples.flat_map(|example| &example.traces).collect();
    let mut found = false;
    for trace in traces.into_iter().take(MAX_TRACES) {
        let id = u128::from_str_radix(trace, 16).ok().and_then(TraceId::new);
        let Some(id) = id else { continue };
        let Some(trace) = store.load_trace(id).await? else {
            continue;
        };
        let spans = trace.spans;
        found = true;
        let is_own = |span: &clew_trace::Span| {
            span.service == *workload && (span.namespace.is_empty() || span.namespace == *namespace)
        };
        // One that an instance was given it may go on with after a long time.
        let was_given = |span: &clew_trace::Span| {
            is_own(span) && span.scope == PROXY_SCOPE && span.kind == SpanKind::Server
        };
        if !roots(&spans).all(is_own) || spans.iter().any(was_given) {
            return Ok(false);
        }
    }
    Ok(found)
}

/// The spans above which there is none.
fn roots(spans: &[clew_trace::Span]) -> impl Iterator<Item = &clew_trace::Span> {
    let known: BTreeSet<_> = spans.iter().map(|span| span.span_id).collect();
    let is_root = move |span: &&clew_trace::Span| {
        span.parent_span_id
            .is_none_or(|parent| !known.contains(&parent))
    };
    spans.iter().filter(is_root)
}
