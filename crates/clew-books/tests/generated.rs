//! The committed code of the `ratings` service is what its proto file says. No `protoc` is needed,
//! neither here nor in a build. To bring it up to date: `UPDATE=1 cargo test -p clew-books`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

#[test]
fn committed_code_is_what_the_proto_file_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = tempfile::tempdir().unwrap();
    let descriptors = protox::compile(["ratings.proto"], [root.join("proto")]).unwrap();
    tonic_prost_build::configure()
        .emit_rerun_if_changed(false)
        .build_transport(false)
        .out_dir(out.path())
        .compile_fds(descriptors)
        .unwrap();
    let fresh = std::fs::read_to_string(out.path().join("books.ratings.v1.rs")).unwrap();
    let committed = root.join("src/generated/books.ratings.v1.rs");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&committed, &fresh).unwrap();
    }
    assert!(
        fresh == std::fs::read_to_string(&committed).unwrap_or_default(),
        "{} is not what proto/ratings.proto says: run UPDATE=1 cargo test -p clew-books",
        committed.display()
    );
}
