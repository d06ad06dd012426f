//! Names. Each kind is a type of its own, so that a swap does not compile.

use std::fmt;
use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Takes the text as it is; cloning is a reference count.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
    };
}

name! {
    /// Name of a workload: a set of identical instances.
    WorkloadName
}
name! {
    /// Namespace of workloads and services. On one machine it is `default` unless it is set.
    Namespace
}
name! {
    /// Name that clients address; resolves to endpoints.
    ServiceName
}
name! {
    /// Name of one running copy of a workload, unique in the mesh.
    InstanceId
}
name! {
    /// Name of a route as metrics, spans and the CLI show it: a configured route's name, a gRPC
    /// method, or a learned template such as `GET /books/{id}`.
    RouteName
}

/// A workload in its namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Workload {
    /// The workload's name.
    pub name: WorkloadName,
    /// The namespace that it lives in.
    pub namespace: Namespace,
}

impl Workload {
    /// A workload by name and namespace.
    pub fn new(name: impl Into<Arc<str>>, namespace: impl Into<Arc<str>>) -> Self {
        Self {
            name: WorkloadName::new(name),
            namespace: Namespace::new(namespace),
        }
    }
}

impl fmt::Display for Workload {
    /// `name.namespace`, the form used in the `clew-client` header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.name, self.namespace)
    }
}
