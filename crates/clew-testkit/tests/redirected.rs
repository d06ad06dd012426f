//! Redirected mode: each instance in a network namespace of its own, as in a pod. Applications make plain
//! connections to plain addresses; the kernel hands them to the proxy.
//!
//! Needs root, ip and nft; `make test` says so where they are missing.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod redirected {
    mod network;
    mod plain;
    mod rules;
}
