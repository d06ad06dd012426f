//! Whether an answer is to be sent: what was sent last, in a few bytes whatever its size.

use axum::http::StatusCode;
use serde_json::Value;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Of answers whose window alone moved, so many make one that is sent: charts go on where nothing happens.
const WINDOWS_PER_EVENT: u32 = 10;

/// What was sent last of one watched path, as hashes.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Of status and body.
    whole: Option<u64>,
    /// The same without the body's `window`.
    lasting: Option<u64>,
    /// Answers since then whose window had moved.
    moved: u32,
}

impl News {
    /// Whether this answer differs from the one sent last; then it counts as sent. `body` is JSON.
    pub(super) fn admits(&mut self, status: StatusCode, body: &[u8]) -> bool {
        let whole = hash(status, body);
        if self.whole == Some(whole) {
            return false;
        }
        let lasting = without_window(body).map_or(whole, |body| hash(status, &body));
        if self.lasting == Some(lasting) {
            self.moved += 1;
            if self.moved < WINDOWS_PER_EVENT {
                return false;
            }
        }
        *self = Self {
            whole: Some(whole),
            lasting: Some(lasting),
            moved: 0,
        };
        true
    }
}

fn hash(status: StatusCode, body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (status.as_u16(), body).hash(&mut hasher);
    hasher.finish()
}

/// The body without its window; `None` when it has none.
fn without_window(body: &[u8]) -> Option<Vec<u8>> {
    let mut body: Value = serde_json::from_slice(body).ok()?;
    body.as_object_mut()?.remove("window")?;
    serde_json::to_vec(&body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_sent_when_it_differs_from_the_last_one_sent() {
        let mut news = News::default();
        let mut sent = |status, body: &str| news.admits(status, body.as_bytes());
        let (ok, gone) = (StatusCode::OK, StatusCode::NOT_FOUND);
        assert!(sent(ok, r#"{"a":1}"#));
        assert!(!sent(ok, r#"{"a":1}"#));
        assert!(sent(ok, r#"{"a":2}"#));
        assert!(sent(gone, r#"{"a":2}"#));
        assert!(sent(ok, r#"{"a":1}"#), "it was sent, but not last");
    }

    #[test]
    fn of_windows_that_move_every_tenth_is_sent() {
        let mut news = News::default();
        let mut sent = |second: u32, count: u32| {
            let body = format!(r#"{{"window":{{"to":{second}}},"count":{count}}}"#);
            news.admits(StatusCode::OK, body.as_bytes())
        };
        let quiet: Vec<u32> = (0..25).filter(|second| sent(*second, 1)).collect();
        assert_eq!(quiet, [0, 10, 20]);
        assert!(sent(25, 2), "the count changed");
        let quiet: Vec<u32> = (26..40).filter(|second| sent(*second, 2)).collect();
        assert_eq!(quiet, [35]);
    }
}
