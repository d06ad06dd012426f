use super::*;
use std::time::UNIX_EPOCH;

const DOMAIN: &str = "cluster.local";
const HOUR: Duration = Duration::from_secs(3600);

fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn books() -> Identity {
    Identity::new(DOMAIN, &Workload::new("books", "default")).unwrap()
}

fn request(identity: &Identity) -> Vec<u8> {
    WorkloadKey::generate().unwrap().request(identity).unwrap()
}

#[test]
fn a_certificate_is_good_for_its_time_and_names_the_workload_twice() {
    let issuer = Issuer::generate(DOMAIN, noon()).unwrap();
    let issued = issuer
        .issue(&request(&books()), &books(), noon(), HOUR)
        .unwrap();
    assert_eq!(issued.validity.not_before, noon() - SKEW);
    assert_eq!(issued.validity.not_after, noon() + HOUR);
    assert!(issued.intermediates.is_empty());
    let (_, leaf) = X509Certificate::from_der(&issued.leaf).unwrap();
    let names = &leaf
        .subject_alternative_name()
        .unwrap()
        .unwrap()
        .value
        .general_names;
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "URI(spiffe://cluster.local/ns/default/sa/books)",
            "DNSName(books.default.serviceaccount.identity.clew.cluster.local)"
        ]
    );
    assert!(!leaf.is_ca());
}

#[test]
fn a_request_may_be_pem_and_names_in_it_are_the_workloads_own() {
    let issuer = Issuer::generate(DOMAIN, noon()).unwrap();
    let der = request(&books());
    let in_pem = pem("CERTIFICATE REQUEST", &der);
    issuer
        .issue(in_pem.as_bytes(), &books(), noon(), HOUR)
        .unwrap();
    let webapp = Identity::new(DOMAIN, &Workload::new("webapp", "default")).unwrap();
    let refused = issuer.issue(&der, &webapp, noon(), HOUR).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the certificate signing request asks for spiffe://cluster.local/ns/default/sa/books, and not for \
         spiffe://cluster.local/ns/default/sa/webapp"
    );
}

#[test]
fn a_request_that_was_tampered_with_is_refused() {
    let issuer = Issuer::generate(DOMAIN, noon()).unwrap();
    let good = request(&books());
    for place in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[place] ^= 0x55;
        assert!(
            issuer.issue(&bad, &books(), noon(), HOUR).is_err(),
            "at {place}"
        );
    }
    for bad in [&[][..], b"-----BEGIN CERTIFICATE REQUEST-----", &good[..40]] {
        assert!(issuer.issue(bad, &books(), noon(), HOUR).is_err());
    }
}

#[test]
fn it_can_be_kept_and_read_again() {
    let issuer = Issuer::generate(DOMAIN, noon()).unwrap();
    let (certificate, key) = issuer.to_pem();
    let again = Issuer::from_pem(DOMAIN, certificate.as_bytes(), key, None, noon()).unwrap();
    assert_eq!(again.bundle(), issuer.bundle());
    again
        .issue(&request(&books()), &books(), noon(), HOUR)
        .unwrap();
}

#[test]
fn no_certificate_outlives_the_issuers_own() {
    let issuer = Issuer::generate(DOMAIN, noon()).unwrap();
    let end = issuer.not_after();
    let issued = issuer
        .issue(&request(&books()), &books(), end - HOUR / 2, HOUR)
        .unwrap();
    assert_eq!(issued.validity.not_after, end);
    let refused = issuer.issue(&request(&books()), &books(), end, HOUR);
    assert!(matches!(refused, Err(IssuerError::Expired)));
}

/// A root that signs an issuer, as whoever has an authority already has it.
fn given(root_signs: bool) -> Result<Issuer, IssuerError> {
    let authority = |name: &str, below: u8| {
        let mut params = CertificateParams::default();
        params.not_before = (noon() - SKEW).into();
        params.not_after = (noon() + ROOT_LIFE).into();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let root =
        CertifiedIssuer::self_signed(authority("root", 1), KeyPair::generate().unwrap()).unwrap();
    let other =
        CertifiedIssuer::self_signed(authority("root", 1), KeyPair::generate().unwrap()).unwrap();
    let signs = if root_signs { &root } else { &other };
    let key = KeyPair::generate().unwrap();
    let key_pem = key.serialize_pem();
    let issuer = CertifiedIssuer::signed_by(authority("issuer", 0), key, signs).unwrap();
    let roots = TrustBundle::from_pem(root.pem().as_bytes()).unwrap();
    Issuer::from_pem(
        DOMAIN,
        issuer.pem().as_bytes(),
        &key_pem,
        Some(&roots),
        noon(),
    )
}

#[test]
fn a_given_issuer_sends_its_own_certificate_along() {
    let issuer = given(true).unwrap();
    let issued = issuer
        .issue(&request(&books()), &books(), noon(), HOUR)
        .unwrap();
    assert_eq!(issued.intermediates.len(), 1);
}

#[test]
fn what_nobody_would_believe_is_said_at_once() {
    assert!(matches!(given(false), Err(IssuerError::Untrusted(_))));
    let issuer = Issuer::generate(DOMAIN, noon()).unwrap();
    let (certificate, _) = issuer.to_pem();
    let other_key = KeyPair::generate().unwrap().serialize_pem();
    let read = |certificate: &str, key: &str| {
        Issuer::from_pem(DOMAIN, certificate.as_bytes(), key, None, noon()).map(|_| ())
    };
    assert!(matches!(
        read(&certificate, &other_key),
        Err(IssuerError::OtherKey)
    ));
    assert!(matches!(
        read("", &other_key),
        Err(IssuerError::NoAuthority)
    ));
    assert!(matches!(
        read(&certificate, "x"),
        Err(IssuerError::Certificate { .. })
    ));
    let issued = issuer
        .issue(&request(&books()), &books(), noon(), HOUR)
        .unwrap();
    let leaf = pem("CERTIFICATE", &issued.leaf);
    assert!(matches!(
        read(&leaf, &other_key),
        Err(IssuerError::NoAuthority)
    ));
}
