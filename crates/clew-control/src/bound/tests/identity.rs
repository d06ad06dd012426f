//! Members that prove who they are.

use super::{Running, config, in_time, instance, join, next};
use crate::authority::AuthorityConfig;
use crate::config::ControlConfig;
use clew_api::client::{CallError, ControlClient, Instance, TokenSource, Trust};
use clew_identity::{
    Clock, Credentials, Issued, Issuer, TokenKey, TrustBundle, Validity, WorkloadKey,
};
use clew_model::identity::Identity;
use clew_model::name::Workload;
use clew_model::service::EndpointUpdate;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const DOMAIN: &str = "cluster.local";

/// A control that gives identities, and the key of its tokens.
struct Authority {
    control: Running,
    tokens: TokenKey,
    issuer: Arc<Issuer>,
}

impl Authority {
    fn start() -> Self {
        let issuer = Arc::new(Issuer::generate(DOMAIN, SystemTime::now()).unwrap());
        let tokens = TokenKey::generate().unwrap();
        let authority = AuthorityConfig::new(Arc::clone(&issuer), tokens.clone());
        let control = Running::with(ControlConfig {
            authority: Some(authority),
            ..config()
        });
        Self {
            control,
            tokens,
            issuer,
        }
    }

    /// A client of a workload, with a token of another one, or its own.
    fn client(&self, workload: &str, token_of: &str) -> ControlClient {
        let (tokens, identity) = (self.tokens.clone(), identity(token_of));
        let life = Duration::from_secs(60);
        let token = move || Ok(tokens.mint(&identity, SystemTime::now(), life));
        self.control
            .client(workload)
            .with_token(TokenSource::new(token))
    }
}

fn identity(workload: &str) -> Identity {
    Identity::new(DOMAIN, &Workload::new(workload, "default")).unwrap()
}

fn refusal<T: std::fmt::Debug>(result: Result<T, CallError>) -> String {
    match result {
        Err(CallError::Refused { mistakes }) => mistakes.join("; "),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_member_gets_a_certificate_that_others_believe_and_is_found_by_its_identity() {
    let authority = Authority::start();
    let books = authority.client("books", "books");
    let trust = next(&mut books.watch_trust()).await;
    assert_eq!(
        trust,
        Trust {
            trust_domain: DOMAIN.to_owned(),
            roots: authority.issuer.bundle().to_pem()
        }
    );

    let key = WorkloadKey::generate().unwrap();
    let request = key.request(&identity("books")).unwrap();
    let certified = in_time(books.certify(&identity("books"), request))
        .await
        .unwrap();
    let day = Duration::from_secs(24 * 3600);
    let life = certified
        .not_after
        .duration_since(SystemTime::now())
        .unwrap();
    assert!(
        life <= day && life > day - Duration::from_secs(60),
        "{life:?}"
    );
    let issued = Issued {
        leaf: certified.leaf,
        intermediates: certified.intermediates,
        validity: Validity {
            not_before: SystemTime::now(),
            not_after: certified.not_after,
        },
    };
    let bundle = TrustBundle::from_pem(trust.roots.as_bytes()).unwrap();
    Credentials::new(
        &key,
        &identity("books"),
        &issued,
        &bundle,
        &Clock::default(),
    )
    .unwrap();

    let member = Instance {
        identity: Some(identity("books")),
        ..instance("books-1", 7002)
    };
    let _membership = join(&books, member).await;
    let path = Arc::from("books.default.svc.cluster.local");
    let EndpointUpdate::Reset(endpoints) = next(&mut books.watch_endpoints(path)).await else {
        panic!("not the first word")
    };
    assert_eq!(endpoints[0].identity, Some(identity("books")));
    authority.control.stop().await;
}

#[tokio::test]
async fn nobody_is_certified_or_joins_as_another_workload() {
    let authority = Authority::start();
    let request = |name| {
        WorkloadKey::generate()
            .unwrap()
            .request(&identity(name))
            .unwrap()
    };
    let evil = authority.client("books", "webapp");
    let certified = in_time(evil.certify(&identity("books"), request("books"))).await;
    assert_eq!(
        refusal(certified),
        "the token is that of spiffe://cluster.local/ns/default/sa/webapp, and not of \
         spiffe://cluster.local/ns/default/sa/books"
    );
    // Nor by a request that names another one than the token does.
    let certified = in_time(evil.certify(&identity("webapp"), request("books"))).await;
    assert!(refusal(certified).starts_with("the certificate signing request asks for "));

    let tokenless = authority.control.client("books");
    let certified = in_time(tokenless.certify(&identity("books"), request("books"))).await;
    assert_eq!(refusal(certified), "the token was not made by this control");

    // Who may not join is tried again for ever, and is never in.
    let mut members = tokenless.watch_instances();
    assert_eq!(next(&mut members).await, Vec::new());
    let mut as_another = evil.join(instance("books-1", 7002));
    let mut without_token = tokenless.join(instance("books-2", 7003));
    let books = authority.client("books", "books");
    let mut answers_as_another = books.join(Instance {
        identity: Some(identity("webapp")),
        ..instance("books-4", 7005)
    });
    let mut as_itself = books.join(instance("books-3", 7004));
    tokio::select! {
        _ = next(&mut as_another) => panic!("joined as another"),
        _ = next(&mut answers_as_another) => panic!("answers as another"),
        _ = next(&mut without_token) => panic!("joined without a token"),
        () = next(&mut as_itself) => {}
    }
    let ids: Vec<_> = next(&mut members)
        .await
        .iter()
        .map(|member| member.id.to_string())
        .collect();
    assert_eq!(ids, ["books-3"]);

    let left = in_time(evil.leave("books-3".into())).await;
    assert_eq!(refusal(left), "books-3 is another workload's");
    in_time(books.leave("books-3".into())).await.unwrap();
    authority.control.stop().await;
}

#[tokio::test]
async fn a_mesh_without_identities_says_so() {
    let control = Running::start();
    let client = control.client("books");
    let request = WorkloadKey::generate()
        .unwrap()
        .request(&identity("books"))
        .unwrap();
    let certified = in_time(client.certify(&identity("books"), request)).await;
    assert_eq!(refusal(certified), "this mesh has no identities");
    control.stop().await;
}

#[tokio::test]
async fn who_asks_who_may_call_is_told_the_trust_domain() {
    let authority = Authority::start();
    let client = authority.client("observe", "observe");
    let table = client.load_access().await.unwrap();
    assert_eq!(table.trust_domain.as_deref(), Some(DOMAIN));
    authority.control.stop().await;
}
