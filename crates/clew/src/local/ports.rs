//! Ports of applications: given, or chosen by the system and kept for the application.

use super::plan::PortChoice;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

/// The port of an application that is about to be started.
#[derive(Debug)]
pub(crate) struct OwnPort {
    /// Where the application is to listen.
    pub(crate) address: SocketAddr,
    /// Nobody but us knows the port.
    pub(crate) is_news: bool,
    /// Keeps the port from being given to another: a socket that is bound and never listens. An
    /// application that sets SO_REUSEADDR, as servers do, can listen there all the same.
    _kept: Option<Socket>,
}

impl OwnPort {
    /// The port that was chosen, or one from the system.
    pub(crate) fn take(choice: PortChoice) -> io::Result<Self> {
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        match choice {
            PortChoice::Fixed(address) => Ok(Self {
                address,
                is_news: false,
                _kept: None,
            }),
            PortChoice::System => {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
                socket.set_reuse_address(true)?;
                socket.bind(&at(0).into())?;
                let address = socket.local_addr()?.as_socket().unwrap_or(at(0));
                Ok(Self {
                    address,
                    is_news: true,
                    _kept: Some(socket),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{OwnPort, PortChoice};
    use std::collections::HashSet;
    use std::net::TcpListener;

    #[test]
    fn a_kept_port_is_given_to_nobody_else_and_taken_by_the_application() {
        let kept: Vec<_> = (0..20)
            .map(|_| OwnPort::take(PortChoice::System).unwrap())
            .collect();
        let others: Vec<_> = (0..200)
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let ports: HashSet<u16> = kept
            .iter()
            .map(|port| port.address.port())
            .chain(
                others
                    .iter()
                    .map(|other| other.local_addr().unwrap().port()),
            )
            .collect();
        assert_eq!(ports.len(), kept.len() + others.len());
        for port in &kept {
            TcpListener::bind(port.address).unwrap();
        }
    }
}
