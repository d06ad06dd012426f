//! What a workload proves itself with in TLS, both as a client and as a server.

use crate::bundle::{BundleError, TrustBundle};
use crate::certificate::{Issued, Validity};
use crate::clock::Clock;
use crate::key::WorkloadKey;
use crate::peer::{PeerError, peer_identity};
use crate::verify::{PROVIDER, VerifyError, of_servers, server_name, verify};
use clew_model::identity::Identity;
use rustls::client::Resumption;
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{ClientConfig, ClientConnection, CommonState, ServerConfig, ServerConnection};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The trust bundle is none.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The certificate is not the workload's.
    #[error("the certificate is {0}'s")]
    OfAnother(Identity),
    /// The certificate names nobody, or is over.
    #[error(transparent)]
    Certificate(#[from] PeerError),
    /// The certificate is not believed, by the trust bundle or by the time.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// TLS cannot be set up with it.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The verification of clients cannot be set up.
    #[error("the verification of clients cannot be set up")]
    Verifier(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Certificate, key and roots of a workload, as TLS takes them. Sessions are resumed within one value of it, and no further:
/// a new certificate or new roots begin without any.
#[derive(Clone, Debug)]
pub struct Credentials {
    identity: Identity,
    validity: Validity,
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    clock: Clock,
}

/// Sessions of clients that a server remembers, and of servers that a client does.
const MAX_SESSIONS: usize = 1_024;

/// Certificates are renewed when this share of their life is over.
const RENEWAL: f64 = 0.7;
/// And up to this share of it earlier: not all at once.
const JITTER: f64 = 0.1;

impl Credentials {
    /// What was issued for a key, checked as others will check it.
    pub fn new(
        key: &WorkloadKey,
        identity: &Identity,
        issued: &Issued,
        bundle: &TrustBundle,
        clock: &Clock,
    ) -> Result<Self, CredentialError> {
        let chain = issued.chain();
        let servers = of_servers(bundle)?;
        let provider = Arc::clone(&PROVIDER);
        let clients =
            WebPkiClientVerifier::builder_with_provider(bundle.store()?, provider.clone())
                .build()
                .map_err(|error| CredentialError::Verifier(error.into()))?;
        let named = peer_identity(Some(&chain), clock.now())?;
        if named != *identity {
            return Err(CredentialError::OfAnother(named));
        }
        verify(&*servers, &chain, identity, clock)?;

        let versions = &[&rustls::version::TLS13];
        let mut client =
            ClientConfig::builder_with_details(provider.clone(), Arc::new(clock.clone()))
                .with_protocol_versions(versions)
                .map_err(CredentialError::Tls)?
                .with_webpki_verifier(servers)
                .with_client_auth_cert(chain.clone(), key.private())
                .map_err(CredentialError::Tls)?;
        client.resumption = Resumption::in_memory_sessions(MAX_SESSIONS);
        let mut server = ServerConfig::builder_with_details(provider, Arc::new(clock.clone()))
            .with_protocol_versions(versions)
            .map_err(CredentialError::Tls)?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, key.private())
            .map_err(CredentialError::Tls)?;
        server.session_storage = ServerSessionMemoryCache::new(MAX_SESSIONS);
        // One is enough: each resumption brings the next.
        server.send_tls13_tickets = 1;
        Ok(Self {
            identity: identity.clone(),
            validity: issued.validity,
            client: Arc::new(client),
            server: Arc::new(server),
            clock: clock.clone(),
        })
    }

    /// Who they prove to be.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// When the certificate is good.
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// TLS to a server that is to be `identity`; who it is shows in the end. `None`: nobody could have such a name.
    pub fn connect(&self, identity: &Identity) -> Option<ClientConnection> {
        ClientConnection::new(Arc::clone(&self.client), server_name(identity)?).ok()
    }

    /// TLS of a client, who has to show who it is.
    pub fn accept(&self) -> Option<ServerConnection> {
        ServerConnection::new(Arc::clone(&self.server)).ok()
    }

    /// Who the other side of a finished handshake has proven to be. Not before this is asked is anything proven: a session
    /// that was resumed may be older than the certificates are good.
    pub fn peer(&self, handshake: &CommonState) -> Result<Identity, PeerError> {
        let now = self.clock.now();
        match now > self.validity.not_after {
            // The other side could not know.
            true => Err(PeerError::Expired),
            false => peer_identity(handshake.peer_certificates(), now),
        }
    }

    /// When to renew them: at 70 % of the certificate's life, or up to a tenth of it earlier, by `chance` from 0 to 1.
    pub fn renew_at(&self, chance: f64) -> SystemTime {
        let Validity {
            not_before,
            not_after,
        } = self.validity;
        let life = not_after
            .duration_since(not_before)
            .unwrap_or(Duration::ZERO);
        not_before + life.mul_f64(RENEWAL - JITTER * chance.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests;
