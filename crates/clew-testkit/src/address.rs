//! Addresses where connecting goes wrong in a known way, for as long as the value is kept.

use crate::within;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Any free port of the loopback interface.
pub fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// An address that refuses connections: the port is taken, and nobody listens on it.
#[derive(Debug)]
pub struct Refusing {
    address: SocketAddr,
    _socket: TcpSocket,
}

impl Refusing {
    /// Takes a port.
    pub fn bind() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(loopback()).unwrap();
        Self {
            address: socket.local_addr().unwrap(),
            _socket: socket,
        }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// An address that neither accepts nor refuses: nobody accepts there, and the one place in the listener's
/// queue is taken, so that Linux drops every further request to connect.
#[derive(Debug)]
pub struct Blackhole {
    address: SocketAddr,
    _listener: TcpListener,
    _queued: TcpStream,
}

impl Blackhole {
    /// Takes a port and fills its queue.
    pub async fn bind() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(loopback()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let queued = within("the only place in the queue", TcpStream::connect(address)).await;
        Self {
            address,
            _listener: listener,
            _queued: queued.unwrap(),
        }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
