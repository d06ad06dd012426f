//! Which failures are worth another attempt, and when (OTLP specification, "OTLP/gRPC Response" and
//! "OTLP/gRPC Throttling").

use std::time::Duration;

use prost::Message;
use tokio::time::Instant;
use tonic::{Code, Status};

/// The first pause; each is twice the one before, up to the longest, less a random part of up to half.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The pauses between the attempts at one request.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    give_up_at: Instant,
}

impl Backoff {
    /// For a request that may take this long in all.
    pub(super) fn new(in_all: Duration) -> Self {
        Self {
            next: FIRST_PAUSE,
            give_up_at: Instant::now() + in_all,
        }
    }

    /// How long to wait before the next attempt; `None` when there is none.
    pub(super) fn pause_after(&mut self, status: &Status) -> Option<Duration> {
        let pause = match retry(status) {
            Retry::Never => return None,
            Retry::After(asked) => asked,
            Retry::WithBackoff => {
                let pause = self.next.mul_f64(0.5 + fastrand::f64() / 2.0);
                self.next = (self.next * 2).min(LONGEST_PAUSE);
                pause
            }
        };
        let at = Instant::now().checked_add(pause)?;
        (at < self.give_up_at).then_some(pause)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retry {
    Never,
    WithBackoff,
    After(Duration),
}

fn retry(status: &Status) -> Retry {
    match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => retry_info(status.details()).map_or(Retry::WithBackoff, Retry::After),
        // What tonic makes of a connection that broke on the way.
        Code::Unknown | Code::Internal if std::error::Error::source(status).is_some() => {
            Retry::WithBackoff
        }
        // Only when the collector says that it will recover.
        Code::ResourceExhausted => retry_info(status.details()).map_or(Retry::Never, Retry::After),
        _ => Retry::Never,
    }
}

/// The delay of a `google.rpc.RetryInfo` in the details of a status.
fn retry_info(details: &[u8]) -> Option<Duration> {
    let details = RpcStatus::decode(details).ok()?.details;
    let info = details
        .iter()
        .find(|any| any.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(info.value.as_slice()).ok()?.retry_delay?;
    Some(Duration::new(
        u64::try_from(delay.seconds).ok()?,
        u32::try_from(delay.nanos).ok()?,
    ))
}

/// `google.rpc.Status`, as far as it is read here.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<ProtoDuration>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
struct ProtoDuration {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttled(code: Code, delay: ProtoDuration) -> Status {
        let info = RetryInfo {
            retry_delay: Some(delay),
        }
        .encode_to_vec();
        let any = Any {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
            value: info,
        };
        Status::with_details(
            code,
            "later",
            RpcStatus { details: vec![any] }.encode_to_vec().into(),
        )
    }

    #[test]
    fn only_what_otlp_calls_retryable_is_tried_again() {
        for code in (0..=16).map(Code::from) {
            let expected = match code {
                Code::Cancelled
                | Code::DeadlineExceeded
                | Code::Aborted
                | Code::OutOfRange
                | Code::Unavailable
                | Code::DataLoss => Retry::WithBackoff,
                _ => Retry::Never,
            };
            assert_eq!(retry(&Status::new(code, "")), expected, "{code:?}");
        }
    }

    #[test]
    fn a_collector_that_says_when_is_asked_again_then() {
        let delay = ProtoDuration {
            seconds: 2,
            nanos: 500_000_000,
        };
        for code in [Code::ResourceExhausted, Code::Unavailable] {
            assert_eq!(
                retry(&throttled(code, delay)),
                Retry::After(Duration::from_millis(2_500))
            );
        }
        let nonsense = ProtoDuration {
            seconds: -1,
            nanos: 0,
        };
        assert_eq!(
            retry(&throttled(Code::ResourceExhausted, nonsense)),
            Retry::Never
        );
    }

    #[test]
    fn pauses_grow_and_end() {
        let mut backoff = Backoff::new(Duration::from_secs(60));
        let unavailable = Status::unavailable("");
        let mut most = FIRST_PAUSE;
        for _ in 0..10 {
            let pause = backoff.pause_after(&unavailable);
            assert!(
                pause.is_some_and(|pause| pause <= most && pause >= most / 2),
                "{pause:?} of {most:?}"
            );
            most = (most * 2).min(LONGEST_PAUSE);
        }
        assert_eq!(Backoff::new(Duration::ZERO).pause_after(&unavailable), None);
        let asks_too_much = throttled(
            Code::Unavailable,
            ProtoDuration {
                seconds: 61,
                nanos: 0,
            },
        );
        assert_eq!(backoff.pause_after(&asks_too_much), None);
    }
}
