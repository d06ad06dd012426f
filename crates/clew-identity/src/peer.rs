//! Who is at the other end, by the certificate that it has shown.

use clew_model::identity::Identity;
use rustls::pki_types::CertificateDer;
use std::time::{SystemTime, UNIX_EPOCH};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

/// Why a certificate names nobody of the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// There is none.
    #[error("the peer has shown no certificate")]
    None,
    /// It cannot be read.
    #[error("the peer's certificate cannot be read")]
    Malformed,
    /// It is not good at this time. TLS looks at that in a full handshake only, and not in one that resumes a session.
    #[error("the peer's certificate has expired, or is not good yet")]
    Expired,
    /// It has no identity, or more than one.
    #[error("the peer's certificate does not name one identity")]
    Nameless,
}

/// The identity in the certificate that a peer has shown, which TLS has verified, if it is good now.
pub(crate) fn peer_identity(
    shown: Option<&[CertificateDer<'_>]>,
    now: SystemTime,
) -> Result<Identity, PeerError> {
    let leaf = shown.and_then(<[_]>::first).ok_or(PeerError::None)?;
    let (_, leaf) = X509Certificate::from_der(leaf).map_err(|_| PeerError::Malformed)?;
    let seconds = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let now = ASN1Time::from_timestamp(seconds.try_into().unwrap_or(i64::MAX));
    if !now.is_ok_and(|now| leaf.validity().is_valid_at(now)) {
        return Err(PeerError::Expired);
    }
    let names = leaf
        .subject_alternative_name()
        .map_err(|_| PeerError::Malformed)?
        .ok_or(PeerError::Nameless)?;
    let mut uris = names
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        });
    // SPIFFE: one URI, no more.
    match (uris.next(), uris.next()) {
        (Some(uri), None) => Identity::parse(uri).map_err(|_| PeerError::Nameless),
        _ => Err(PeerError::Nameless),
    }
}
