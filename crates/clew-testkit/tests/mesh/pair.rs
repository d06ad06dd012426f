//! The mesh that most claims are made of.

pub(crate) use clew_testkit::pair::{CANCELLED, FAILURE, Pair, SUCCESS};
