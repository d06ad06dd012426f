//! How certificates are checked, and the cryptography that all of TLS has.

use crate::bundle::{BundleError, TrustBundle};
use crate::clock::Clock;
use clew_model::identity::Identity;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{cipher_suite, kx_group};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::{Arc, LazyLock};
use std::time::UNIX_EPOCH;

/// A certificate is not believed.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Whom to believe is not known.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Verification cannot be set up.
    #[error("verification cannot be set up")]
    Verifier(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// By the trust bundle, or by the time.
    #[error("the certificate is not believed")]
    Untrusted(#[source] rustls::Error),
}

/// What checks servers against a bundle.
pub(crate) fn of_servers(bundle: &TrustBundle) -> Result<Arc<WebPkiServerVerifier>, VerifyError> {
    let provider = Arc::clone(&PROVIDER);
    let verifier = WebPkiServerVerifier::builder_with_provider(bundle.store()?, provider).build();
    verifier.map_err(|error| VerifyError::Verifier(error.into()))
}

/// Checks a chain as a client of `identity` would.
pub(crate) fn verify(
    verifier: &dyn ServerCertVerifier,
    chain: &[CertificateDer<'_>],
    identity: &Identity,
    clock: &Clock,
) -> Result<(), VerifyError> {
    let since_epoch = clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(since_epoch);
    let checked = match (chain.split_first(), server_name(identity)) {
        (Some((leaf, rest)), Some(name)) => {
            verifier.verify_server_cert(leaf, rest, &name, &[], now)
        }
        _ => Err(rustls::Error::NoCertificatesPresented),
    };
    checked.map(drop).map_err(VerifyError::Untrusted)
}

/// What a client asks for in its ClientHello, to reach this identity.
pub(crate) fn server_name(identity: &Identity) -> Option<ServerName<'static>> {
    ServerName::try_from(identity.dns_name()).ok()
}

/// TLS 1.3 between our own kind: what is quick where there are instructions for AES comes first.
pub(crate) static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
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
