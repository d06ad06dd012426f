//! clew-control
