//! Zipkin's span in protobuf (openzipkin/zipkin-api, zipkin.proto). Seven messages are not worth a generator.

use std::collections::BTreeMap;

/// What is posted.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListOfSpans {
    /// In any order.
    #[prost(message, repeated, tag = "1")]
    pub spans: Vec<Span>,
}

/// One span. Times are microseconds; 0 is not said.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Span {
    /// 16 bytes, or 8.
    #[prost(bytes = "vec", tag = "1")]
    pub trace_id: Vec<u8>,
    /// 8 bytes; empty for a root.
    #[prost(bytes = "vec", tag = "2")]
    pub parent_id: Vec<u8>,
    /// 8 bytes.
    #[prost(bytes = "vec", tag = "3")]
    pub id: Vec<u8>,
    /// [`Kind`].
    #[prost(enumeration = "Kind", tag = "4")]
    pub kind: i32,
    /// Usually the method, in lower case.
    #[prost(string, tag = "5")]
    pub name: String,
    /// Its start.
    #[prost(fixed64, tag = "6")]
    pub timestamp: u64,
    /// Its length.
    #[prost(uint64, tag = "7")]
    pub duration: u64,
    /// Who wrote it.
    #[prost(message, optional, tag = "8")]
    pub local_endpoint: Option<Endpoint>,
    /// The other side.
    #[prost(message, optional, tag = "9")]
    pub remote_endpoint: Option<Endpoint>,
    /// What happened while it was open.
    #[prost(message, repeated, tag = "10")]
    pub annotations: Vec<Annotation>,
    /// Anything else.
    #[prost(btree_map = "string, string", tag = "11")]
    pub tags: BTreeMap<String, String>,
    /// Someone asked for this trace, whatever the sampling.
    #[prost(bool, tag = "12")]
    pub debug: bool,
    /// Another tracer began the span that has this id.
    #[prost(bool, tag = "13")]
    pub shared: bool,
}

/// Part of a span in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Kind {
    /// Inside one program.
    Unspecified = 0,
    /// The side that asks.
    Client = 1,
    /// The side that answers.
    Server = 2,
    /// Sends a message.
    Producer = 3,
    /// Takes one.
    Consumer = 4,
}

/// One side of a request.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Endpoint {
    /// Its service, in lower case.
    #[prost(string, tag = "1")]
    pub service_name: String,
    /// 4 bytes, or none.
    #[prost(bytes = "vec", tag = "2")]
    pub ipv4: Vec<u8>,
    /// 16 bytes, or none.
    #[prost(bytes = "vec", tag = "3")]
    pub ipv6: Vec<u8>,
    /// 0 when it is not known.
    #[prost(int32, tag = "4")]
    pub port: i32,
}

/// Something that happened at one moment.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Annotation {
    /// When, in microseconds.
    #[prost(fixed64, tag = "1")]
    pub timestamp: u64,
    /// What.
    #[prost(string, tag = "2")]
    pub value: String,
}
