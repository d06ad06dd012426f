//! Asks a mesh's API over HTTP.

use bytes::Bytes;
use clew_api::rest::API_PREFIX;
use clew_api::rest::problem::{PROBLEM_JSON, Problem};
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::error::Error;
use std::fmt::Write;
use std::time::Duration;

/// A connection that is not there by then is not coming: the API is on this machine or near it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longer than observe's own bound on a question.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 256 * 1024 * 1024;
/// What stands in a query or a path segment as it is (RFC 3986, unreserved).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// Nobody listens, or nobody answers.
    #[error("no mesh answers at {api}; start one with `clew demo` or `clew run`{}", cause_in_words(.cause))]
    Unreachable {
        /// Address that was asked.
        api: String,
        /// Why.
        cause: hyper_util::client::legacy::Error,
    },
    /// Connected, and no answer in time.
    #[error("the mesh at {api} did not answer within {} s", ANSWER_TIMEOUT.as_secs())]
    TimedOut {
        /// Address that was asked.
        api: String,
    },
    /// Something else lives there.
    #[error(
        "what answers at {api} is not a Clew mesh (HTTP {status}); name another with --api or CLEW_API"
    )]
    NotClew {
        /// Address that was asked.
        api: String,
        /// What it said.
        status: u16,
    },
    /// The mesh refused the request and says why.
    #[error("{}", .0.in_words())]
    Refused(Box<Problem>),
    /// The answer broke off.
    #[error("the mesh went away in the middle of its answer")]
    BrokenOff(#[source] Box<dyn Error + Send + Sync>),
    /// The answer has another shape: another version.
    #[error(
        "the answer of the mesh cannot be understood; is it of another version? (`clew check`)"
    )]
    Malformed(#[source] serde_json::Error),
    /// The request could not be put together.
    #[error("cannot ask {api}")]
    Address {
        /// Address that was to be asked.
        api: String,
        /// Why.
        #[source]
        source: http::Error,
    },
}

/// A path below [`API_PREFIX`] with its query, put together and escaped.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    path: String,
    has_query: bool,
}

impl Question {
    /// A path that needs no escaping.
    pub(crate) fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            has_query: false,
        }
    }

    /// As it stands behind an address.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Adds a path segment.
    pub(crate) fn segment(mut self, text: &str) -> Self {
        // Writing to a String cannot fail.
        let _ = write!(self.path, "/{}", utf8_percent_encode(text, ESCAPED));
        self
    }

    /// Adds a query parameter.
    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        let joint = if self.has_query { '&' } else { '?' };
        let value = value.to_string();
        let _ = write!(
            self.path,
            "{joint}{name}={}",
            utf8_percent_encode(&value, ESCAPED)
        );
        self.has_query = true;
        self
    }

    /// Adds a query parameter that is there.
    pub(crate) fn with_some(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

/// An answer, understood, and as it came.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    /// Understood.
    pub(crate) body: T,
    /// As it came.
    pub(crate) raw: Bytes,
}

/// A mesh's API.
#[derive(Clone, Debug)]
pub(crate) struct ApiClient {
    api: String,
    http: Client<HttpConnector, Full<Bytes>>,
}

impl ApiClient {
    /// Connects when it is first asked.
    pub(crate) fn new(api: &Uri) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let http = Client::builder(TokioExecutor::new()).build(connector);
        Self {
            api: api.to_string().trim_end_matches('/').to_owned(),
            http,
        }
    }

    /// Where it is, as people open it.
    pub(crate) fn address(&self) -> &str {
        &self.api
    }

    /// Whether it has the dashboard beside the API.
    pub(crate) async fn has_dashboard(&self) -> Result<bool, ApiError> {
        let answer = self.send(Method::GET, "/", Bytes::new());
        match tokio::time::timeout(ANSWER_TIMEOUT, answer).await {
            Ok(answer) => Ok(answer?.status().is_success()),
            Err(_) => Err(self.timed_out()),
        }
    }

    /// `GET`, read whole.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        question: &Question,
    ) -> Result<Answer<T>, ApiError> {
        self.ask(Method::GET, question, Bytes::new()).await
    }

    /// `PUT` of a JSON body, the answer read whole.
    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        question: &Question,
        body: &impl Serialize,
    ) -> Result<Answer<T>, ApiError> {
        let body = serde_json::to_vec(body).map_err(ApiError::Malformed)?;
        self.ask(Method::PUT, question, body.into()).await
    }

    /// `DELETE`, the answer read whole.
    pub(crate) async fn delete<T: DeserializeOwned>(
        &self,
        question: &Question,
    ) -> Result<Answer<T>, ApiError> {
        self.ask(Method::DELETE, question, Bytes::new()).await
    }

    /// `GET`, to be read piece by piece.
    pub(crate) async fn stream(&self, question: &Question) -> Result<Incoming, ApiError> {
        let path = api_path(question);
        let response = self.send(Method::GET, &path, Bytes::new()).await?;
        if response.status().is_success() {
            Ok(response.into_body())
        } else {
            Err(self.refusal(response).await)
        }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        question: &Question,
        body: Bytes,
    ) -> Result<Answer<T>, ApiError> {
        let answer = async {
            let response = self.send(method, &api_path(question), body).await?;
            if !response.status().is_success() {
                return Err(self.refusal(response).await);
            }
            if !is_json(&response, "application/json") {
                return Err(self.not_clew(&response));
            }
            let raw = read_whole(response).await?;
            let body = serde_json::from_slice(&raw).map_err(ApiError::Malformed)?;
            Ok(Answer { body, raw })
        };
        match tokio::time::timeout(ANSWER_TIMEOUT, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(self.timed_out()),
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, ApiError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.api))
            .header(USER_AGENT, concat!("clew/", env!("CARGO_PKG_VERSION")))
            .header(
                ACCEPT,
                "application/json, application/problem+json, application/x-ndjson",
            )
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|source| ApiError::Address {
                api: self.api.clone(),
                source,
            })?;
        let unreachable = |cause| ApiError::Unreachable {
            api: self.api.clone(),
            cause,
        };
        self.http.request(request).await.map_err(unreachable)
    }

    async fn refusal(&self, response: Response<Incoming>) -> ApiError {
        if !is_json(&response, PROBLEM_JSON) {
            return self.not_clew(&response);
        }
        match read_whole(response)
            .await
            .map(|raw| serde_json::from_slice(&raw))
        {
            Ok(Ok(problem)) => ApiError::Refused(Box::new(problem)),
            Ok(Err(error)) => ApiError::Malformed(error),
            Err(error) => error,
        }
    }

    fn timed_out(&self) -> ApiError {
        ApiError::TimedOut {
            api: self.api.clone(),
        }
    }

    fn not_clew(&self, response: &Response<Incoming>) -> ApiError {
        ApiError::NotClew {
            api: self.api.clone(),
            status: response.status().as_u16(),
        }
    }
}

/// As a request names it.
fn api_path(question: &Question) -> String {
    format!("{API_PREFIX}{}", question.path)
}

/// That nobody listens is said already; anything else is worth a word.
fn cause_in_words(error: &hyper_util::client::legacy::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let is_refused = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ConnectionRefused;
    if cause.downcast_ref().is_some_and(is_refused) {
        String::new()
    } else {
        format!(" ({cause})")
    }
}

fn is_json<B>(response: &Response<B>, kind: &str) -> bool {
    let value = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    value.is_some_and(|value| {
        value
            .split(';')
            .next()
            .is_some_and(|essence| essence.trim() == kind)
    })
}

async fn read_whole(response: Response<Incoming>) -> Result<Bytes, ApiError> {
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES);
    Ok(body
        .collect()
        .await
        .map_err(ApiError::BrokenOff)?
        .to_bytes())
}

#[cfg(test)]
mod tests;
