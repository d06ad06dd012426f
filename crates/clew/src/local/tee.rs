//! What a process writes, passed on as it comes and kept by lines beside that.

use super::journal::{Journal, Stream};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Bytes of one line; a longer one is kept in pieces.
const MAX_LINE_BYTES: usize = 16 * 1024;

/// Copies until it ends. Bytes are passed on before they are looked at, and so a prompt is not held back.
pub(crate) async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    stream: Stream,
    journal: Arc<Mutex<Journal>>,
) {
    let mut buffer = vec![0; MAX_LINE_BYTES];
    let mut rest = Vec::new();
    let keep = |line: &[u8]| {
        let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.append(stream, line.trim_ascii_end());
    };
    loop {
        let read = match from.read(&mut buffer).await {
            // An error of a pipe is its end.
            Ok(0) | Err(_) => break,
            Ok(read) => &buffer[..read],
        };
        // Whoever read it is gone; the process goes on, and is still kept.
        if to.write_all(read).await.is_ok() {
            let _ = to.flush().await;
        }
        rest.extend_from_slice(read);
        let mut kept = 0;
        while let Some(length) = line_length(&rest[kept..]) {
            keep(&rest[kept..kept + length]);
            kept += length;
        }
        rest.drain(..kept);
    }
    if !rest.is_empty() {
        keep(&rest);
    }
}

/// The length of the line that a text begins with, when all of it is there.
fn line_length(text: &[u8]) -> Option<usize> {
    let end = text.iter().position(|byte| *byte == b'\n');
    let length = end.map(|end| end + 1);
    length.or((text.len() >= MAX_LINE_BYTES).then_some(MAX_LINE_BYTES))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Journal, MAX_LINE_BYTES, Stream, copy};
    use crate::local::journal::read::Log;
    use std::sync::{Arc, Mutex};

    #[tokio::test]
    async fn bytes_are_passed_on_as_they_are_and_kept_by_lines() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path(), "a", "a");
        let journal = Arc::new(Mutex::new(journal));
        let mut long = b"one\r\n\xff\n".to_vec();
        long.extend(vec![b'x'; MAX_LINE_BYTES + 1]);
        let mut passed_on = Vec::new();

        copy(&*long, &mut passed_on, Stream::Output, journal).await;

        assert_eq!(passed_on, long);
        let kept = Log::new(folder.path().to_owned()).news(None).unwrap();
        let lengths: Vec<usize> = kept.iter().map(|line| line.text.len()).collect();
        assert_eq!(lengths, [3, 1, MAX_LINE_BYTES, 1]);
    }
}
