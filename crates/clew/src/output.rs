//! How answers are printed: tables, readable units, colour. Pure text; [`print()`] alone touches the
//! terminal.

pub(crate) mod columns;
pub(crate) mod table;
pub(crate) mod units;

use anstyle::{AnsiColor, Style};
use std::io::{self, Write};

/// Headings and what matters less.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Headings.
pub(crate) const BOLD: Style = Style::new().bold();
/// Well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Someone should look.
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
/// Broken.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// The bar of a proxy's span.
pub(crate) const PROXY: Style = AnsiColor::Blue.on_default();
/// The bar of an application's own span.
pub(crate) const APPLICATION: Style = AnsiColor::Cyan.on_default();
/// A proxy's own work.
pub(crate) const WORK: Style = AnsiColor::Magenta.on_default();

/// Text in a style. The text must hold no control characters ([`clean`]).
pub(crate) fn painted(text: &str, style: Style) -> String {
    if style == Style::new() || text.is_empty() {
        text.to_owned()
    } else {
        format!("{style}{text}{style:#}")
    }
}

/// Text that came from outside (names, paths, headers), made harmless for a terminal: control characters
/// are shown as their escapes, so that no span name can move the cursor.
pub(crate) fn clean(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_reordering(character) {
            harmless.extend(character.escape_default());
        } else {
            harmless.push(character);
        }
    }
    harmless
}

/// Characters that change the order in which others are shown.
fn is_reordering(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// At most `width` characters; what is cut off is marked.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// Writes to standard output; colour only where it is a terminal that wants it (`NO_COLOR`).
///
/// # Errors
///
/// Standard output does not take it; `BrokenPipe` when its reader has seen enough.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A line to people, on standard error.
pub(crate) fn say(line: &str) {
    // There is nobody else to tell that standard error is closed.
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// A line in our own name, beside what the programs write.
pub(crate) fn announce(what: &str) {
    say(&format!("clew: {what}"));
}

/// Columns of the terminal, or 120 where there is none. `COLUMNS` wins.
pub(crate) fn terminal_width() -> usize {
    let set = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let asked = || {
        rustix::termios::tcgetwinsize(io::stdout())
            .ok()
            .map(|size| usize::from(size.ws_col))
    };
    set.or_else(asked)
        .filter(|columns| *columns > 0)
        .unwrap_or(120)
}

#[cfg(test)]
mod tests;
