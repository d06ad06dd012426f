//! Claims about the data path, each seen on a real mesh.
//!
//! One binary, so that the mesh is linked once. Each module is about one property of the path.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod mesh {
    mod access;
    mod balance;
    mod bodies;
    mod cancel;
    mod chain;
    mod collectors;
    mod control;
    mod counting;
    mod drain;
    mod early;
    mod faults;
    mod gateway;
    mod grpc;
    mod grpc_frames;
    mod hostile;
    mod http1;
    mod http2;
    mod identity;
    mod malformed;
    mod observe;
    mod opaque;
    mod pair;
    mod propagation;
    mod proxying;
    mod reach;
    mod reuse;
    mod routes;
    mod smuggling;
    mod streams;
    mod tap;
    mod traces;
    mod upgrades;
    mod walk;
}
