//! What was built.

/// The version of the workspace.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that was built, where the build was told (`CLEW_BUILD_COMMIT`).
///
/// Not asked of git by a build script: this crate is below all others, and every commit would build
/// the whole workspace anew.
pub const COMMIT: Option<&str> = option_env!("CLEW_BUILD_COMMIT");

/// Version and, where it is known, commit: `0.1.0 (4a17bd4)`.
pub fn version_text() -> String {
    match COMMIT {
        Some(commit) => format!("{VERSION} ({commit})"),
        None => VERSION.to_owned(),
    }
}
