//! What every long-running process of Clew needs once, and nothing that knows what the process does.
//!
//! - [`drain`]: how a process ends: open work finishes, then a deadline, then force.
//!
//! This crate knows no other crate of the workspace, no protocol and no role.

pub mod drain;
