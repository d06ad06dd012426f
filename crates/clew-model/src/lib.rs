//! The nouns of Clew: names, services, endpoints, routes, policies and settings, as pure values, and
//! the decisions that need nothing but those values.
//!
//! No I/O, no clock, no async, no generated types: what comes over the wire is converted to these at
//! the edge (`clew-api`). Start reading at [`name`], then [`policy`].

pub mod identity;
pub mod learn;
pub mod name;
pub mod policy;
pub mod service;
pub mod telemetry;
