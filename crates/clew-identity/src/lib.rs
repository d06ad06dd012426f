//! Who is who: keys, names and certificates of workloads, and the one place that builds TLS configurations.
//!
//! ```text
//! token      control -> who it started          "this is books of default"          token.rs
//! key, CSR   the proxy makes them, the key never leaves it                          key.rs
//! Certify    proxy -> control: token, CSR       -> a certificate for some hours      issuer.rs
//! TLS        proxy <-> proxy: TLS 1.3, both show their certificate                  credentials.rs, peer.rs
//! ```
//!
//! There are no lists of revoked certificates: they are short-lived, and whoever cannot prove again who it is gets no other.
//! Nothing else in the workspace knows X.509.

mod bundle;
mod certificate;
mod clock;
mod credentials;
mod issuer;
mod key;
mod peer;
mod token;
mod verify;

pub use bundle::{BundleError, TrustBundle};
pub use certificate::{Issued, NameError, Validity};
pub use clock::Clock;
pub use credentials::{CredentialError, Credentials};
pub use issuer::{Issuer, IssuerError};
pub use key::{KeyError, WorkloadKey};
pub use peer::PeerError;
pub use token::{KEY_BYTES, TokenError, TokenKey};
pub use verify::VerifyError;
