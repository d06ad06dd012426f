//! The key of a workload.

use crate::certificate::{NameError, names};
use clew_model::identity::Identity;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fmt;

/// The key of a workload. It never leaves the process.
pub struct WorkloadKey(KeyPair);

/// There is no key, or no request for a certificate.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be made.
    #[error("no key can be made")]
    Make(#[from] rcgen::Error),
    /// The name cannot be in a certificate.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl WorkloadKey {
    /// A new one (ECDSA P-256).
    pub fn generate() -> Result<Self, KeyError> {
        Ok(Self(KeyPair::generate()?))
    }

    /// A request to have it certified, in DER.
    pub fn request(&self, identity: &Identity) -> Result<Vec<u8>, KeyError> {
        let (uri, dns) = names(identity)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.subject_alt_names = vec![uri, dns];
        let request = params.serialize_request(&self.0)?;
        Ok(request.der().to_vec())
    }

    /// In PKCS #8, for TLS.
    pub(crate) fn private(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.0.serialize_der()).into()
    }
}

impl fmt::Debug for WorkloadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkloadKey")
    }
}
