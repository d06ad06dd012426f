//! Whose signatures are believed.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fmt;
use std::sync::Arc;

/// Roots that certificates of the mesh are checked against. While roots change, it holds the old one and the new one.
#[derive(Clone, PartialEq, Eq)]
pub struct TrustBundle {
    roots: Vec<CertificateDer<'static>>,
}

/// Why a bundle cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It is no PEM, or something in it is no certificate.
    #[error("the trust bundle holds what is no certificate")]
    Malformed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is nothing in it.
    #[error("the trust bundle holds no certificate")]
    Empty,
    /// More than is sensible.
    #[error("the trust bundle holds more than {MAX_ROOTS} certificates")]
    TooMany,
}

/// More roots than this are a mistake, and each is tried in each handshake.
const MAX_ROOTS: usize = 32;

impl TrustBundle {
    /// Reads certificates in PEM. Other things between them are passed over.
    pub fn from_pem(pem: &[u8]) -> Result<Self, BundleError> {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let roots = read.map_err(|error| BundleError::Malformed(error.into()))?;
        Self::new(roots)
    }

    pub(crate) fn new(roots: Vec<CertificateDer<'static>>) -> Result<Self, BundleError> {
        match roots.len() {
            0 => return Err(BundleError::Empty),
            1..=MAX_ROOTS => {}
            _ => return Err(BundleError::TooMany),
        }
        let bundle = Self { roots };
        bundle.store()?;
        Ok(bundle)
    }

    /// These roots and those of the other one.
    pub fn and(&self, other: &Self) -> Result<Self, BundleError> {
        let mut roots = self.roots.clone();
        roots.extend(
            other
                .roots
                .iter()
                .filter(|root| !self.roots.contains(root))
                .cloned(),
        );
        Self::new(roots)
    }

    /// In PEM.
    pub fn to_pem(&self) -> String {
        self.roots
            .iter()
            .map(|root| pem("CERTIFICATE", root))
            .collect()
    }

    /// The number of roots.
    #[expect(clippy::len_without_is_empty, reason = "there is at least one")]
    pub fn len(&self) -> usize {
        self.roots.len()
    }

    pub(crate) fn store(&self) -> Result<Arc<RootCertStore>, BundleError> {
        let mut store = RootCertStore::empty();
        for root in &self.roots {
            let added = store.add(root.clone());
            added.map_err(|error| BundleError::Malformed(error.into()))?;
        }
        Ok(Arc::new(store))
    }
}

impl fmt::Debug for TrustBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustBundle({} roots)", self.roots.len())
    }
}

/// DER in PEM.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    pem::encode(&pem::Pem::new(label, der))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::Issuer;
    use std::time::SystemTime;

    #[test]
    fn it_is_written_and_read_in_pem_and_holds_each_root_once() {
        let one = Issuer::generate("cluster.local", SystemTime::now()).unwrap();
        let two = Issuer::generate("cluster.local", SystemTime::now()).unwrap();
        let both = one.bundle().and(two.bundle()).unwrap();
        assert_eq!(
            TrustBundle::from_pem(both.to_pem().as_bytes()).unwrap(),
            both
        );
        assert_eq!(both.and(two.bundle()).unwrap(), both);
    }

    #[test]
    fn what_holds_no_certificate_is_refused() {
        assert!(matches!(
            TrustBundle::from_pem(b"nothing"),
            Err(BundleError::Empty)
        ));
        let broken = pem("CERTIFICATE", b"not DER");
        assert!(matches!(
            TrustBundle::from_pem(broken.as_bytes()),
            Err(BundleError::Malformed(_))
        ));
    }
}
