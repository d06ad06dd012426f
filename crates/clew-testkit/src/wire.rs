//! Connections of which a test reads and writes every byte.

use crate::within;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// One connection, or what runs inside one after an upgrade. This end is closed when the value is dropped.
#[derive(Debug)]
pub struct Wire<S = TcpStream>(S);

impl Wire {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = within("a connection", TcpStream::connect(address))
            .await
            .unwrap();
        Self::new(stream)
    }

    fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// This end's address.
    pub fn local_address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// Its two directions, for a test that uses both at once.
    pub fn split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        self.0.into_split()
    }

    /// Resets the connection: the other side's next read fails.
    pub fn reset(self) {
        self.0.set_zero_linger().unwrap();
    }
}

impl Wire<TokioIo<Upgraded>> {
    /// What runs inside a connection that stopped being HTTP.
    pub fn of_tunnel(upgraded: Upgraded) -> Self {
        Self(TokioIo::new(upgraded))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Sends bytes.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        within("bytes to be sent", self.0.write_all(bytes.as_ref()))
            .await
            .unwrap();
    }

    /// Sends bytes to someone who may have gone.
    pub async fn try_write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        within("bytes to be sent", self.0.write_all(bytes.as_ref())).await
    }

    /// Reads as many bytes.
    pub async fn read(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        within("bytes to come", self.0.read_exact(&mut bytes))
            .await
            .unwrap();
        bytes
    }

    /// Reads up to and with the first occurrence of a pattern, and not one byte more.
    pub async fn read_until(&mut self, pattern: &str) -> String {
        let mut seen = Vec::new();
        while !seen.ends_with(pattern.as_bytes()) {
            let byte = within(pattern, self.0.read_u8()).await;
            match byte {
                Ok(byte) => seen.push(byte),
                Err(error) => panic!(
                    "{error}, before {pattern:?} came; what came is {:?}",
                    String::from_utf8_lossy(&seen)
                ),
            }
        }
        String::from_utf8(seen).unwrap()
    }

    /// Reads the head of an HTTP/1 message, in lower case, its empty line included.
    pub async fn read_head(&mut self) -> String {
        self.read_until("\r\n\r\n").await.to_ascii_lowercase()
    }

    /// Reads the head of an HTTP/1 message with `content-length` and its body.
    pub async fn read_message(&mut self) -> (String, Vec<u8>) {
        let head = self.read_head().await;
        let length = header(&head, "content-length").map_or(0, |value| value.parse().unwrap());
        let body = self.read(length).await;
        (head, body)
    }

    /// Reads a whole response of HTTP/1 with `content-length`, and those of 1xx before it; less where the other side
    /// closes before.
    pub async fn read_answer(&mut self) -> Vec<u8> {
        let mut seen = Vec::new();
        while !has_answer(&seen) {
            match within("an answer", self.0.read_u8()).await {
                Ok(byte) => seen.push(byte),
                Err(_) => break,
            }
        }
        seen
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// The connection was reset.
    pub async fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        within("the end of a connection", self.0.read_to_end(&mut bytes)).await?;
        Ok(bytes)
    }

    /// Waits until the other side has closed or reset the connection, and says what came before.
    pub async fn closed(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A reset is an end, too.
        let _ = within("the other side to close", self.0.read_to_end(&mut bytes)).await;
        bytes
    }

    /// Closes this side's half: the other side reads the end, and may go on writing.
    pub async fn finish(&mut self) {
        self.try_finish().await.unwrap();
    }

    /// The same, where the other side may have gone.
    pub async fn try_finish(&mut self) -> io::Result<()> {
        self.0.shutdown().await
    }
}

/// Value of a header in a head that [`Wire::read_head`] read.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find_map(|(key, value)| (key == name).then(|| value.trim()))
}

fn has_answer(mut bytes: &[u8]) -> bool {
    while let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
        let (head, rest) = bytes.split_at(end + 4);
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        if !head.starts_with("http/1.1 1") {
            let length = header(&head, "content-length").map_or(0, |value| value.parse().unwrap());
            return rest.len() >= length;
        }
        bytes = rest;
    }
    false
}

/// Waits for connections and gives them to the test.
#[derive(Debug)]
pub struct WireListener(TcpListener);

impl WireListener {
    /// Listens.
    pub async fn bind() -> Self {
        Self(TcpListener::bind(crate::address::loopback()).await.unwrap())
    }

    /// Where.
    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// The next connection.
    pub async fn accept(&self) -> Wire {
        let (stream, _) = within("a connection to the upstream", self.0.accept())
            .await
            .unwrap();
        Wire::new(stream)
    }
}
