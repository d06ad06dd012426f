//! The API over a real store that was filled by its writing side.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod check;
mod compare;
mod description;
mod log_level;
mod mesh;
mod metrics;
mod series;
mod settings;
mod spans;
mod tap;
mod time;
mod traffic;
