//! Conversions between the wire and the model, both ways.
//!
//! Discovery and policy speak the Linkerd proxy API, which says more than our model does. What we read and
//! do not apply is never dropped in silence: it comes back as [`Ignored`] beside the value, so that the
//! reader can log it. What the API has no field for is carried where its text is ours to choose:
//!
//! | ours | theirs |
//! |---|---|
//! | name of a service | metadata `Resource { group: "core", kind: "Service", name, namespace, port }`; on a `Server`, labels `kind`, `name`, `namespace` |
//! | a configured route | metadata `Resource { group: "policy.clew", kind: "Route", name }` |
//! | a grant that asks for something of the request | a route with the metadata `Resource { group: "policy.clew", kind: "Access", name }` and that one authorization |
//! | statuses that are failures | `section` of that metadata: `failure-statuses=404,500-599` |
//! | a template, `/books/{id}` | an anchored regular expression with a named group per placeholder (see [`template`]) |
//! | the route of everything else | metadata `default`, so that a Linkerd proxy has one to fall back on; never a rule of ours |
//! | workload and instance of an endpoint | `metric_labels`: `workload`, `namespace`, `instance` |

mod access;
pub mod access_table;
pub mod destination;
mod error;
pub mod inbound;
pub mod outbound;
mod route;
pub mod telemetry;
pub mod template;

pub use error::{ConversionError, Decoded, Ignored};

use clew_model::name::{Namespace, Workload};
use std::sync::Arc;
use std::time::Duration;

/// What detection is given where a policy does not say.
const DETECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Metadata group of what control itself defines.
const OWN_GROUP: &str = "policy.clew";

/// What control says of something that a proxy asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolution<T> {
    /// It is in the mesh.
    Known(T),
    /// Control does not know it: it is outside of the mesh.
    Unknown,
}

/// Who asks: the proxy's namespace, and its workload or instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Short names are names of this namespace.
    pub namespace: Namespace,
    /// Name of the workload, or of the instance (on Kubernetes, the pod).
    pub name: Arc<str>,
}

impl Caller {
    /// `namespace:name`, which is what our proxies send.
    pub fn token(workload: &Workload) -> String {
        format!("{}:{}", workload.namespace, workload.name)
    }

    /// Reads `namespace:name`, and the JSON that Linkerd's injector writes (`{"ns":"...","pod":"..."}`).
    pub fn parse(token: &str) -> Result<Self, ConversionError> {
        /// The token of a Linkerd proxy.
        #[derive(serde::Deserialize)]
        struct Injected {
            ns: String,
            #[serde(alias = "external_workload")]
            pod: String,
        }
        let refused = || ConversionError::invalid("workload", token, "namespace:name");
        if token.starts_with('{') {
            let read: Injected = serde_json::from_str(token).map_err(|_| refused())?;
            return Ok(Self {
                namespace: Namespace::new(read.ns),
                name: read.pod.into(),
            });
        }
        match token.split_once(':') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => Ok(Self {
                namespace: namespace.into(),
                name: name.into(),
            }),
            _ => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests;
