//! What every long-running process of Clew needs once, and nothing that knows what the process does.
//!
//! - [`config`]: settings from YAML; all mistakes at once, documents from the same declarations.
//! - [`drain`]: how a process ends: open work finishes, then a deadline, then force.
//! - [`signals`]: SIGTERM, SIGINT, SIGHUP and SIGQUIT start the drain, a second one forces it.
//! - [`tasks`]: tasks with names and an owner who joins them.
//! - [`listen`]: TCP listeners that say which port could not be had, and accept loops that survive a
//!   lack of file descriptors.
//! - [`logging`]: the log of a process; its level can change while it runs.
//! - [`buildinfo`]: the version.
//!
//! This crate knows no other crate of the workspace, no protocol and no role. Start reading at
//! [`drain`]: everything else that runs holds one of its watches.

pub mod buildinfo;
pub mod config;
pub mod drain;
pub mod listen;
pub mod logging;
pub mod signals;
pub mod tasks;
