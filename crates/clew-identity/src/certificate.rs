//! Certificates of workloads, as they are issued.

use clew_model::identity::Identity;
use rcgen::SanType;
use rustls::pki_types::CertificateDer;
use std::time::SystemTime;

/// From when to when a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// From here.
    pub not_before: SystemTime,
    /// To here.
    pub not_after: SystemTime,
}

/// A certificate that was issued.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Of the workload, in DER.
    pub leaf: Vec<u8>,
    /// Those between it and a root of the trust bundle, in DER, the one that signed the leaf first.
    pub intermediates: Vec<Vec<u8>>,
    /// When it is good.
    pub validity: Validity,
}

impl Issued {
    /// The leaf, then those above it.
    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        let all = std::iter::once(&self.leaf).chain(&self.intermediates);
        all.map(|der| CertificateDer::from(der.clone())).collect()
    }
}

/// An identity cannot be written into a certificate.
#[derive(Debug, thiserror::Error)]
#[error("{identity} cannot be written into a certificate")]
pub struct NameError {
    identity: Identity,
    #[source]
    source: rcgen::Error,
}

/// The names of an identity in a certificate: as a URI, and in the form of DNS.
pub(crate) fn names(identity: &Identity) -> Result<(SanType, SanType), NameError> {
    let failed = |source| NameError {
        identity: identity.clone(),
        source,
    };
    let uri = identity.as_str().try_into().map_err(failed)?;
    let dns = identity.dns_name().as_str().try_into().map_err(failed)?;
    Ok((SanType::URI(uri), SanType::DnsName(dns)))
}
