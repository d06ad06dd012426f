//! What is wrong in a configuration, and where.

use std::fmt;
use std::sync::Arc;

/// Mistakes kept; a file with more has had enough said about it.
const MAX_MISTAKES: usize = 100;
/// Characters of a given value that a mistake repeats.
const MAX_GIVEN_CHARS: usize = 60;

/// Where a value stands: origin, line, and path of keys. Displays as `mesh.yaml:12: services.books`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    origin: Arc<str>,
    line: Option<usize>,
    path: String,
}

impl Place {
    /// The whole of an origin: a file, a flag (`--sample`), an environment variable.
    pub fn of(origin: &str) -> Self {
        Self {
            origin: origin.into(),
            line: None,
            path: String::new(),
        }
    }

    /// The same path, at this line (from 1).
    pub fn at_line(&self, line: usize) -> Self {
        Self {
            line: Some(line),
            ..self.clone()
        }
    }

    /// A key of the table that stands here.
    pub fn key(&self, key: &str, line: usize) -> Self {
        let mut path = self.path.clone();
        if !path.is_empty() {
            path.push('.');
        }
        let plain =
            |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '.' | '[' | ']');
        if !key.is_empty() && key.chars().all(plain) {
            path.push_str(key);
        } else {
            path.push_str(&quoted(key));
        }
        Self {
            origin: Arc::clone(&self.origin),
            line: Some(line),
            path,
        }
    }

    /// An item of the list that stands here; indices count from 0.
    pub fn index(&self, index: usize, line: usize) -> Self {
        Self {
            origin: Arc::clone(&self.origin),
            line: Some(line),
            path: format!("{}[{index}]", self.path),
        }
    }

    /// The keys that lead here, joined by dots; empty at the top.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The line, from 1, where the origin has lines.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// A mistake here. Both texts complete the sentence "given ..., expected ...".
    pub fn mistake(&self, given: impl Into<String>, expected: impl Into<String>) -> Mistake {
        Mistake {
            place: self.clone(),
            given: given.into(),
            expected: expected.into(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        Ok(())
    }
}

/// One mistake: `mesh.yaml:12: services.books.port: given "seven", expected a port number`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: given {given}, expected {expected}")]
pub struct Mistake {
    /// Where it stands.
    pub place: Place,
    /// What was given there; text is in quotes.
    pub given: String,
    /// What can stand there.
    pub expected: String,
}

/// All mistakes of a configuration, in the order of its lines; displays one on a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes {
    list: Vec<Mistake>,
    /// Mistakes that came after the bound; counted only.
    unlisted: usize,
}

impl Mistakes {
    /// Just this one.
    pub fn one(mistake: Mistake) -> Self {
        Self {
            list: vec![mistake],
            unlisted: 0,
        }
    }

    /// Adds one. Past the first hundred they are counted only.
    pub fn push(&mut self, mistake: Mistake) {
        if self.list.len() < MAX_MISTAKES {
            self.list.push(mistake);
        } else {
            self.unlisted += 1;
        }
    }

    /// Adds those of another reading.
    pub fn extend(&mut self, other: Mistakes) {
        self.unlisted += other.unlisted;
        for mistake in other.list {
            self.push(mistake);
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The mistakes, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.list.iter()
    }

    /// `value` if nothing was wrong. Without a value and without a mistake, whoever read the value
    /// lost the mistake; that is said rather than hidden.
    pub fn or_value<T>(mut self, value: Option<T>, place: &Place) -> Result<T, Mistakes> {
        match value {
            Some(value) if self.is_empty() => Ok(value),
            None if self.is_empty() => {
                self.push(place.mistake("settings that were refused without a word", "a reason"));
                Err(self)
            }
            _ => {
                self.list.sort_by_key(|m| m.place.line);
                Err(self)
            }
        }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, mistake) in self.list.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        if self.unlisted > 0 {
            write!(f, "\nand {} more", self.unlisted)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// A value that remembers its place, for checks that need other parts of the file: a name that
/// refers to nothing is reported where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// Text as a mistake repeats it: in quotes, without control characters, cut when it is long.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_GIVEN_CHARS).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    format!("{shown:?}")
}
