//! Tables: headings, aligned columns, two spaces between them.

use super::columns::is_known;
use super::{BOLD, clean, painted};
use anstyle::Style;
use std::fmt::Write;

/// A table that is filled row by row.
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

struct Column {
    title: &'static str,
    is_number: bool,
}

/// One field of a table.
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// Text from anywhere, plain.
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self::styled(text, Style::new())
    }

    /// Text from anywhere, in a style.
    pub(crate) fn styled(text: impl AsRef<str>, style: Style) -> Self {
        Self {
            text: clean(text.as_ref()),
            style,
        }
    }

    /// Nothing was measured.
    pub(crate) fn none() -> Self {
        Self::styled("-", super::DIM)
    }

    /// The text, or the sign that nothing was measured.
    pub(crate) fn or_none(text: Option<impl AsRef<str>>) -> Self {
        text.map_or_else(Self::none, Self::new)
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl Table {
    /// No columns yet.
    pub(crate) fn new() -> Self {
        Self {
            columns: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Adds a column whose fields begin at the left.
    pub(crate) fn text(self, title: &'static str) -> Self {
        self.add(title, false)
    }

    /// Adds a column whose fields end at the right.
    pub(crate) fn number(self, title: &'static str) -> Self {
        self.add(title, true)
    }

    fn add(mut self, title: &'static str, is_number: bool) -> Self {
        debug_assert!(is_known(title), "{title} is explained in columns.rs");
        self.columns.push(Column { title, is_number });
        self
    }

    /// Adds such columns.
    pub(crate) fn numbers(self, titles: &[&'static str]) -> Self {
        titles.iter().fold(self, |table, title| table.number(title))
    }

    /// Adds a row; it has as many fields as there are columns.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(
            cells.len(),
            self.columns.len(),
            "a row has a field for each column"
        );
        self.rows.push(cells);
    }

    /// As text, each line ended.
    pub(crate) fn render(&self) -> String {
        let heading: Vec<Cell> = self
            .columns
            .iter()
            .map(|column| Cell::styled(column.title, BOLD))
            .collect();
        let lines: Vec<&Vec<Cell>> = std::iter::once(&heading).chain(&self.rows).collect();
        let width_of = |at: usize| lines.iter().map(|line| line[at].width()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.columns.len()).map(width_of).collect();
        let mut text = String::new();
        for line in lines {
            self.render_line(line, &widths, &mut text);
        }
        text
    }

    fn render_line(&self, line: &[Cell], widths: &[usize], text: &mut String) {
        for (at, cell) in line.iter().enumerate() {
            let padding = widths[at] - cell.width();
            let is_number = self.columns[at].is_number;
            let is_last = at + 1 == line.len();
            let (before, after) = match (is_number, is_last) {
                (true, _) => (padding, 0),
                (false, true) => (0, 0),
                (false, false) => (0, padding),
            };
            let gap = if at == 0 { "" } else { "  " };
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "{gap}{:before$}{}{:after$}",
                "",
                painted(&cell.text, cell.style),
                ""
            );
        }
        text.push('\n');
    }
}
