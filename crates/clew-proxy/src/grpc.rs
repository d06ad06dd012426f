//! The status codes of gRPC (`doc/statuscodes.md` and `doc/http-grpc-status-mapping.md` of its specification).

/// What a code that is none of the seventeen means, and one that is missing.
pub(crate) const UNKNOWN: u16 = 2;

const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The code, if it is one of the seventeen.
pub(crate) fn known(status: u16) -> u16 {
    if usize::from(status) < NAMES.len() {
        status
    } else {
        UNKNOWN
    }
}

/// Its name.
pub(crate) fn name(status: u16) -> &'static str {
    NAMES[usize::from(known(status))]
}

/// The server's failure, and not the caller's: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE
/// and DATA_LOSS (OpenTelemetry's semantic conventions for gRPC, SERVER spans).
pub(crate) fn is_server_error(status: u16) -> bool {
    matches!(status, 2 | 4 | 12 | 13 | 14 | 15)
}

/// What clients make of an answer that has only a status of HTTP.
pub(crate) fn of_http(status: u16) -> u16 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => UNKNOWN,
    }
}
