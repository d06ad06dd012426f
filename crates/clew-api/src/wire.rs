//! Generated types and services, as they are on the wire.
//!
//! Our own packages are generated from `proto/` and committed in `src/gen` (a test compares them); the
//! rest are other people's crates, named here so that nobody else has to depend on them.

#![allow(missing_docs, unreachable_pub, clippy::all)]

/// `clew.access.v1`: who may call what.
pub mod access {
    include!("gen/clew.access.v1.rs");
}

/// `clew.identity.v1`: whose signatures are believed.
pub mod identity {
    include!("gen/clew.identity.v1.rs");
}

/// `clew.registry.v1`: who is in the mesh.
pub mod registry {
    include!("gen/clew.registry.v1.rs");
}

/// `clew.telemetry.v1`: telemetry settings, and learned routes.
pub mod telemetry {
    include!("gen/clew.telemetry.v1.rs");
}

/// `clew.tap.v1`: live requests.
pub mod tap {
    include!("gen/clew.tap.v1.rs");
}

/// The Linkerd proxy API: discovery and policy.
pub use linkerd2_proxy_api as linkerd;
