//! What can go wrong with a request, in bounded words: the same in metric, log, span and response header.

use http::StatusCode;

/// Who is to blame for a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The caller.
    Client,
    /// The server, or the way to it.
    Server,
    /// Clew itself: its configuration, its control plane or its limits.
    Mesh,
}

/// Why a request failed or was refused. Its text is a metric label: bounded, and never changed lightly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The caller closed, reset or went away before the end.
    ClientCancelled,
    /// The request could not be parsed, or breaks the protocol.
    MalformedRequest,
    /// The head of the request is larger than the limit.
    HeadTooLarge,
    /// The head of the request did not arrive in time.
    HeadTimeout,
    /// The policy does not admit this caller, or not with this request.
    NotAuthorized,
    /// The body of the request stopped to arrive.
    BodyTimeout,
    /// The client reset streams as fast as it opened them.
    ClientFlood,
    /// No Host, no `:authority`, and the listener does not say whom it is for.
    NoAuthority,
    /// The request came back to the proxy that sent it.
    Loop,
    /// The gateway has no route for this host and path.
    NoRoute,
    /// Control knows no such service, and the name does not resolve either.
    UnknownService,
    /// Control did not answer in time.
    DiscoveryTimeout,
    /// The service exists and has no endpoint.
    NoEndpoints,
    /// The endpoint refused the connection.
    ConnectRefused,
    /// The endpoint did not accept the connection in time.
    ConnectTimeout,
    /// The connection failed in another way.
    ConnectFailed,
    /// This proxy has no certificate, and the endpoint wants one.
    NoCertificate,
    /// The endpoint did not finish the TLS handshake, or refused it.
    TlsFailed,
    /// Who answered is not who should be there, or cannot prove it.
    WrongIdentity,
    /// The connection to the endpoint broke before its response was complete.
    ServerClosed,
    /// The server reset the stream.
    ServerReset,
    /// The response could not be parsed, or breaks the protocol.
    MalformedResponse,
    /// The proxy ended before the response did.
    Shutdown,
}

impl Reason {
    /// The label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientCancelled => "client_cancelled",
            Self::MalformedRequest => "malformed_request",
            Self::HeadTooLarge => "head_too_large",
            Self::HeadTimeout => "head_timeout",
            Self::NotAuthorized => "not_authorized",
            Self::BodyTimeout => "body_timeout",
            Self::ClientFlood => "client_flood",
            Self::NoAuthority => "no_authority",
            Self::Loop => "loop",
            Self::NoRoute => "no_route",
            Self::UnknownService => "unknown_service",
            Self::DiscoveryTimeout => "discovery_timeout",
            Self::NoEndpoints => "no_endpoints",
            Self::ConnectRefused => "connect_refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::ConnectFailed => "connect_failed",
            Self::NoCertificate => "no_certificate",
            Self::TlsFailed => "tls_failed",
            Self::WrongIdentity => "wrong_identity",
            Self::ServerClosed => "server_closed",
            Self::ServerReset => "server_reset",
            Self::MalformedResponse => "malformed_response",
            Self::Shutdown => "shutdown",
        }
    }

    /// Who is to blame.
    pub fn blame(self) -> Blame {
        match self {
            Self::ClientCancelled
            | Self::MalformedRequest
            | Self::HeadTooLarge
            | Self::HeadTimeout
            | Self::BodyTimeout
            | Self::NotAuthorized
            | Self::ClientFlood
            | Self::NoAuthority
            | Self::NoRoute
            | Self::UnknownService => Blame::Client,
            Self::NoEndpoints
            | Self::ConnectRefused
            | Self::ConnectTimeout
            | Self::ConnectFailed
            | Self::ServerClosed
            | Self::ServerReset
            | Self::MalformedResponse => Blame::Server,
            Self::NoCertificate
            | Self::TlsFailed
            | Self::WrongIdentity
            | Self::Loop
            | Self::DiscoveryTimeout
            | Self::Shutdown => Blame::Mesh,
        }
    }

    /// The server has seen nothing of the request, so that sending it again is safe.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::NoEndpoints
                | Self::ConnectRefused
                | Self::ConnectTimeout
                | Self::ConnectFailed
                | Self::TlsFailed
                | Self::WrongIdentity
        )
    }

    /// The same in words, for the caller.
    pub fn explain(self) -> &'static str {
        match self {
            Self::ClientCancelled => "the client gave up",
            Self::MalformedRequest => "the request is malformed",
            Self::HeadTooLarge => "the head of the request is too large",
            Self::HeadTimeout => "the head of the request did not arrive in time",
            Self::NotAuthorized => "who called may not do this here",
            Self::BodyTimeout => "the body of the request did not arrive in time",
            Self::ClientFlood => "the client gives requests up as fast as it makes them",
            Self::NoAuthority => "the request does not say which host it is for",
            Self::Loop => "the request would come back to the proxy that sent it",
            Self::NoRoute => "the gateway has no route for this host and path",
            Self::UnknownService => "no such service in the mesh, and the name does not resolve",
            Self::DiscoveryTimeout => "control did not say in time where the service is",
            Self::NoEndpoints => "the service has no endpoint",
            Self::ConnectRefused => "the endpoint refused the connection",
            Self::ConnectTimeout => "the endpoint did not accept the connection in time",
            Self::ConnectFailed => "the connection to the endpoint failed",
            Self::NoCertificate => "this proxy has no certificate yet to show the endpoint",
            Self::TlsFailed => "the TLS handshake with the endpoint failed",
            Self::WrongIdentity => "the endpoint could not prove to be the server",
            Self::ServerClosed => {
                "the server closed the connection before its response was complete"
            }
            Self::ServerReset => "the server reset the request",
            Self::MalformedResponse => "the server's response is malformed",
            Self::Shutdown => "the proxy is shutting down",
        }
    }

    /// What the caller is told, when its request is HTTP and nothing was sent yet.
    pub fn status(self) -> StatusCode {
        match self {
            Self::MalformedRequest | Self::NoAuthority => StatusCode::BAD_REQUEST,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::HeadTimeout | Self::BodyTimeout | Self::ClientCancelled => {
                StatusCode::REQUEST_TIMEOUT
            }
            Self::ClientFlood => StatusCode::TOO_MANY_REQUESTS,
            Self::NotAuthorized => StatusCode::FORBIDDEN,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Loop => StatusCode::LOOP_DETECTED,
            Self::NoEndpoints | Self::NoCertificate | Self::Shutdown => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::ConnectTimeout | Self::DiscoveryTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::UnknownService
            | Self::ConnectRefused
            | Self::ConnectFailed
            | Self::TlsFailed
            | Self::WrongIdentity
            | Self::ServerClosed
            | Self::ServerReset
            | Self::MalformedResponse => StatusCode::BAD_GATEWAY,
        }
    }

    /// The same for a gRPC caller: 14 UNAVAILABLE or 4 DEADLINE_EXCEEDED, else the nearest.
    pub fn grpc_status(self) -> u16 {
        match self {
            Self::ConnectTimeout | Self::DiscoveryTimeout => 4,
            Self::MalformedRequest | Self::HeadTooLarge | Self::NoAuthority => 13,
            Self::NotAuthorized => 7,
            Self::NoRoute => 12,
            Self::ClientCancelled => 1,
            _ => 14,
        }
    }
}
