//! The wire: protobuf services and their conversions to the model, the scrape format, and the JSON
//! shapes of the API.

pub mod prometheus;
pub mod rest;
