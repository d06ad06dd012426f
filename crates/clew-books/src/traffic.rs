//! The generator of traffic: sends requests to the application at a given rate, or as fast as the
//! answers come, and counts by itself what it sent and what came back. Its numbers are what the mesh's
//! are compared with, so it trusts nobody else's.

pub mod latency;
pub mod mix;
pub mod tally;

use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderValue, Method, Request, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use mix::{Call, Mix, Reading};
use std::future::Future;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tally::{Outcome, Tally};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// Requests that may be open at one time; past it, an open-loop request is skipped and counted as such.
pub const MAX_OPEN: usize = 512;
/// Rates that can be kept: one request in a quarter of an hour, up to more than one thread can send. The time
/// between two of them is above zero.
pub const RATES: RangeInclusive<f64> = 0.001..=100_000.0;
/// How long a response may take; also how long the last ones are waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// When requests are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loop {
    /// So many a second, whether or not the earlier ones are answered.
    Open {
        /// Requests per second, within [`RATES`].
        rate: f64,
    },
    /// So many callers, each sending its next request when the last one is answered.
    Closed {
        /// Number of callers, 1 to [`MAX_OPEN`].
        callers: usize,
    },
}

/// What to send, and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where to (`http://host:port`).
    pub base: Uri,
    /// `Host` to send, when it is not the base's.
    pub host: Option<HeaderValue>,
    /// When.
    pub pace: Loop,
    /// Ends after this time, when set.
    pub duration: Option<Duration>,
    /// Ends after this number of requests, when set.
    pub requests: Option<u64>,
    /// What.
    pub mix: Mix,
}

/// Sends what is planned until it is done or `stop` resolves, waits for what is still open, and
/// leaves the count in `tally`, which others may read meanwhile.
pub async fn generate(plan: Plan, tally: Arc<Tally>, stop: impl Future<Output = ()>) {
    let (stopping, stopped) = watch::channel(false);
    let sender = Sender::new(&plan, Arc::clone(&tally));
    let send = async {
        match plan.pace {
            Loop::Open { rate } => {
                send_at_rate(sender, plan.mix, plan.requests, rate, stopped).await
            }
            Loop::Closed { callers } => {
                send_in_turn(sender, plan.mix, plan.requests, callers, stopped).await
            }
        }
    };
    let end = async {
        match plan.duration {
            Some(duration) => {
                tokio::select! { () = stop => {}, () = tokio::time::sleep(duration) => {} }
            }
            None => stop.await,
        }
        let _ = stopping.send(true);
        std::future::pending::<()>().await;
    };
    tokio::select! { () = send => {}, () = end => {} }
    tally.finish();
}

async fn send_at_rate(
    sender: Sender,
    mut mix: Mix,
    requests: Option<u64>,
    rate: f64,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(MAX_OPEN));
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut open = JoinSet::new();
    let mut left = requests.unwrap_or(u64::MAX);
    while left > 0 {
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => break,
            Some(_) = open.join_next(), if !open.is_empty() => {}
            _ = ticks.tick() => {
                left -= 1;
                let call = mix.next_call();
                match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => {
                        let sender = sender.clone();
                        open.spawn(async move {
                            sender.send(call).await;
                            drop(place);
                        });
                    }
                    Err(_) => sender.tally.skip(call.route),
                }
            }
        }
    }
    open.join_all().await;
}

async fn send_in_turn(
    sender: Sender,
    mix: Mix,
    requests: Option<u64>,
    callers: usize,
    stopped: watch::Receiver<bool>,
) {
    let share = |caller: usize| {
        requests.map_or(u64::MAX, |all| {
            let (callers, caller) = (callers as u64, caller as u64);
            all / callers + u64::from(caller < all % callers)
        })
    };
    let mut open = JoinSet::new();
    for caller in 0..callers {
        let (sender, stopped, left) = (sender.clone(), stopped.clone(), share(caller));
        let mut mix = mix.for_caller(caller as u64);
        open.spawn(async move {
            for _ in 0..left {
                if *stopped.borrow() {
                    break;
                }
                sender.send(mix.next_call()).await;
            }
        });
    }
    open.join_all().await;
}

#[derive(Clone)]
struct Sender {
    base: Arc<str>,
    host: Option<HeaderValue>,
    client: Client<HttpConnector, Full<Bytes>>,
    tally: Arc<Tally>,
}

impl Sender {
    fn new(plan: &Plan, tally: Arc<Tally>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            // What was sent is counted once: no request is sent again behind our back.
            .retry_canceled_requests(false)
            .build(connector);
        let base = plan.base.to_string().trim_end_matches('/').into();
        Self {
            base,
            host: plan.host.clone(),
            client,
            tally,
        }
    }

    async fn send(&self, call: Call) {
        let start = Instant::now();
        self.tally.sent(call.route);
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, self.answer(&call)).await;
        self.tally.ended(
            call.route,
            answer.unwrap_or(Outcome::Failed),
            start.elapsed(),
        );
    }

    async fn answer(&self, call: &Call) -> Outcome {
        let Ok(response) = self.client.request(self.request(call)).await else {
            return Outcome::Failed;
        };
        let status = response.status();
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            match (frame, call.reading) {
                (Err(_), _) => return Outcome::Failed,
                // The caller has seen enough: dropping the body closes the connection or stream.
                (Ok(_), Reading::Start) => return Outcome::GaveUp,
                (Ok(_), Reading::Whole) => {}
            }
        }
        Outcome::Answered(status)
    }

    fn request(&self, call: &Call) -> Request<Full<Bytes>> {
        let body = call.body.clone().unwrap_or_default();
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = format!("{}{}", self.base, call.path)
            .parse()
            .unwrap_or_default();
        if call.method == Method::POST {
            request
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(host) = &self.host {
            request.headers_mut().insert(HOST, host.clone());
        }
        request
    }
}
