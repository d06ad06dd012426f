use super::*;
use crate::issuer::Issuer;
use clew_model::name::Workload;
use rustls::HandshakeKind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

const DOMAIN: &str = "cluster.local";
const HOUR: Duration = Duration::from_secs(3600);

/// A clock that the test sets, in seconds from its start.
#[derive(Clone, Default)]
struct Set(Arc<AtomicU64>);

impl Set {
    fn clock(&self) -> Clock {
        let seconds = Arc::clone(&self.0);
        Clock::new(move || start() + Duration::from_secs(seconds.load(Ordering::Relaxed)))
    }

    fn to(&self, after: Duration) {
        self.0.store(after.as_secs(), Ordering::Relaxed);
    }
}

fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn identity(name: &str) -> Identity {
    Identity::new(DOMAIN, &Workload::new(name, "default")).unwrap()
}

fn credentials(issuer: &Issuer, bundle: &TrustBundle, name: &str, clock: &Clock) -> Credentials {
    let (key, identity) = (WorkloadKey::generate().unwrap(), identity(name));
    let request = key.request(&identity).unwrap();
    let issued = issuer
        .issue(&request, &identity, clock.now(), HOUR)
        .unwrap();
    Credentials::new(&key, &identity, &issued, bundle, clock).unwrap()
}

/// What both ends know of each other after a handshake.
#[derive(Debug, PartialEq)]
struct Met {
    client: Identity,
    server: Identity,
    resumed: bool,
}

/// A handshake of `client` with `server`, whom it takes for `name`, and one message in each direction, which brings the
/// ticket for the next one.
fn meet(asks: &Credentials, answers: &Credentials, name: &str) -> Result<Met, rustls::Error> {
    let (client, server) = (asks, answers);
    let mut client = client.connect(&identity(name)).unwrap();
    let mut server = server.accept().unwrap();
    while client.is_handshaking() || server.is_handshaking() || server.wants_write() {
        let mut sent = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut sent).unwrap();
        }
        let mut rest = &sent[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets()?;
        }
        let mut sent = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut sent).unwrap();
        }
        let mut rest = &sent[..];
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
    }
    let resumed = |kind| kind == Some(HandshakeKind::Resumed);
    assert_eq!(
        resumed(client.handshake_kind()),
        resumed(server.handshake_kind())
    );
    Ok(Met {
        client: answers.peer(&server).map_err(general)?,
        server: asks.peer(&client).map_err(general)?,
        resumed: resumed(client.handshake_kind()),
    })
}

fn general(error: PeerError) -> rustls::Error {
    rustls::Error::General(error.to_string())
}

fn met(client: &str, server: &str, resumed: bool) -> Met {
    Met {
        client: identity(client),
        server: identity(server),
        resumed,
    }
}

#[test]
fn both_ends_know_whom_they_meet_and_sessions_resume() {
    let clock = Set::default().clock();
    let issuer = Issuer::generate(DOMAIN, clock.now()).unwrap();
    let webapp = credentials(&issuer, issuer.bundle(), "webapp", &clock);
    let books = credentials(&issuer, issuer.bundle(), "books", &clock);
    assert_eq!(
        meet(&webapp, &books, "books"),
        Ok(met("webapp", "books", false))
    );
    assert_eq!(
        meet(&webapp, &books, "books"),
        Ok(met("webapp", "books", true))
    );
}

#[test]
fn new_credentials_on_either_side_resume_nothing() {
    let clock = Set::default().clock();
    let issuer = Issuer::generate(DOMAIN, clock.now()).unwrap();
    let webapp = credentials(&issuer, issuer.bundle(), "webapp", &clock);
    let books = credentials(&issuer, issuer.bundle(), "books", &clock);
    meet(&webapp, &books, "books").unwrap();
    let renewed = credentials(&issuer, issuer.bundle(), "books", &clock);
    assert_eq!(
        meet(&webapp, &renewed, "books"),
        Ok(met("webapp", "books", false))
    );
    let renewed = credentials(&issuer, issuer.bundle(), "webapp", &clock);
    assert_eq!(
        meet(&renewed, &books, "books"),
        Ok(met("webapp", "books", false))
    );
}

#[test]
fn whoever_is_someone_else_is_not_believed() {
    let clock = Set::default().clock();
    let issuer = Issuer::generate(DOMAIN, clock.now()).unwrap();
    let webapp = credentials(&issuer, issuer.bundle(), "webapp", &clock);
    let authors = credentials(&issuer, issuer.bundle(), "authors", &clock);
    let refused = meet(&webapp, &authors, "books").unwrap_err();
    assert!(
        matches!(refused, rustls::Error::InvalidCertificate(_)),
        "{refused}"
    );

    let other = Issuer::generate(DOMAIN, clock.now()).unwrap();
    let forged = credentials(&other, other.bundle(), "books", &clock);
    let refused = meet(&webapp, &forged, "books").unwrap_err();
    assert!(
        matches!(refused, rustls::Error::InvalidCertificate(_)),
        "{refused}"
    );
    // Nor as a client, though it believes the server.
    let forged = {
        let both = other.bundle().and(issuer.bundle()).unwrap();
        credentials(&other, &both, "books", &clock)
    };
    let refused = meet(&forged, &webapp, "webapp").unwrap_err();
    assert!(
        matches!(refused, rustls::Error::InvalidCertificate(_)),
        "{refused}"
    );
}

#[test]
fn a_certificate_is_believed_until_its_end_and_not_resumed_past_it() {
    let time = Set::default();
    let clock = time.clock();
    let issuer = Issuer::generate(DOMAIN, clock.now()).unwrap();
    let webapp = credentials(&issuer, issuer.bundle(), "webapp", &clock);
    let books = credentials(&issuer, issuer.bundle(), "books", &clock);
    time.to(HOUR - Duration::from_secs(1));
    for resumed in [false, true] {
        assert_eq!(
            meet(&webapp, &books, "books"),
            Ok(met("webapp", "books", resumed))
        );
    }
    // Nobody could renew: TLS would go on with the session.
    time.to(HOUR + Duration::from_secs(1));
    let expired = general(PeerError::Expired);
    assert_eq!(meet(&webapp, &books, "books"), Err(expired));
    // The server was renewed, the client was not: it has a session with the old one only.
    time.to(HOUR + Duration::from_secs(1));
    let renewed = credentials(&issuer, issuer.bundle(), "books", &clock);
    assert!(meet(&webapp, &renewed, "books").is_err());
    // The client was renewed, the server was not.
    let renewed = credentials(&issuer, issuer.bundle(), "webapp", &clock);
    assert!(meet(&renewed, &books, "books").is_err());
}

#[test]
fn roots_change_without_a_moment_in_which_someone_is_not_believed() {
    let clock = Set::default().clock();
    let old = Issuer::generate(DOMAIN, clock.now()).unwrap();
    let new = Issuer::generate(DOMAIN, clock.now()).unwrap();
    let both = old.bundle().and(new.bundle()).unwrap();
    assert_eq!(both.len(), 2);
    // First all learn of the new root, then it signs, and last the old one goes.
    let stages = [
        (&old, old.bundle()),
        (&old, &both),
        (&new, &both),
        (&new, new.bundle()),
    ];
    for pair in stages.windows(2) {
        for (client, server) in [(pair[0], pair[1]), (pair[1], pair[0])] {
            let webapp = credentials(client.0, client.1, "webapp", &clock);
            let books = credentials(server.0, server.1, "books", &clock);
            assert_eq!(
                meet(&webapp, &books, "books"),
                Ok(met("webapp", "books", false))
            );
        }
    }
}

#[test]
fn renewal_comes_between_60_and_70_percent_of_a_life() {
    let clock = Set::default().clock();
    let issuer = Issuer::generate(DOMAIN, clock.now()).unwrap();
    let books = credentials(&issuer, issuer.bundle(), "books", &clock);
    let Validity {
        not_before,
        not_after,
    } = books.validity();
    let life = not_after.duration_since(not_before).unwrap();
    assert_eq!(books.renew_at(0.0), not_before + life.mul_f64(0.7));
    assert_eq!(books.renew_at(1.0), not_before + life.mul_f64(0.7 - 0.1));
}

#[test]
fn credentials_that_others_would_refuse_are_none() {
    let time = Set::default();
    let clock = time.clock();
    let issuer = Issuer::generate(DOMAIN, clock.now()).unwrap();
    let key = WorkloadKey::generate().unwrap();
    let request = key.request(&identity("books")).unwrap();
    let issued = issuer
        .issue(&request, &identity("books"), clock.now(), HOUR)
        .unwrap();
    let made = |key: &WorkloadKey, name: &str, bundle: &TrustBundle| {
        Credentials::new(key, &identity(name), &issued, bundle, &clock).map(|_| ())
    };
    made(&key, "books", issuer.bundle()).unwrap();
    assert!(matches!(
        made(&key, "webapp", issuer.bundle()),
        Err(CredentialError::OfAnother(of)) if of == identity("books")
    ));
    let other = Issuer::generate(DOMAIN, clock.now()).unwrap();
    assert!(matches!(
        made(&key, "books", other.bundle()),
        Err(CredentialError::Verify(VerifyError::Untrusted(_)))
    ));
    let other_key = WorkloadKey::generate().unwrap();
    assert!(matches!(
        made(&other_key, "books", issuer.bundle()),
        Err(CredentialError::Tls(_))
    ));
    time.to(HOUR * 2);
    assert!(matches!(
        made(&key, "books", issuer.bundle()),
        Err(CredentialError::Certificate(PeerError::Expired))
    ));
}
