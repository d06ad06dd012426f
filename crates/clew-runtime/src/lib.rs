//! clew-runtime
