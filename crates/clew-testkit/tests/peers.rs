//! Clew's programs with real peers: curl, h2load, Flask and requests, the OpenTelemetry SDK, grpcio.
//!
//! Every test has a mesh of its own, in processes, as a user would start it; what it claims is read with the
//! commands that users read. The peers are in `tests/peers/` of the repository and know nothing of Clew.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod peers {
    mod books;
    mod clew_proxy;
    mod curl;
    mod demo;
    mod flask;
    mod golden;
    mod grpc;
    mod h2load;
    mod logs;
    mod reload;
    mod run;
    mod sdk;
    mod top;
    mod up;
}
