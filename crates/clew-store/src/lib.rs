//! clew-store
