//! The control role: who is in the mesh, which services there are and where, how their requests are
//! classed, and what proxies report.
//!
//! It keeps everything in memory, and on disk at most changed settings ([`ControlConfig::kept_settings`]): members join again by themselves when control is
//! restarted, and go on with what they know until then. It sees no request of an application.
//!
//! One table of members, [`mesh`], publishes a whole [`snapshot`] after each change. Every open stream
//! follows the snapshots at its own pace and sends what is different from what it sent before ([`stream`]):
//! a slow reader holds up nobody and costs no memory, and changes that come faster than it reads become one.
//!
//! Start reading at [`Control::bind`], then [`services`].

mod access;
mod authority;
mod bound;
mod config;
mod kept;
mod mesh;
#[cfg(test)]
mod sample;
mod services;
mod snapshot;
mod stream;

pub use access::AccessTable;
pub use authority::AuthorityConfig;
pub use bound::{AccessHandle, BoundControl, Control, ControlError};
pub use config::{ControlConfig, DeclaredService, Limits};
