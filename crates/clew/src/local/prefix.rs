//! What several processes write, on one terminal: each line behind the name of who wrote it.

use super::journal::Journal;
pub(crate) use super::journal::Stream;
use anstyle::{AnsiColor, Style};
use clew_model::name::ServiceName;
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
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

#[derive(Debug)]
struct Line {
    stream: Stream,
    from: Arc<Speaker>,
    text: Vec<u8>,
}

/// Whose lines they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Speaker {
    service: String,
    /// The instance, by which its lines are named.
    name: String,
}

/// The one writer of lines.
#[derive(Debug)]
pub(crate) struct Lines {
    sender: mpsc::Sender<Line>,
    writer: std::thread::JoinHandle<()>,
}

impl Lines {
    /// A writer for lines by these names, and by others. They are kept in the folder too.
    pub(crate) fn start(names: Vec<String>, folder: PathBuf) -> Self {
        let (sender, lines) = mpsc::channel(MAX_WAITING);
        let writer = Writer {
            folder,
            journals: HashMap::new(),
            names,
        };
        // A thread, because a terminal may block for as long as somebody scrolls.
        let writer = std::thread::spawn(move || writer.write_all(lines));
        Self { sender, writer }
    }

    /// The voice of an instance of a service.
    pub(crate) fn voice(&self, service: &ServiceName, name: &str) -> Voice {
        Voice {
            sender: self.sender.clone(),
            from: Arc::new(Speaker {
                service: service.to_string(),
                name: name.to_owned(),
            }),
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
    from: Arc<Speaker>,
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
        let from = Arc::clone(&self.from);
        let text = line.to_vec();
        // Without a writer there is nobody to tell.
        let _ = self.sender.send(Line { stream, from, text }).await;
    }
}

/// The begin of a line by this name, in its colour; all names are as wide as the widest.
pub(crate) fn prefix(names: &[String], name: &str) -> String {
    let index = names.iter().position(|known| known == name);
    let style = COLOURS
        .get(index.unwrap_or_default() % COLOURS.len())
        .map_or(Style::new(), |c| c.on_default());
    let width = names.iter().map(String::len).max().unwrap_or_default();
    format!("{style}{name:<width$} |{style:#} ")
}

/// What the one writer needs.
struct Writer {
    folder: PathBuf,
    journals: HashMap<Arc<Speaker>, Journal>,
    names: Vec<String>,
}

impl Writer {
    fn write_all(mut self, mut lines: mpsc::Receiver<Line>) {
        while let Some(line) = lines.blocking_recv() {
            let from = &*line.from;
            if !self.names.contains(&from.name) {
                self.names.push(from.name.clone());
            }
            let folder = &self.folder;
            let journal = self.journals.entry(Arc::clone(&line.from));
            journal
                .or_insert_with(|| Journal::new(folder, &from.service, &from.name))
                .append(line.stream, &line.text);
            let mut text = prefix(&self.names, &from.name).into_bytes();
            text.extend_from_slice(&line.text);
            text.push(b'\n');
            // Whoever read it is gone; the processes go on, and so their lines are still taken.
            let _ = write(line.stream, &text);
        }
    }
}

/// Colour goes where it is shown; anstream takes it out elsewhere.
fn write(stream: Stream, text: &[u8]) -> io::Result<()> {
    match stream {
        Stream::Output => {
            let mut output = anstream::stdout().lock();
            output.write_all(text)?;
            output.flush()
        }
        Stream::Error => anstream::stderr().lock().write_all(text),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Line, MAX_LINE_BYTES, Speaker, Stream, Voice, prefix};
    use std::sync::Arc;
    use tokio::sync::mpsc;

    async fn copied(text: &[u8]) -> Vec<Vec<u8>> {
        let (sender, mut lines) = mpsc::channel::<Line>(8);
        let from = Arc::new(Speaker {
            service: "a".to_owned(),
            name: "a".to_owned(),
        });
        let voice = Voice { sender, from };
        voice.copy(Stream::Output, text).await;
        drop(voice);
        let mut copied = Vec::new();
        while let Some(line) = lines.recv().await {
            copied.push(line.text);
        }
        copied
    }

    #[tokio::test]
    async fn lines_are_told_apart_and_the_last_one_needs_no_end() {
        let lines = copied(b"one\r\n\n  two").await;
        assert_eq!(lines, [b"one".as_slice(), b"", b"  two"]);
    }

    #[test]
    fn each_line_has_its_name_before_it_in_one_width() {
        let names = ["books".to_owned(), "a".to_owned()];
        let shown = anstream::adapter::strip_str(&prefix(&names, "a")).to_string();
        assert_eq!(shown, "a     | ");
    }

    #[tokio::test]
    async fn a_line_without_end_is_shown_in_pieces() {
        let long = vec![b'x'; usize::try_from(MAX_LINE_BYTES).unwrap() + 1];
        let lines = copied(&long).await;
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1], b"x");
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_are_passed_on() {
        assert_eq!(copied(b"\xff\n").await, [b"\xff".as_slice()]);
    }
}
