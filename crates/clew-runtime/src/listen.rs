//! TCP listeners: errors that name the port's purpose, one port shared by the workers of a process,
//! and an accept loop that no error ends.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::drain::DrainWatch;

/// Connections that may wait to be accepted; the system's own bound (`net.core.somaxconn`) holds too.
const BACKLOG: i32 = 4096;
/// The first and the longest pause after accepting failed; it doubles in between.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));
/// At most one line in the log in this time.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// A port that could not be listened on: `observe's API cannot listen on 127.0.0.1:8084: address
/// already in use`.
#[derive(Debug)]
pub struct ListenError {
    purpose: &'static str,
    address: SocketAddr,
    error: io::Error,
}

impl ListenError {
    /// Whether someone else listens there already.
    pub fn is_taken(&self) -> bool {
        self.error.kind() == io::ErrorKind::AddrInUse
    }

    /// What the port was wanted for.
    pub fn purpose(&self) -> &'static str {
        self.purpose
    }

    /// The address that was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot listen on {}: ", self.purpose, self.address)?;
        match self.error.kind() {
            io::ErrorKind::AddrInUse => f.write_str("address already in use"),
            io::ErrorKind::AddrNotAvailable => f.write_str("no such address on this machine"),
            io::ErrorKind::PermissionDenied => f.write_str("permission denied"),
            _ => write!(f, "{}", self.error),
        }
    }
}

impl std::error::Error for ListenError {}

/// Listens on an address; port 0 leaves the choice to the system. `purpose` begins the sentence of an
/// error: "observe's API".
///
/// The listener does not block: give it to an [`Acceptor`] or to
/// [`tokio::net::TcpListener::from_std`] in the runtime that accepts.
pub fn bind_tcp(purpose: &'static str, address: SocketAddr) -> Result<TcpListener, ListenError> {
    open(address, Sharing::Alone).map_err(|error| ListenError {
        purpose,
        address,
        error,
    })
}

/// Listens `count` times on one port, for `count` workers between whom the system spreads connections
/// (SO_REUSEPORT). With port 0 the system chooses one port for all of them.
///
/// A port on which somebody else listens is refused, even where that somebody shares it too:
/// otherwise two meshes of one user would silently take connections from each other.
pub fn bind_tcp_shared(
    purpose: &'static str,
    address: SocketAddr,
    count: usize,
) -> Result<Vec<TcpListener>, ListenError> {
    let failed = |error| ListenError {
        purpose,
        address,
        error,
    };
    let mut listeners = Vec::with_capacity(count);
    let mut same = address;
    for i in 0..count {
        let sharing = if i == 0 {
            Sharing::First
        } else {
            Sharing::Further
        };
        let listener = open(same, sharing).map_err(failed)?;
        same = listener.local_addr().map_err(failed)?;
        listeners.push(listener);
    }
    Ok(listeners)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Alone,
    /// Bound alone, which fails when anyone listens there, then shared.
    First,
    Further,
}

fn open(address: SocketAddr, sharing: Sharing) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    // Connections of an earlier process that are still closing do not keep the port.
    socket.set_reuse_address(true)?;
    if sharing == Sharing::Further {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    if sharing == Sharing::First {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts connections and lives through errors.
///
/// An error of one connection (it was reset before it was accepted) is passed over. Any other one,
/// such as a lack of file descriptors or memory, is waited out: each pause is twice as long, up to a
/// second, because the listener stays readable and a loop without pause would take the whole core from
/// the connections whose end frees what is lacking.
#[derive(Debug)]
pub struct Acceptor {
    purpose: &'static str,
    listener: tokio::net::TcpListener,
    /// Times that accepting had to pause.
    failures: u64,
    pause: Duration,
    /// When the next attempt is made; kept here, so that a cancelled accept does not skip the pause.
    resume_at: Option<Instant>,
    logged_at: Option<Instant>,
    failures_logged: u64,
}

impl Acceptor {
    /// Takes a listener into the current runtime.
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O.
    pub fn new(purpose: &'static str, listener: TcpListener) -> Result<Self, ListenError> {
        let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
        let address = listener.local_addr().unwrap_or(unspecified);
        let listener =
            tokio::net::TcpListener::from_std(listener).map_err(|error| ListenError {
                purpose,
                address,
                error,
            })?;
        Ok(Self {
            purpose,
            listener,
            failures: 0,
            pause: PAUSE.0,
            resume_at: None,
            logged_at: None,
            failures_logged: 0,
        })
    }

    /// The address that is listened on, with the port that the system gave.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The next connection, with TCP_NODELAY set. Safe to cancel.
    pub async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            if let Some(at) = self.resume_at {
                tokio::time::sleep_until(at).await;
                self.resume_at = None;
            }
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    self.pause = PAUSE.0;
                    // Fails only for a connection that is gone; whoever reads it will see that.
                    let _ = stream.set_nodelay(true);
                    return (stream, peer);
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => self.pause_after(&error),
            }
        }
    }

    /// The next connection, or `None` once the drain has begun.
    pub async fn accept_until(&mut self, drain: &DrainWatch) -> Option<(TcpStream, SocketAddr)> {
        tokio::select! {
            biased;
            () = drain.started() => None,
            accepted = self.accept() => Some(accepted),
        }
    }

    fn pause_after(&mut self, error: &io::Error) {
        let now = Instant::now();
        self.failures += 1;
        self.resume_at = Some(now + self.pause);
        self.pause = (self.pause * 2).min(PAUSE.1);
        if self.logged_at.is_none_or(|at| now - at >= LOG_EVERY) {
            let times = self.failures - self.failures_logged;
            let purpose = self.purpose;
            tracing::warn!(%error, times, "{purpose} cannot accept connections, trying again");
            self.logged_at = Some(now);
            self.failures_logged = self.failures;
        }
    }
}

/// Whether an error of accept(2) tells of a connection that came and went, and not of the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
            | io::ErrorKind::WouldBlock
    )
}

#[cfg(test)]
mod tests;
