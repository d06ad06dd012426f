//! What a workload proves itself with in TLS, both as a client and as a server.

use crate::bundle::{BundleError, TrustBundle};
use crate::clock::Clock;
use crate::issuer::{Issued, IssuerError, Validity, names};
use crate::peer::{PeerError, peer_identity};
use clew_model::identity::Identity;
use rcgen::{CertificateParams, KeyPair};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{cipher_suite, kx_group};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{ClientConfig, ClientConnection, CommonState, ServerConfig, ServerConnection};
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The key of a workload. It never leaves the process.
pub struct WorkloadKey(KeyPair);

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// No key, or no request for a certificate.
    #[error("no key can be made")]
    Key(#[source] rcgen::Error),
    /// The name cannot be in a certificate.
    #[error(transparent)]
    Name(Box<IssuerError>),
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
    #[error("the certificate is not believed")]
    Untrusted(#[source] rustls::Error),
    /// TLS cannot be set up with it.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// Verification cannot be set up.
    #[error("verification cannot be set up")]
    Verifier(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl WorkloadKey {
    /// A new one (ECDSA P-256).
    pub fn generate() -> Result<Self, CredentialError> {
        KeyPair::generate().map(Self).map_err(CredentialError::Key)
    }

    /// A request to have it certified, in DER.
    pub fn request(&self, identity: &Identity) -> Result<Vec<u8>, CredentialError> {
        let (uri, dns) = names(identity).map_err(|error| CredentialError::Name(error.into()))?;
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.subject_alt_names = vec![uri, dns];
        let request = params
            .serialize_request(&self.0)
            .map_err(CredentialError::Key)?;
        Ok(request.der().to_vec())
    }
}

impl fmt::Debug for WorkloadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkloadKey")
    }
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
        let chain: Vec<CertificateDer<'static>> = std::iter::once(&issued.leaf)
            .chain(&issued.intermediates)
            .map(|der| CertificateDer::from(der.clone()))
            .collect();
        let roots = bundle.store()?;
        let provider = Arc::clone(&PROVIDER);
        let servers = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .map_err(|error| CredentialError::Verifier(error.into()))?;
        let clients = WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .map_err(|error| CredentialError::Verifier(error.into()))?;
        let named = peer_identity(Some(&chain), clock.now())?;
        if named != *identity {
            return Err(CredentialError::OfAnother(named));
        }
        verify(&*servers, &chain, identity, clock).map_err(CredentialError::Untrusted)?;

        let private = || PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.0.serialize_der()));
        let versions = &[&rustls::version::TLS13];
        let mut client =
            ClientConfig::builder_with_details(provider.clone(), Arc::new(clock.clone()))
                .with_protocol_versions(versions)
                .map_err(CredentialError::Tls)?
                .with_webpki_verifier(servers)
                .with_client_auth_cert(chain.clone(), private())
                .map_err(CredentialError::Tls)?;
        client.resumption = Resumption::in_memory_sessions(MAX_SESSIONS);
        let mut server = ServerConfig::builder_with_details(provider, Arc::new(clock.clone()))
            .with_protocol_versions(versions)
            .map_err(CredentialError::Tls)?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, private())
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

/// As a client would.
fn verify(
    verifier: &dyn ServerCertVerifier,
    chain: &[CertificateDer<'_>],
    identity: &Identity,
    clock: &Clock,
) -> Result<(), rustls::Error> {
    let name = server_name(identity).ok_or(rustls::Error::EncryptError)?;
    let since_epoch = clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(since_epoch);
    let (leaf, rest) = chain
        .split_first()
        .ok_or(rustls::Error::NoCertificatesPresented)?;
    verifier.verify_server_cert(leaf, rest, &name, &[], now)?;
    Ok(())
}

/// What a client asks for in its ClientHello, to reach this identity.
pub(crate) fn server_name(identity: &Identity) -> Option<ServerName<'static>> {
    ServerName::try_from(identity.dns_name()).ok()
}

/// TLS 1.3 between our own kind: what is quick where there are instructions for AES comes first.
static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.cipher_suites = vec![
        cipher_suite::TLS13_AES_128_GCM_SHA256,
        cipher_suite::TLS13_AES_256_GCM_SHA384,
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ];
    provider.kx_groups = vec![
        kx_group::X25519MLKEM768,
        kx_group::X25519,
        kx_group::SECP256R1,
    ];
    Arc::new(provider)
});

#[cfg(test)]
mod tests;
