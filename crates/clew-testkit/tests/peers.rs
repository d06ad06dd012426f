//! Clew's programs with real peers: curl, h2load, Flask and requests, asynchronous Python, WebSockets, Node, Go, Java,
//! Ruby, PHP, the OpenTelemetry SDKs, py_zipkin, grpcio, Envoy, Prometheus, nginx.
//!
//! Every test has a mesh of its own, in processes, as a user would start it; what it claims is read with the
//! commands that users read. The peers are in `tests/peers/` of the repository and know nothing of Clew.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod peers {
    mod access;
    mod authz;
    mod books;
    mod clew_proxy;
    mod copy_headers;
    mod crowd;
    mod curl;
    mod demo;
    mod envoy;
    mod events;
    mod faults;
    mod flask;
    mod golden;
    mod grpc;
    mod h2load;
    mod ipv6;
    mod large;
    mod log_level;
    mod logs;
    mod myths;
    mod node;
    mod prometheus;
    mod propagation;
    mod reload;
    mod run;
    mod sdk;
    mod smuggling;
    mod tls;
    mod top;
    mod up;
    mod websocket;
    mod zipkin;
}
