//! The committed code of `src/gen` is what `proto/` says.
//!
//! It is committed so that a build needs neither `protoc` nor the generator. After a change to a proto file:
//! `UPDATE=1 cargo test -p clew-api --test generated`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;

const PROTOS: [&str; 5] = [
    "clew/access/v1/access.proto",
    "clew/identity/v1/identity.proto",
    "clew/registry/v1/registry.proto",
    "clew/telemetry/v1/telemetry.proto",
    "clew/tap/v1/tap.proto",
];
const GENERATED: [&str; 5] = [
    "clew.access.v1.rs",
    "clew.identity.v1.rs",
    "clew.registry.v1.rs",
    "clew.telemetry.v1.rs",
    "clew.tap.v1.rs",
];

#[test]
fn committed_code_is_what_the_proto_files_say() {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let proto_root = crate_root.join("proto");
    let fresh = tempfile::tempdir().unwrap();
    let descriptors = protox::compile(PROTOS.map(|file| proto_root.join(file)), [&proto_root])
        .expect("the proto files are valid");
    tonic_prost_build::configure()
        .out_dir(fresh.path())
        .build_transport(false)
        .compile_fds(descriptors)
        .expect("the generator can write its files");

    for name in GENERATED {
        let wanted = fs::read_to_string(fresh.path().join(name)).expect("a file for every package");
        let committed = crate_root.join("src/gen").join(name);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&committed, &wanted).unwrap();
        }
        let held = fs::read_to_string(&committed).unwrap_or_default();
        assert!(
            held == wanted,
            "src/gen/{name} is stale: run UPDATE=1 cargo test -p clew-api --test generated"
        );
    }
}
