//! A release holds the dashboard as it was when this was built.

use std::path::Path;

fn main() {
    let built = Path::new("../../dashboard/dist");
    // Of what is not there cargo says each time that it has changed.
    let watched = if built.exists() {
        "../../dashboard/dist"
    } else {
        "../../dashboard"
    };
    println!("cargo:rerun-if-changed={watched}");
}
