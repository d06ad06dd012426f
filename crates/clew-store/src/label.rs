//! Names of labels that questions can filter and group by.

use std::fmt;

macro_rules! labels {
    ($($(#[$doc:meta])* $label:ident = $text:literal,)*) => {
        /// A label of the metric families. Series may carry others; questions are asked about these.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Label {
            $($(#[$doc])* $label,)*
        }

        impl Label {
            /// All labels.
            pub const ALL: &'static [Self] = &[$(Self::$label,)*];

            /// The label's name, as the proxies expose it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$label => $text,)*
                }
            }

            /// The label of this name, if it is one of these.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$label),)*
                    _ => None,
                }
            }
        }
    };
}

labels! {
    /// Workload whose proxy reports.
    Workload = "workload",
    /// Namespace of that workload.
    Namespace = "namespace",
    /// Instance whose proxy reports. Attached when it is scraped.
    Instance = "instance",
    /// `inbound` or `outbound`.
    Direction = "direction",
    /// Workload that made the request (inbound).
    ClientWorkload = "client_workload",
    /// Its namespace.
    ClientNamespace = "client_namespace",
    /// Its verified identity.
    ClientId = "client_id",
    /// Service that was addressed.
    DstService = "dst_service",
    /// Route that was called, of what a request calls. `Route` is then what was asked of the caller.
    DstRoute = "dst_route",
    /// Workload that served the request (outbound).
    DstWorkload = "dst_workload",
    /// Its namespace.
    DstNamespace = "dst_namespace",
    /// Its verified identity.
    ServerId = "server_id",
    /// Route.
    Route = "route",
    /// State of TLS between the proxies.
    Tls = "tls",
    /// HTTP status of the response. Not on `request_total` and `response_latency_ms`.
    StatusCode = "status_code",
    /// gRPC status of the response. Not on `request_total`.
    GrpcStatus = "grpc_status",
    /// `success`, `failure` or `cancelled`. Not on `request_total`.
    Classification = "classification",
    /// Reason of a failure. Not on `request_total`.
    Error = "error",
    /// Other side of a TCP connection.
    Peer = "peer",
    /// Phase of proxy time.
    Phase = "phase",
    /// What a request shows of the trace context that its application was given.
    Evidence = "evidence",
    /// Whether an application is `busy` or `idle`.
    State = "state",
    /// What became of a span or of an attempt.
    Outcome = "outcome",
    /// Family whose series were dropped.
    Family = "family",
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
