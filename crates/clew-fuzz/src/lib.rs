//! What reads bytes of others, each with what must hold for any bytes: the targets of `make fuzz`.
//!
//! A target is a plain function, so that the tests replay the corpora of `fuzz/corpus/` with the stable compiler;
//! the fuzzer itself is in `fuzz/`, which is a workspace of its own. A target says whether it took the bytes for
//! what they might be: a corpus of which nothing is taken, or everything, tries one half of the code.
//!
//! It is no interface of anything. What a crate keeps private and lets be tried stands in its module `fuzzing`.
//!
//! Start reading at [`TARGETS`].

mod connection;
mod context;
mod files;
mod http1;
mod spans;

pub use connection::{detect, grpc_frame, gzip};
pub use context::{
    context_all, context_b3, context_b3multi, context_datadog, context_grpc_trace_bin,
    context_jaeger, context_w3c, context_xray,
};
pub use files::{compose, mesh_yaml, openapi, procfile, proto};
pub use http1::{http1_request, http1_response};
pub use spans::{otlp_json, otlp_protobuf, zipkin_json, zipkin_protobuf};

/// Something to try with any bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Name of the function, of its program in `fuzz/fuzz_targets/`, and of its corpus in `fuzz/corpus/`.
    pub name: &'static str,
    /// Tries the bytes, and panics where something does not hold. True: they were taken for what they might be.
    pub run: fn(&[u8]) -> bool,
}

macro_rules! targets {
    ($($name:ident),+ $(,)?) => {
        &[$(Target { name: stringify!($name), run: $name }),+]
    };
}

/// All of them.
pub const TARGETS: &[Target] = targets![
    detect,
    http1_request,
    http1_response,
    context_w3c,
    context_b3,
    context_b3multi,
    context_jaeger,
    context_datadog,
    context_xray,
    context_grpc_trace_bin,
    context_all,
    gzip,
    grpc_frame,
    otlp_protobuf,
    otlp_json,
    zipkin_protobuf,
    zipkin_json,
    mesh_yaml,
    compose,
    procfile,
    openapi,
    proto,
];
