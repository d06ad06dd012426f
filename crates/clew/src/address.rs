//! Addresses of roles.

use http::Uri;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where the API is when nothing says otherwise.
pub(crate) const DEFAULT_API: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8084);

/// `http://` and the address.
pub(crate) fn uri(address: SocketAddr) -> Uri {
    let builder = Uri::builder()
        .scheme("http")
        .authority(address.to_string())
        .path_and_query("/");
    // An address is an authority.
    builder.build().unwrap_or_default()
}
