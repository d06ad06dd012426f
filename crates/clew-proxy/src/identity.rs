//! Who this proxy is: its certificate, from the first one on and as it is renewed.
//!
//! One task asks control, with the token that whoever started the proxy gave it. Threads read what there is through a `watch`
//! channel. When control is gone, the certificate stands until its end; after that nobody believes it, and nobody should.

use crate::config::IdentityConfig;
use clew_api::client::{CallError, ControlClient, Trust, Updates};
use clew_identity::{
    BundleError, Clock, CredentialError, Credentials, Issued, KeyError, TrustBundle, Validity,
    WorkloadKey,
};
use futures_util::StreamExt;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// What is told of certificates in metrics.
#[derive(Debug, Default)]
pub(crate) struct CertificateTally {
    /// Unix seconds; 0: there is none yet.
    expires: AtomicU64,
    renewals: AtomicU64,
    refused: AtomicU64,
}

impl CertificateTally {
    /// When the certificate in force ends, in Unix seconds.
    pub(crate) fn expires(&self) -> Option<u64> {
        Some(self.expires.load(Ordering::Relaxed)).filter(|&seconds| seconds > 0)
    }

    /// Certificates that were issued so far.
    pub(crate) fn renewals(&self) -> u64 {
        self.renewals.load(Ordering::Relaxed)
    }

    /// Clients whose handshake failed.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn renewed(&self, not_after: SystemTime) {
        let since_epoch = not_after.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.expires.store(since_epoch.as_secs(), Ordering::Relaxed);
        self.renewals.fetch_add(1, Ordering::Relaxed);
    }
}

/// The credentials of this proxy, as a thread knows them.
pub(crate) struct OwnCredentials {
    /// The name by which clients ask for it in TLS; `None`: it has no identity.
    server_name: Option<String>,
    known: RefCell<Known>,
    tally: Arc<CertificateTally>,
}

struct Known {
    news: CredentialNews,
    now: Option<Arc<Credentials>>,
}

/// The credentials, as they are renewed.
pub(crate) type CredentialNews = watch::Receiver<Option<Arc<Credentials>>>;

impl OwnCredentials {
    /// Those of a proxy with this configuration.
    pub(crate) fn new(
        config: Option<&IdentityConfig>,
        mut news: CredentialNews,
        tally: Arc<CertificateTally>,
    ) -> Self {
        let now = news.borrow_and_update().clone();
        Self {
            server_name: config.map(|config| config.identity.dns_name()),
            known: RefCell::new(Known { news, now }),
            tally,
        }
    }

    /// It has an identity, or will have.
    pub(crate) fn is_wanted(&self) -> bool {
        self.server_name.is_some()
    }

    /// The name in a ClientHello is this proxy's.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        let own = self.server_name.as_deref();
        own.is_some_and(|own| own.eq_ignore_ascii_case(name))
    }

    /// A client's handshake failed.
    pub(crate) fn refused(&self) {
        self.tally.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// What is good now; `None` before the first certificate.
    pub(crate) fn current(&self) -> Option<Arc<Credentials>> {
        let Known { news, now } = &mut *self.known.borrow_mut();
        if news.has_changed().unwrap_or(false) {
            now.clone_from(&news.borrow_and_update());
        }
        now.clone()
    }
}

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
enum RenewalError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Credentials(#[from] CredentialError),
}

/// After a failure control is asked again, at first after this, and then ever less often.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// When roots change, not all ask for a new certificate at once.
const SPREAD: Duration = Duration::from_secs(5);
/// The system's clock may be set meanwhile, and a machine may sleep.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Keeps a certificate, for as long as somebody reads `news`.
pub(crate) async fn keep(
    control: ControlClient,
    config: IdentityConfig,
    news: watch::Sender<Option<Arc<Credentials>>>,
    tally: Arc<CertificateTally>,
) {
    let trust = control.watch_trust();
    let mut keeper = Keeper {
        control,
        config,
        news,
        tally,
        bundle: None,
        held: None,
        failures: 0,
    };
    let news = keeper.news.clone();
    tokio::select! {
        () = news.closed() => {}
        never = keeper.run(trust) => match never {},
    }
}

struct Keeper {
    control: ControlClient,
    config: IdentityConfig,
    news: watch::Sender<Option<Arc<Credentials>>>,
    tally: Arc<CertificateTally>,
    bundle: Option<TrustBundle>,
    /// What the credentials in force were made of.
    held: Option<(WorkloadKey, Issued)>,
    failures: u32,
}

impl Keeper {
    async fn run(&mut self, mut trust: Updates<Trust>) -> std::convert::Infallible {
        let mut at = self.config.clock.now();
        loop {
            let clock = self.config.clock.clone();
            tokio::select! {
                Some(trust) = trust.next() => match self.believe(&trust) {
                    Ok(next) => at = next,
                    Err(error) => tracing::error!(%error, "the trust bundle of control is not taken"),
                },
                () = until(&clock, at), if self.bundle.is_some() => at = self.renew().await,
            }
        }
    }

    /// Takes over whom to believe; when to ask for a certificate that those believe.
    fn believe(&mut self, trust: &Trust) -> Result<SystemTime, BundleError> {
        let bundle = TrustBundle::from_pem(trust.roots.as_bytes())?;
        let now = self.config.clock.now();
        let mut at = now;
        if let Some((key, issued)) = &self.held {
            at += SPREAD.mul_f64(fastrand::f64());
            match self.credentials(key, issued, &bundle) {
                Ok(credentials) => self.publish(credentials),
                // By the new roots it is nobody's.
                Err(_) => at = now,
            }
        }
        self.bundle = Some(bundle);
        Ok(at)
    }

    /// Asks for a certificate; when to ask for the next.
    async fn renew(&mut self) -> SystemTime {
        match self.certify().await {
            Ok(credentials) => {
                self.failures = 0;
                let next = credentials.renew_at(fastrand::f64());
                self.tally.renewed(credentials.validity().not_after);
                tracing::debug!(identity = %credentials.identity(), "certificate renewed");
                self.publish(credentials);
                next
            }
            Err(error) => {
                // What fails again and again is said once; what ends is said by whoever is refused.
                if self.failures == 0 {
                    let error = anyhow::Error::new(error);
                    tracing::warn!("no certificate from control; asking again: {error:#}");
                }
                let wait = FIRST_WAIT.saturating_mul(1 << self.failures.min(10));
                self.failures += 1;
                self.config.clock.now()
                    + wait.min(LONGEST_WAIT).mul_f64(1.0 - fastrand::f64() / 2.0)
            }
        }
    }

    async fn certify(&mut self) -> Result<Credentials, RenewalError> {
        let identity = &self.config.identity;
        let key = WorkloadKey::generate()?;
        let asked = self.config.clock.now();
        let certified = self
            .control
            .certify(identity, key.request(identity)?)
            .await?;
        let issued = Issued {
            leaf: certified.leaf,
            intermediates: certified.intermediates,
            validity: Validity {
                not_before: asked,
                not_after: certified.not_after,
            },
        };
        let bundle = self.bundle.as_ref().ok_or(BundleError::Empty);
        let credentials =
            self.credentials(&key, &issued, bundle.map_err(CredentialError::from)?)?;
        self.held = Some((key, issued));
        Ok(credentials)
    }

    fn credentials(
        &self,
        key: &WorkloadKey,
        issued: &Issued,
        bundle: &TrustBundle,
    ) -> Result<Credentials, CredentialError> {
        let IdentityConfig {
            identity, clock, ..
        } = &self.config;
        Credentials::new(key, identity, issued, bundle, clock)
    }

    fn publish(&self, credentials: Credentials) {
        self.news.send_replace(Some(Arc::new(credentials)));
    }
}

/// Waits until a time of the clock, which may be set.
async fn until(clock: &Clock, at: SystemTime) {
    while let Ok(left) = at.duration_since(clock.now())
        && !left.is_zero()
    {
        tokio::time::sleep(left.min(LOOK_EVERY)).await;
    }
}
