//! clew-observe
