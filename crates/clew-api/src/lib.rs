//! clew-api
