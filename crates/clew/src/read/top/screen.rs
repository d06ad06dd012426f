//! The terminal as a screen: all of it is ours, keys come one by one, and at the end it is as it was.

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::{self, Read as _, Write as _};
use tokio::sync::mpsc;

/// Keys that wait to be looked at.
const MAX_WAITING: usize = 64;
/// A screen of its own, without a cursor (xterm's private modes 1049 and 25).
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// What was pressed, as far as it means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// `q`, Ctrl-C, Ctrl-D.
    End,
    /// Arrow up, or `k`.
    Up,
    /// Arrow down, or `j`.
    Down,
    /// A letter.
    Letter(char),
}

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// The terminal while it is ours. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Screen {
    before: Termios,
    keys: mpsc::Receiver<Key>,
}

impl Screen {
    pub(super) fn enter() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        let (sender, keys) = mpsc::channel(MAX_WAITING);
        // From here on dropping gives it back.
        let screen = Self { before, keys };
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        write(ENTER)?;
        // A thread, because a read of a terminal cannot be ended; it ends with the process.
        std::thread::spawn(move || read_keys(&sender));
        Ok(screen)
    }

    /// The next key; `None` when the terminal is gone. Safe to cancel.
    pub(super) async fn next_key(&mut self) -> Option<Key> {
        self.keys.recv().await
    }

    /// Shows these lines, and nothing else. They fit, as they are made for the size.
    pub(super) fn show(&self, lines: impl FnOnce(Size) -> Vec<String>) -> io::Result<()> {
        let size = tcgetwinsize(io::stdout())?;
        let size = Size {
            columns: usize::from(size.ws_col),
            rows: usize::from(size.ws_row),
        };
        let is_plain = AutoStream::choice(&io::stdout()) == ColorChoice::Never;
        let mut text = "\x1b[H".to_owned();
        for (index, line) in lines(size).iter().take(size.rows).enumerate() {
            // No end of line after the last one, which would scroll.
            text.push_str(if index == 0 { "" } else { "\r\n" });
            match is_plain {
                true => text.push_str(&strip_str(line).to_string()),
                false => text.push_str(line),
            }
            text.push_str("\x1b[K");
        }
        text.push_str("\x1b[J");
        write(&text)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to give back.
        let _ = write(LEAVE);
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// Not through anstream: it would take out the cursor's moves too where no colour is wanted.
fn write(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

fn read_keys(sender: &mpsc::Sender<Key>) {
    let mut bytes = [0; 64];
    while let Ok(read @ 1..) = io::stdin().read(&mut bytes) {
        for key in keys(&bytes[..read]) {
            if sender.blocking_send(key).is_err() {
                return;
            }
        }
    }
}

/// The keys of what came in at once. An arrow is ESC, `[` or `O`, and a letter.
fn keys(bytes: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => return keys,
            [0x1b, b'[' | b'O', arrow, rest @ ..] => {
                match arrow {
                    b'A' => keys.push(Key::Up),
                    b'B' => keys.push(Key::Down),
                    _ => {}
                }
                rest
            }
            // Ctrl-C and Ctrl-D are bytes like others to a terminal that passes all on.
            [b'q' | 0x03 | 0x04, rest @ ..] => {
                keys.push(Key::End);
                rest
            }
            [b'k', rest @ ..] => {
                keys.push(Key::Up);
                rest
            }
            [b'j', rest @ ..] => {
                keys.push(Key::Down);
                rest
            }
            [letter, rest @ ..] => {
                if letter.is_ascii_lowercase() {
                    keys.push(Key::Letter(char::from(*letter)));
                }
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, keys};

    #[test]
    fn keys_are_known_by_their_bytes() {
        for (bytes, expected) in [
            (&b"q"[..], &[Key::End][..]),
            (b"\x03", &[Key::End]),
            (b"\x1b[A\x1bOB", &[Key::Up, Key::Down]),
            (b"jk", &[Key::Down, Key::Up]),
            (b"r\x1b[Cs", &[Key::Letter('r'), Key::Letter('s')]),
            (b"\x1b", &[]),
        ] {
            assert_eq!(keys(bytes), expected, "{bytes:?}");
        }
    }
}
