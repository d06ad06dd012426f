//! The books application: a small, real application that the demo runs and the tests measure.
//!
//! It knows nothing of Clew and contains no tracing library. Four services, each a process of its own,
//! and a generator of traffic:
//!
//! ```text
//! traffic -> (gateway) -> webapp -> books -> authors
//!                           |  \--> authors
//!                           \-----> ratings   (gRPC)
//! ```
//!
//! What it does on purpose, so that there is something to find:
//!
//! | where | what |
//! |---|---|
//! | every call to `ratings` | slow: 15 to 30 ms, and every 25th 250 ms |
//! | `GET /search` of `books` | slow: 80 to 160 ms |
//! | `POST /books/{id}/edit` of `books` | every 50th fails with 500 |
//! | `GET /authors/{id}/books` of `webapp` | one call per book (N+1) |
//! | `GET /events` of `webapp`, `GET /books/stream` of `books` | server-sent events |
//! | ratings of every 17th book | gRPC status NOT_FOUND |
//!
//! Traces need no more of an application than what [`context`] does. Start reading there, then
//! [`webapp`].

pub mod authors;
pub mod books;
pub mod catalogue;
pub mod command;
pub mod context;
pub mod dependency;
pub mod failure;
pub mod pace;
pub mod ratings;
pub mod service;
pub mod traffic;
pub mod webapp;
