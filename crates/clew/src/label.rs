//! The form of names that the user gives to meshes, workloads and services.

/// What a name has to look like; completes "expected ...".
pub(crate) const LABEL_FORM: &str =
    "a name of a-z, 0-9 and -, at most 63 characters, no - at its ends";

/// Whether a text is a DNS label (RFC 1123) in lower case, so that it can stand in a URL, in a metric's
/// label and, with `_` for `-`, in a variable's name.
pub(crate) fn is_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(plain)
        && !text.starts_with('-')
        && !text.ends_with('-')
}
