//! Tokens by which a workload on one machine proves who it is: control's own signature under a name.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clew_model::identity::Identity;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Signs tokens and checks them. Whoever holds it can be anyone: it stays with control and with what starts workloads.
#[derive(Clone)]
pub struct TokenKey(hmac::Key);

/// Why a token proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no token, or another key signed it.
    #[error("the token was not made by this control")]
    Foreign,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
}

/// Of the key, in bytes: as many as its signatures have.
pub const KEY_BYTES: usize = 32;
/// A token that is longer is none.
const MAX_TOKEN_BYTES: usize = 2_048;

impl TokenKey {
    /// Random bytes for a new one. `None`: the system gives none.
    pub fn random_bytes() -> Option<[u8; KEY_BYTES]> {
        let mut bytes = [0; KEY_BYTES];
        aws_lc_rs::rand::fill(&mut bytes).ok()?;
        Some(bytes)
    }

    /// A new one.
    pub fn generate() -> Option<Self> {
        Self::random_bytes().map(|bytes| Self::from_bytes(&bytes))
    }

    /// One of [`TokenKey::generate`]'s, from the same bytes.
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// A token that proves to be this identity for as long as said.
    pub fn mint(&self, identity: &Identity, now: SystemTime, life: Duration) -> String {
        let until = unix_seconds(now).saturating_add(life.as_secs());
        let claim = format!("{until} {identity}");
        let signature = hmac::sign(&self.0, claim.as_bytes());
        let encoded =
            [claim.as_bytes(), signature.as_ref()].map(|part| URL_SAFE_NO_PAD.encode(part));
        encoded.join(".")
    }

    /// Whose token it is, when it was made with this key and is in time.
    pub fn check(&self, token: &[u8], now: SystemTime) -> Result<Identity, TokenError> {
        let (until, identity) = self.read(token).ok_or(TokenError::Foreign)?;
        match unix_seconds(now) > until {
            true => Err(TokenError::Expired),
            false => Ok(identity),
        }
    }

    /// Until when a token is good, and whose it is, when the signature is ours.
    fn read(&self, token: &[u8]) -> Option<(u64, Identity)> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let (claim, signature) = std::str::from_utf8(token)
            .ok()?
            .trim_end()
            .split_once('.')?;
        let claim = URL_SAFE_NO_PAD.decode(claim).ok()?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        hmac::verify(&self.0, &claim, &signature).ok()?;
        let claim = String::from_utf8(claim).ok()?;
        let (until, identity) = claim.split_once(' ')?;
        Some((until.parse().ok()?, Identity::parse(identity).ok()?))
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey")
    }
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clew_model::name::Workload;

    fn identity(name: &str) -> Identity {
        Identity::new("cluster.local", &Workload::new(name, "default")).unwrap()
    }

    #[test]
    fn a_token_proves_one_identity_for_its_time() {
        let key = TokenKey::generate().unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let token = key.mint(&identity("books"), now, Duration::from_secs(60));
        let check = |after| key.check(token.as_bytes(), now + Duration::from_secs(after));
        assert_eq!(check(60), Ok(identity("books")));
        assert_eq!(check(61), Err(TokenError::Expired));
        let another = TokenKey::generate().unwrap();
        assert_eq!(
            another.check(token.as_bytes(), now),
            Err(TokenError::Foreign)
        );
    }

    #[test]
    fn a_token_that_was_changed_anywhere_proves_nothing() {
        let key = TokenKey::from_bytes(&[7; KEY_BYTES]);
        let token = key.mint(&identity("books"), UNIX_EPOCH, Duration::from_secs(60));
        let check = |token: &[u8]| key.check(token, UNIX_EPOCH);
        for place in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(check(&changed), Err(TokenError::Foreign), "at {place}");
        }
        for garbage in ["", ".", "a", "a.b.c", "\u{1F600}"] {
            assert_eq!(check(garbage.as_bytes()), Err(TokenError::Foreign));
        }
    }
}
