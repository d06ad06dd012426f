//! `make myths`: what the README claims of it.

use clew_testkit::programs::{clew, command, python, stderr, stdout};
use std::path::Path;

#[tokio::test]
async fn the_four_myths_are_answered() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/myths");
    // Asked to end it ends what it started, and it takes half a minute: longer than other programs of the tests may.
    let mut myths = command("timeout");
    myths.args(["--kill-after=20", "140"]).arg(python());
    myths.arg(script).arg(clew());
    let output = myths.output().await.unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
    assert!(stdout(&output).contains("Four myths, four answers"));
}
