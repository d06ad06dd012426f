//! What every long-running process of Clew needs once, and nothing that knows what the process does.
//!
//! - [`config`]: settings from YAML; all mistakes at once, documents from the same declarations.
//! - [`drain`]: how a process ends: open work finishes, then a deadline, then force.
//!
//! This crate knows no other crate of the workspace, no protocol and no role.

pub mod config;
pub mod drain;
