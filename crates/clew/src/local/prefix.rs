//! What several processes write, on one terminal: each line behind the name of who wrote it.

use anstyle::{AnsiColor, Style};
use std::io::{self, Write};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::sync::mpsc;

/// Lines that wait to be written; past it, whoever writes has to wait.
const MAX_WAITING: usize = 1_024;
/// Bytes of one line; a longer one is shown in pieces.
const MAX_LINE_BYTES: u64 = 16 * 1024;
const COLOURS: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Yellow,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::Red,
];

/// Where a line goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

#[derive(Debug)]
struct Line {
    stream: Stream,
    text: Vec<u8>,
}

/// The one writer of lines.
#[derive(Debug)]
pub(crate) struct Lines {
    sender: mpsc::Sender<Line>,
    names: Vec<String>,
    writer: std::thread::JoinHandle<()>,
}

impl Lines {
    /// A writer for lines of these names.
    pub(crate) fn start(names: Vec<String>) -> Self {
        let (sender, lines) = mpsc::channel(MAX_WAITING);
        // A thread, because a terminal may block for as long as somebody scrolls.
        let writer = std::thread::spawn(move || write_all(lines));
        Self {
            sender,
            names,
            writer,
        }
    }

    /// The voice by this name, in its colour.
    pub(crate) fn voice(&self, name: &str) -> Voice {
        let index = self
            .names
            .iter()
            .position(|known| known == name)
            .unwrap_or_default();
        let style = COLOURS
            .get(index % COLOURS.len())
            .map_or(Style::new(), |c| c.on_default());
        let width = self.names.iter().map(String::len).max().unwrap_or_default();
        Voice {
            sender: self.sender.clone(),
            prefix: format!("{style}{name:<width$} |{style:#} "),
        }
    }

    /// Waits until all is written. Every voice has to be gone.
    pub(crate) fn finish(self) {
        drop(self.sender);
        // It has written what it could.
        let _ = self.writer.join();
    }
}

/// One name's way to the writer.
#[derive(Clone, Debug)]
pub(crate) struct Voice {
    sender: mpsc::Sender<Line>,
    prefix: String,
}

impl Voice {
    /// Writes a line of our own.
    pub(crate) async fn say(&self, stream: Stream, text: &str) {
        self.write(stream, text.as_bytes()).await;
    }

    /// Writes what comes, line by line, until it ends.
    pub(crate) async fn copy(&self, stream: Stream, from: impl AsyncRead + Unpin) {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut from)
                .take(MAX_LINE_BYTES)
                .read_until(b'\n', &mut line)
                .await;
            match read {
                // An error of a pipe is its end.
                Ok(0) | Err(_) => return,
                Ok(_) => self.write(stream, line.trim_ascii_end()).await,
            }
        }
    }

    async fn write(&self, stream: Stream, line: &[u8]) {
        let mut text = self.prefix.clone().into_bytes();
        text.extend_from_slice(line);
        text.push(b'\n');
        // Without a writer there is nobody to tell.
        let _ = self.sender.send(Line { stream, text }).await;
    }
}

fn write_all(mut lines: mpsc::Receiver<Line>) {
    while let Some(line) = lines.blocking_recv() {
        // Whoever read it is gone; the processes go on, and so their lines are still taken.
        let _ = write(&line);
    }
}

/// Colour goes where it is shown; anstream takes it out elsewhere.
fn write(line: &Line) -> io::Result<()> {
    match line.stream {
        Stream::Output => {
            let mut output = anstream::stdout().lock();
            output.write_all(&line.text)?;
            output.flush()
        }
        Stream::Error => anstream::stderr().lock().write_all(&line.text),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Line, MAX_LINE_BYTES, Stream, Voice};
    use tokio::sync::mpsc;

    async fn copied(text: &[u8]) -> Vec<Vec<u8>> {
        let (sender, mut lines) = mpsc::channel::<Line>(8);
        let prefix = "a | ".to_owned();
        let voice = Voice { sender, prefix };
        voice.copy(Stream::Output, text).await;
        drop(voice);
        let mut copied = Vec::new();
        while let Some(line) = lines.recv().await {
            copied.push(line.text);
        }
        copied
    }

    #[tokio::test]
    async fn each_line_has_its_name_before_it_the_last_one_too() {
        let lines = copied(b"one\r\n\n  two").await;
        assert_eq!(lines, [b"a | one\n".as_slice(), b"a | \n", b"a |   two\n"]);
    }

    #[tokio::test]
    async fn a_line_without_end_is_shown_in_pieces() {
        let long = vec![b'x'; usize::try_from(MAX_LINE_BYTES).unwrap() + 1];
        let lines = copied(&long).await;
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1], b"a | x\n");
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_are_passed_on() {
        assert_eq!(copied(b"\xff\n").await, [b"a | \xff\n".as_slice()]);
    }
}
