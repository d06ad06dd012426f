//! Who signs certificates, for whom, and whose signatures the mesh believes.

use clew_identity::{Clock, Issued, Issuer, IssuerError, TokenError, TokenKey, TrustBundle};
use clew_model::identity::Identity;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What control needs to give identities.
#[derive(Clone, Debug)]
pub struct AuthorityConfig {
    /// Signs certificates.
    pub issuer: Arc<Issuer>,
    /// What tokens are checked with.
    pub tokens: TokenKey,
    /// How long a certificate is good.
    pub life: Duration,
    /// By which they are.
    pub clock: Clock,
}

impl AuthorityConfig {
    /// Certificates for a day, by the system's clock.
    pub fn new(issuer: Arc<Issuer>, tokens: TokenKey) -> Self {
        Self {
            issuer,
            tokens,
            life: Duration::from_secs(24 * 3600),
            clock: Clock::default(),
        }
    }
}

/// Gives identities while control runs.
pub(crate) struct Authority {
    tokens: TokenKey,
    life: Duration,
    clock: Clock,
    signs: watch::Sender<Signs>,
}

/// Who signs now, and who is believed.
#[derive(Clone, Debug)]
pub(crate) struct Signs {
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) bundle: TrustBundle,
}

/// Why somebody gets no certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertifyError {
    /// The token proves nothing.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token is another workload's.
    #[error("the token is that of {of}, and not of {asked}")]
    OfAnother {
        /// Whose it is.
        of: Identity,
        /// Who asks.
        asked: String,
    },
    /// It cannot be signed.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
}

impl Authority {
    pub(crate) fn new(config: AuthorityConfig) -> Self {
        let bundle = config.issuer.bundle().clone();
        let issuer = config.issuer;
        Self {
            tokens: config.tokens,
            life: config.life,
            clock: config.clock,
            signs: watch::Sender::new(Signs { issuer, bundle }),
        }
    }

    /// Whose token it is.
    pub(crate) fn identify(&self, token: &[u8]) -> Result<Identity, TokenError> {
        self.tokens.check(token, self.clock.now())
    }

    /// A certificate for whoever `token` says, who calls itself `name`: a SPIFFE id, or the same in the form of DNS.
    pub(crate) fn certify(
        &self,
        token: &[u8],
        name: &str,
        request: &[u8],
    ) -> Result<Issued, CertifyError> {
        let identity = self.identify(token)?;
        if name != identity.as_str() && !name.eq_ignore_ascii_case(&identity.dns_name()) {
            return Err(CertifyError::OfAnother {
                of: identity,
                asked: name.chars().take(300).collect(),
            });
        }
        let issuer = Arc::clone(&self.signs.borrow().issuer);
        let issued = issuer.issue(request, &identity, self.clock.now(), self.life)?;
        tracing::debug!(%identity, "certificate signed");
        Ok(issued)
    }

    /// The domain of all identities.
    pub(crate) fn trust_domain(&self) -> Arc<str> {
        self.signs.borrow().issuer.trust_domain().into()
    }

    /// Who signs, now and as it changes.
    pub(crate) fn signs(&self) -> watch::Receiver<Signs> {
        self.signs.subscribe()
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}
