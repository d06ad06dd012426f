//! Who is at the other end, by the certificate that it has shown.

use clew_model::identity::Identity;
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// Why a certificate names nobody of the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// There is none.
    #[error("the peer has shown no certificate")]
    None,
    /// It cannot be read.
    #[error("the peer's certificate cannot be read")]
    Malformed,
    /// It has no identity, or more than one.
    #[error("the peer's certificate does not name one identity")]
    Nameless,
}

/// The identity in the certificate that a peer has shown, which TLS has verified.
pub fn peer_identity(shown: Option<&[CertificateDer<'_>]>) -> Result<Identity, PeerError> {
    let leaf = shown.and_then(<[_]>::first).ok_or(PeerError::None)?;
    let (_, leaf) = X509Certificate::from_der(leaf).map_err(|_| PeerError::Malformed)?;
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
