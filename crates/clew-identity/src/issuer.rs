//! The authority that signs certificates of workloads.

use crate::bundle::{BundleError, TrustBundle, pem};
use crate::certificate::{Issued, NameError, Validity, names};
use crate::clock::Clock;
use crate::key::{KeyError, WorkloadKey};
use crate::verify::{VerifyError, of_servers, verify};
use clew_model::identity::{Identity, IdentityError};
use clew_model::name::Workload;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, DnType,
    DnValue, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer};
use std::time::{Duration, SystemTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// Signs certificates of workloads with a key whose own certificate leads to a root.
#[derive(Debug)]
pub struct Issuer {
    trust_domain: String,
    signer: rcgen::Issuer<'static, KeyPair>,
    key: String,
    /// Its own certificate, and those between it and the root. The root is not among them, where it signs by itself.
    chain: Vec<CertificateDer<'static>>,
    own: CertificateDer<'static>,
    bundle: TrustBundle,
    not_after: SystemTime,
}

/// Why there is no issuer, or no certificate of it.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// Keys or certificates cannot be made, or not be read.
    #[error("{what}")]
    Certificate {
        /// What was to be done.
        what: &'static str,
        /// Why it cannot.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The certificate is not that of an authority.
    #[error("the issuer's certificate is none of an authority: it may not sign others")]
    NoAuthority,
    /// Key and certificate belong to different pairs.
    #[error("the issuer's key is not that of its certificate")]
    OtherKey,
    /// What it signs is believed by nobody.
    #[error("what the issuer signs does not lead to a root of the trust bundle")]
    Untrusted(#[source] VerifyError),
    /// The trust bundle is none.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The name cannot be in a certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The same.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is no key to try it with.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The request for a certificate is none.
    #[error("the certificate signing request cannot be read")]
    Request(#[source] rcgen::Error),
    /// The request asks for another name.
    #[error("the certificate signing request asks for {asked}, and not for {identity}")]
    OtherName {
        /// What the request asks for.
        asked: String,
        /// Who asks.
        identity: Identity,
    },
    /// The issuer's own certificate is over.
    #[error("the issuer's own certificate has expired")]
    Expired,
}

fn failed<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    what: &'static str,
) -> impl FnOnce(E) -> IssuerError {
    move |source| IssuerError::Certificate {
        what,
        source: source.into(),
    }
}

/// How long a root that was made here is good: for longer than anyone leaves a machine alone.
const ROOT_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// Clocks of machines may differ by so much: certificates are good from before they were made.
const SKEW: Duration = Duration::from_secs(60);

impl Issuer {
    /// A new authority that is its own root.
    pub fn generate(trust_domain: &str, now: SystemTime) -> Result<Self, IssuerError> {
        let key = KeyPair::generate().map_err(failed("no key can be made"))?;
        let mut params = CertificateParams::default();
        params.not_before = (now - SKEW).into();
        params.not_after = (now + ROOT_LIFE).into();
        params.serial_number = Some(serial()?);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = rcgen::DistinguishedName::new();
        let name = format!("Clew root of {trust_domain}");
        params
            .distinguished_name
            .push(DnType::CommonName, DnValue::Utf8String(name));
        let key_pem = key.serialize_pem();
        let root = CertifiedIssuer::self_signed(params, key)
            .map_err(failed("no root certificate can be made"))?;
        Self::from_pem(trust_domain, root.pem().as_bytes(), &key_pem, None, now)
    }

    /// An authority from its certificate (and those between it and the root, in this order) and its key in PKCS #8, in
    /// PEM. Without roots, its own certificate is the root.
    pub fn from_pem(
        trust_domain: &str,
        chain: &[u8],
        key: &str,
        roots: Option<&TrustBundle>,
        now: SystemTime,
    ) -> Result<Self, IssuerError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let mut chain = chain.map_err(failed("the issuer's certificate is no PEM"))?;
        let own = chain.first().cloned().ok_or(IssuerError::NoAuthority)?;
        let key_pair = KeyPair::from_pem(key).map_err(failed("the issuer's key cannot be read"))?;
        let (_, parsed) = X509Certificate::from_der(&own)
            .map_err(failed("the issuer's certificate cannot be read"))?;
        if !parsed.is_ca() {
            return Err(IssuerError::NoAuthority);
        }
        if *parsed.public_key().subject_public_key.data != *key_pair.public_key_raw() {
            return Err(IssuerError::OtherKey);
        }
        let not_after = SystemTime::UNIX_EPOCH
            + Duration::from_secs(
                parsed
                    .validity()
                    .not_after
                    .timestamp()
                    .max(0)
                    .unsigned_abs(),
            );
        let bundle = match roots {
            Some(roots) => roots.clone(),
            None => TrustBundle::new(vec![own.clone()])?,
        };
        if roots.is_none() {
            // Whoever believes it has it.
            chain.clear();
        }
        let signer = rcgen::Issuer::from_ca_cert_der(&own, key_pair)
            .map_err(failed("the issuer's certificate cannot be used"))?;
        let issuer = Self {
            trust_domain: trust_domain.to_owned(),
            signer,
            key: key.to_owned(),
            chain,
            own,
            bundle,
            not_after,
        };
        issuer.prove(now)?;
        Ok(issuer)
    }

    /// A certificate of it is what it will be: it is said here if nobody would believe it, and not by every proxy later.
    fn prove(&self, now: SystemTime) -> Result<(), IssuerError> {
        let identity = Identity::new(&self.trust_domain, &Workload::new("probe", "clew"))?;
        let request = WorkloadKey::generate()?.request(&identity)?;
        let issued = self.issue(&request, &identity, now, Duration::from_secs(60))?;
        let clock = Clock::new(move || now);
        let verified = of_servers(&self.bundle)
            .and_then(|verifier| verify(&*verifier, &issued.chain(), &identity, &clock));
        verified.map_err(IssuerError::Untrusted)
    }

    /// Signs a certificate for a workload that has proven to be `identity`. Of the request, which is PEM or DER, only the
    /// public key counts; names in it must be the identity's own.
    pub fn issue(
        &self,
        request: &[u8],
        identity: &Identity,
        now: SystemTime,
        life: Duration,
    ) -> Result<Issued, IssuerError> {
        if now >= self.not_after {
            return Err(IssuerError::Expired);
        }
        let der = match CertificateSigningRequestDer::from_pem_slice(request) {
            Ok(der) => der,
            Err(_) => CertificateSigningRequestDer::from(request),
        };
        let asked =
            CertificateSigningRequestParams::from_der(&der).map_err(IssuerError::Request)?;
        let (uri, dns) = names(identity)?;
        let asks_for_another = |name: &&SanType| **name != uri && **name != dns;
        if let Some(name) = asked.params.subject_alt_names.iter().find(asks_for_another) {
            return Err(IssuerError::OtherName {
                asked: said(name),
                identity: identity.clone(),
            });
        }
        let validity = Validity {
            not_before: now - SKEW,
            not_after: (now + life).min(self.not_after),
        };
        let mut params = CertificateParams::default();
        params.not_before = validity.not_before.into();
        params.not_after = validity.not_after.into();
        params.serial_number = Some(serial()?);
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(workload) = identity.workload() {
            let name = DnValue::Utf8String(workload.name.as_str().to_owned());
            params.distinguished_name.push(DnType::CommonName, name);
        }
        params.subject_alt_names = vec![uri, dns];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.use_authority_key_identifier_extension = true;
        let leaf = params
            .signed_by(&asked.public_key, &self.signer)
            .map_err(failed("no certificate can be signed"))?;
        Ok(Issued {
            leaf: leaf.der().to_vec(),
            intermediates: self.chain.iter().map(|der| der.to_vec()).collect(),
            validity,
        })
    }

    /// The domain whose names it signs.
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }

    /// The roots that lead to it.
    pub fn bundle(&self) -> &TrustBundle {
        &self.bundle
    }

    /// When its own certificate ends, and with it every one that it signs.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// Its own certificate and its key, in PEM, for whoever keeps it.
    pub fn to_pem(&self) -> (String, &str) {
        (pem("CERTIFICATE", &self.own), &self.key)
    }
}

fn said(name: &SanType) -> String {
    match name {
        SanType::DnsName(name) | SanType::URI(name) | SanType::Rfc822Name(name) => {
            name.as_str().to_owned()
        }
        other => format!("{other:?}"),
    }
}

/// Random: 16 bytes, of which the first bit is 0, so that it is positive.
fn serial() -> Result<SerialNumber, IssuerError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(failed("the system gives no random bytes"))?;
    bytes[0] &= 0x7f;
    Ok(SerialNumber::from_slice(&bytes))
}

#[cfg(test)]
mod tests;
