//! Who a workload is, as its certificate says it.

use crate::name::Workload;
use std::fmt;
use std::sync::Arc;

/// Identity of a workload: a SPIFFE id of the form `spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT`. On one machine the account
/// is the workload; on Kubernetes it is the service account. Cloning is a reference count.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(Arc<str>);

/// Why a text is no identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityError {
    /// It does not have the form `spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT`.
    Form(String),
    /// One of its parts has characters that a name in a certificate cannot have, or too many.
    Part(String),
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(text) => write!(
                f,
                "{text:?} is no identity: it is to be spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT"
            ),
            Self::Part(part) => write!(
                f,
                "{part:?} cannot be part of an identity: that takes 1 to {MAX_PART} letters, digits, '-', '_' and '.', \
                 of which the first and the last are letters or digits"
            ),
        }
    }
}

impl std::error::Error for IdentityError {}

/// What Kubernetes allows a name to be, and a label of DNS.
const MAX_PART: usize = 63;
/// A whole name in DNS (RFC 1035).
const MAX_DOMAIN: usize = 253;

impl Identity {
    /// The identity of a workload in a trust domain.
    pub fn new(trust_domain: &str, workload: &Workload) -> Result<Self, IdentityError> {
        let (namespace, account) = (workload.namespace.as_str(), workload.name.as_str());
        for part in [namespace, account] {
            if !is_part(part, MAX_PART) {
                return Err(IdentityError::Part(part.to_owned()));
            }
        }
        if !is_part(trust_domain, MAX_DOMAIN) || trust_domain.contains(char::is_uppercase) {
            return Err(IdentityError::Part(trust_domain.to_owned()));
        }
        Ok(Self(
            format!("spiffe://{trust_domain}/ns/{namespace}/sa/{account}").into(),
        ))
    }

    /// Reads the text of an identity.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let Some((trust_domain, workload)) = parts(text) else {
            return Err(IdentityError::Form(text.to_owned()));
        };
        Self::new(trust_domain, &workload)
    }

    /// The text: `spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domain within which it means something.
    pub fn trust_domain(&self) -> &str {
        parts(&self.0).map_or("", |(trust_domain, _)| trust_domain)
    }

    /// The workload that it is, by its account.
    pub fn workload(&self) -> Option<Workload> {
        parts(&self.0).map(|(_, workload)| workload)
    }

    /// The name of the same in the form of DNS, which goes into the ClientHello and which Linkerd's API needs:
    /// `ACCOUNT.NAMESPACE.serviceaccount.identity.clew.TRUST-DOMAIN`, lower case.
    pub fn dns_name(&self) -> String {
        let (trust_domain, workload) = parts(&self.0).unwrap_or(("", Workload::new("", "")));
        let Workload { name, namespace } = workload;
        format!("{name}.{namespace}.serviceaccount.identity.clew.{trust_domain}")
            .to_ascii_lowercase()
    }
}

/// Trust domain and workload.
fn parts(text: &str) -> Option<(&str, Workload)> {
    let mut parts = text.strip_prefix("spiffe://")?.split('/');
    let (trust_domain, ns, namespace) = (parts.next()?, parts.next()?, parts.next()?);
    let (sa, account) = (parts.next()?, parts.next()?);
    let is_whole = ns == "ns" && sa == "sa" && parts.next().is_none();
    is_whole.then(|| (trust_domain, Workload::new(account, namespace)))
}

fn is_part(text: &str, most: usize) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let ends = [text.bytes().next(), text.bytes().next_back()];
    text.len() <= most
        && text.bytes().all(is_inner)
        && !text.contains("..")
        && ends
            .iter()
            .all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric()))
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_is_a_spiffe_id_and_has_a_name_in_the_form_of_dns() {
        let books = Identity::new("cluster.local", &Workload::new("Books", "shop")).unwrap();
        assert_eq!(books.as_str(), "spiffe://cluster.local/ns/shop/sa/Books");
        assert_eq!(books.trust_domain(), "cluster.local");
        assert_eq!(books.workload(), Some(Workload::new("Books", "shop")));
        assert_eq!(
            books.dns_name(),
            "books.shop.serviceaccount.identity.clew.cluster.local"
        );
        assert_eq!(Identity::parse(books.as_str()), Ok(books));
    }

    #[test]
    fn what_would_be_another_ones_name_is_refused() {
        for name in [
            "",
            "a/sa/b",
            "a b",
            "-a",
            "a.",
            "a..b",
            "ä",
            &"a".repeat(64),
        ] {
            let refused = Identity::new("cluster.local", &Workload::new(name, "shop"));
            assert_eq!(refused, Err(IdentityError::Part(name.to_owned())), "{name}");
        }
        assert!(Identity::new("Cluster.local", &Workload::new("a", "b")).is_err());
        for text in [
            "",
            "books",
            "spiffe://d/ns/a/sa",
            "spiffe://d/ns/a/sa/b/c",
            "https://d/ns/a/sa/b",
        ] {
            assert_eq!(
                Identity::parse(text),
                Err(IdentityError::Form(text.to_owned()))
            );
        }
    }

    proptest! {
        #[test]
        fn what_can_be_read_is_written_the_same(text in "spiffe://[a-zA-Z./]{0,9}/ns/[a-z./_-]{0,5}/sa/[a-z./]{0,5}") {
            if let Ok(identity) = Identity::parse(&text) {
                prop_assert_eq!(identity.as_str(), text);
            }
        }
    }
}
