//! The API over a real store that was filled by its writing side.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod authz;
mod check;
mod compare;
mod description;
mod live;
mod log_level;
mod mesh;
mod mesh_state;
mod metrics;
mod route_sources;
mod series;
mod settings;
mod spans;
mod tap;
mod time;
mod traffic;
mod who_may_call;
