//! The keys of a mesh on this machine: its authority, and what tokens are signed with. One file of the user's for each address
//! of an API, which nobody else may read. The next mesh there goes on with them, so that whoever was in the last one
//! joins it; `clew run` takes from it what proves who its workload is.

use super::record::file_of;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clew_api::client::TokenSource;
use clew_control::AuthorityConfig;
use clew_identity::{Clock, Issuer, IssuerError, KEY_BYTES, TokenKey};
use clew_model::identity::{Identity, IdentityError};
use clew_model::name::Workload;
use clew_proxy::config::IdentityConfig;
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The domain of all identities of a mesh on one machine: what Kubernetes calls its cluster, too.
pub(crate) const TRUST_DOMAIN: &str = "cluster.local";
/// A token is used at once; it is made anew each time.
const TOKEN_LIFE: Duration = Duration::from_secs(300);

/// The keys of a mesh.
#[derive(Clone)]
pub(crate) struct Keys {
    issuer: Arc<Issuer>,
    token_key: [u8; KEY_BYTES],
    /// Who may call while control has not said it: everyone, or nobody.
    open_at_first: bool,
}

/// What is in the file.
#[derive(Serialize, Deserialize)]
struct Kept {
    trust_domain: String,
    /// PEM.
    certificate: String,
    /// PEM.
    key: String,
    /// Base64.
    tokens: String,
    /// The mesh denies what nobody has allowed.
    #[serde(default)]
    denies: bool,
}

/// There are no keys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    /// None can be made.
    #[error("keys for the mesh cannot be made")]
    Make(#[source] Option<Box<IssuerError>>),
    /// They cannot be read or kept.
    #[error("cannot {operation} {}", path.display())]
    File {
        operation: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The file holds none.
    #[error("{} does not hold the keys of a mesh; without it, the next `clew up` makes new ones", path.display())]
    Content {
        path: PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Keys {
    /// New ones.
    pub(crate) fn generate() -> Result<Self, KeysError> {
        let issuer = Issuer::generate(TRUST_DOMAIN, SystemTime::now());
        let issuer = issuer.map_err(|error| KeysError::Make(Some(Box::new(error))))?;
        Ok(Self {
            issuer: Arc::new(issuer),
            token_key: TokenKey::random_bytes().ok_or(KeysError::Make(None))?,
            open_at_first: true,
        })
    }

    /// Those of the mesh whose API is, or was, at this address; `None` where there was none.
    pub(crate) fn read(dir: &Path, api: SocketAddr) -> Result<Option<Self>, KeysError> {
        let path = file_of(dir, api, "keys");
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|source| KeysError::File {
                operation: "read",
                path: path.clone(),
                source,
            })?,
        };
        let kept = Self::of(&text);
        kept.map(Some)
            .map_err(|source| KeysError::Content { path, source })
    }

    fn of(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let kept: Kept = serde_json::from_str(text)?;
        let (certificate, now) = (kept.certificate.as_bytes(), SystemTime::now());
        let issuer = Issuer::from_pem(&kept.trust_domain, certificate, &kept.key, None, now)?;
        let token_key: [u8; KEY_BYTES] = STANDARD
            .decode(&kept.tokens)?
            .try_into()
            .map_err(|_| "the key of tokens has another length")?;
        Ok(Self {
            issuer: Arc::new(issuer),
            token_key,
            open_at_first: !kept.denies,
        })
    }

    /// The same in a mesh that denies what nobody has allowed, or does not: what proxies go by that start from now on, as
    /// long as control has not said it.
    pub(crate) fn in_a_mesh_that_denies(self, denies: bool) -> Self {
        Self {
            open_at_first: !denies,
            ..self
        }
    }

    /// Keeps them for commands of this user, and for the next mesh at this address.
    pub(crate) fn keep(&self, dir: &Path, api: SocketAddr) -> Result<(), KeysError> {
        let path = file_of(dir, api, "keys");
        let draft = path.with_extension(format!("{}.keys.new", std::process::id()));
        let failed = |source| KeysError::File {
            operation: "write",
            path: path.clone(),
            source,
        };
        let (certificate, key) = self.issuer.to_pem();
        let kept = Kept {
            trust_domain: self.issuer.trust_domain().to_owned(),
            certificate,
            key: key.to_owned(),
            tokens: STANDARD.encode(self.token_key),
            denies: !self.open_at_first,
        };
        let text = serde_json::to_string(&kept).map_err(|error| failed(error.into()))?;
        std::fs::create_dir_all(dir).map_err(failed)?;
        // One that was left behind may be somebody else's, or readable.
        let _ = std::fs::remove_file(&draft);
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(failed)?;
        std::fs::rename(&draft, &path).map_err(failed)
    }

    /// What control gives identities with.
    pub(crate) fn authority(&self) -> AuthorityConfig {
        AuthorityConfig::new(Arc::clone(&self.issuer), self.tokens())
    }

    /// A token of a workload.
    pub(crate) fn token(
        &self,
        workload: &Workload,
        life: Duration,
    ) -> Result<String, IdentityError> {
        let identity = Identity::new(self.issuer.trust_domain(), workload)?;
        Ok(self.tokens().mint(&identity, SystemTime::now(), life))
    }

    /// What the proxy of a workload proves who it is with.
    pub(crate) fn identity(&self, workload: &Workload) -> Result<IdentityConfig, IdentityError> {
        let identity = Identity::new(self.issuer.trust_domain(), workload)?;
        let (tokens, of) = (self.tokens(), identity.clone());
        let token = move || Ok(tokens.mint(&of, SystemTime::now(), TOKEN_LIFE));
        Ok(IdentityConfig {
            identity,
            open_at_first: self.open_at_first,
            token: TokenSource::new(token),
            clock: Clock::default(),
        })
    }

    fn tokens(&self) -> TokenKey {
        TokenKey::from_bytes(&self.token_key)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn api() -> SocketAddr {
        ([127, 0, 0, 1], 8084).into()
    }

    #[test]
    fn the_next_mesh_goes_on_with_them_and_nobody_else_reads_them() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Keys::read(dir.path(), api()).unwrap().is_none());
        let keys = Keys::generate().unwrap();
        keys.keep(dir.path(), api()).unwrap();
        keys.keep(dir.path(), api()).unwrap();
        let file = file_of(dir.path(), api(), "keys");
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read = Keys::read(dir.path(), api()).unwrap().unwrap();
        assert_eq!(read.issuer.bundle(), keys.issuer.bundle());
        assert_eq!(read.token_key, keys.token_key);
        let files = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(files, 1, "drafts are left behind");
    }

    /// Whoever joins goes by it until control has spoken.
    #[test]
    fn that_a_mesh_denies_is_kept_as_long_as_it_does() {
        let dir = tempfile::tempdir().unwrap();
        for denies in [true, false] {
            let keys = Keys::generate().unwrap().in_a_mesh_that_denies(denies);
            keys.keep(dir.path(), api()).unwrap();
            let read = Keys::read(dir.path(), api()).unwrap().unwrap();
            let books = Workload::new("books", "default");
            assert_eq!(read.identity(&books).unwrap().open_at_first, !denies);
        }
    }

    #[test]
    fn a_file_that_holds_none_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = file_of(dir.path(), api(), "keys");
        for text in [
            "",
            "{}",
            r#"{"trust_domain":"a","certificate":"","key":"","tokens":""}"#,
        ] {
            std::fs::write(&file, text).unwrap();
            let error = Keys::read(dir.path(), api()).unwrap_err();
            assert!(
                error.to_string().starts_with(file.to_str().unwrap()),
                "{error}"
            );
        }
    }
}
