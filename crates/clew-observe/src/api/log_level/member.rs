//! One request for `/log-level` of a member's admin server.

use crate::scrape::innermost;
use clew_runtime::logging::MAX_LEVELS_BYTES;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::net::SocketAddr;
use std::time::Duration;

/// A member answers in a millisecond or is not there.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The largest answer: the levels, or a sentence that has them in it.
const MAX_ANSWER_BYTES: usize = 4 * MAX_LEVELS_BYTES;

/// What the member logs, after the change if there is one; otherwise why that is not known.
pub(super) async fn ask(
    address: Option<SocketAddr>,
    change: Option<&str>,
) -> Result<String, String> {
    let address = address.ok_or("it has no admin server")?;
    match tokio::time::timeout(TIMEOUT, exchange(address, change)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} s", TIMEOUT.as_secs())),
    }
}

async fn exchange(address: SocketAddr, change: Option<&str>) -> Result<String, String> {
    // Rare: a connection for this once.
    let client: Client<HttpConnector, Full<bytes::Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    let request = Request::builder()
        .method(if change.is_some() {
            Method::PUT
        } else {
            Method::GET
        })
        .uri(format!("http://{address}/log-level"))
        .body(Full::from(change.unwrap_or_default().to_owned()))
        .map_err(|error| innermost(&error))?;
    let response = client.request(request).await;
    let response =
        response.map_err(|error| format!("{address} was not reached: {}", innermost(&error)))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect();
    let body = body.await.map_err(|error| innermost(error.as_ref()))?;
    let text = String::from_utf8_lossy(&body.to_bytes()).trim().to_owned();
    match status {
        StatusCode::OK => Ok(text),
        // An older proxy has no such page.
        status => Err(format!("{status}: {text}")),
    }
}
