//! clew-books
