//! clew-trace
