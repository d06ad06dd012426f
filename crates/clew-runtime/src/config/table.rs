//! Groups of settings: one declaration per setting, from which it is read and documented.

use std::marker::PhantomData;

use super::Kind;
use super::docs::{Need, Setting, Shape};
use super::mistake::{Located, Mistake, Mistakes, Place};
use super::tree::{Document, Entry, Node, Value};

/// A type that is read from a table of settings.
pub trait Settings: Sized {
    /// Declares every setting, then builds the value.
    ///
    /// Declare all before the first `?`: a declaration that is not reached makes its key unknown,
    /// and hides its mistakes. It also runs on an empty table, to learn what it declares.
    fn declare(table: &mut Table<'_>) -> Option<Self>;
}

/// A table that is being read. Each declaration gives `None` when what stands there is wrong; the
/// mistake has then been noted.
#[derive(Debug)]
pub struct Table<'a> {
    entries: &'a [Entry],
    place: &'a Place,
    mistakes: &'a mut Mistakes,
    declared: Vec<Setting>,
}

impl Table<'_> {
    /// A setting that must be there.
    pub fn required<K: Kind>(
        &mut self,
        key: &'static str,
        kind: K,
        text: &'static str,
    ) -> Option<K::Value> {
        self.declare(key, Need::Required, text, kind.shape());
        if let Some(entry) = self.entry(key) {
            return self.read(entry, &kind);
        }
        let expected = kind.shape().expected();
        self.refuse(key, "nothing", expected);
        None
    }

    /// A setting that may be left out: `Some(None)` then.
    pub fn optional<K: Kind>(
        &mut self,
        key: &'static str,
        kind: K,
        text: &'static str,
    ) -> Option<Option<K::Value>> {
        self.declare(key, Need::Optional, text, kind.shape());
        match self.entry(key) {
            Some(entry) => self.read(entry, &kind).map(Some),
            None => Some(None),
        }
    }

    /// A setting with a default, which is written as it would be in the file: so what the documents
    /// say is what is used.
    pub fn default<K: Kind>(
        &mut self,
        key: &'static str,
        kind: K,
        default: &'static str,
        text: &'static str,
    ) -> Option<K::Value> {
        self.declare(key, Need::Default(default), text, kind.shape());
        if let Some(entry) = self.entry(key) {
            return self.read(entry, &kind);
        }
        let origin = format!("default of {key}");
        match Document::parse(&origin, default).and_then(|document| document.read(&kind)) {
            Ok(value) => Some(value),
            Err(mistakes) => {
                self.mistakes.extend(mistakes);
                None
            }
        }
    }

    /// The place of a key of this table, for a check that spans settings; where the key is absent,
    /// the line of the table.
    pub fn place(&self, key: &str) -> Place {
        let line = match self.entry(key) {
            Some(entry) => entry.line,
            None => self.place.line().unwrap_or(1),
        };
        self.place.key(key, line)
    }

    /// Notes a mistake of a check that spans settings. Both texts complete "given ..., expected ...".
    pub fn refuse(&mut self, key: &str, given: impl Into<String>, expected: impl Into<String>) {
        let mistake = self.place(key).mistake(given, expected);
        self.note(mistake);
    }

    /// Notes a mistake that stands elsewhere, such as at a [`Located`] value.
    pub fn note(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    fn declare(&mut self, key: &'static str, need: Need, text: &'static str, shape: Shape) {
        self.declared.push(Setting {
            key,
            need,
            text,
            shape,
        });
    }

    fn read<K: Kind>(&mut self, entry: &Entry, kind: &K) -> Option<K::Value> {
        let place = self.place.key(&entry.key, entry.line);
        kind.read(&entry.node, &place, self.mistakes)
    }

    fn refuse_unknown_keys(&mut self) {
        let known: Vec<&str> = self.declared.iter().map(|setting| setting.key).collect();
        for entry in self.entries {
            if known.contains(&entry.key.as_str()) {
                continue;
            }
            let mut expected = format!("one of {}", known.join(", "));
            if let Some(meant) = nearest(&entry.key, &known) {
                expected.push_str(&format!(" (did you mean {meant}?)"));
            }
            let place = self.place.key(&entry.key, entry.line);
            self.mistakes
                .push(place.mistake("an unknown key", expected));
        }
    }
}

impl<'a> Table<'a> {
    fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// A table that is read as `T`; see [`group`].
#[derive(Debug)]
pub struct Group<T>(PhantomData<fn() -> T>);

/// The kind of a table of settings. Nothing after the key reads like an empty table.
pub fn group<T: Settings>() -> Group<T> {
    Group(PhantomData)
}

impl<T: Settings> Kind for Group<T> {
    type Value = T;

    fn read(&self, node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<T> {
        let entries: &[Entry] = match &node.value {
            Value::Table(entries) => entries,
            Value::Nothing => &[],
            _ => {
                mistakes.push(place.mistake(node.given(), self.shape().expected()));
                return None;
            }
        };
        let mut table = Table {
            entries,
            place,
            mistakes,
            declared: Vec::new(),
        };
        let value = T::declare(&mut table);
        table.refuse_unknown_keys();
        value
    }

    fn shape(&self) -> Shape {
        let mut table = Table {
            entries: &[],
            place: &Place::of(""),
            mistakes: &mut Mistakes::default(),
            declared: Vec::new(),
        };
        // What an empty table lacks is of no interest; what it declares is.
        let _ = T::declare(&mut table);
        Shape::Table(table.declared)
    }
}

/// A kind whose value remembers its place; see [`located`].
#[derive(Debug)]
pub struct WithPlace<K>(K);

/// The same kind, with the place beside the value, for checks against other parts of the file.
pub fn located<K: Kind>(kind: K) -> WithPlace<K> {
    WithPlace(kind)
}

impl<K: Kind> Kind for WithPlace<K> {
    type Value = Located<K::Value>;

    fn read(&self, node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self::Value> {
        let value = self.0.read(node, place, mistakes)?;
        let place = place.clone();
        Some(Located { value, place })
    }

    fn shape(&self) -> Shape {
        self.0.shape()
    }
}

/// A kind that gives nothing where another gives up; see [`attempt`].
#[derive(Debug)]
pub struct Attempt<K>(K);

/// The same kind, as a part that may be missing: `None` where what stands there is wrong, so that what stands
/// around it can still be checked against the rest of the file. The mistake is noted, and a document with a
/// mistake is refused whatever was read.
pub fn attempt<K: Kind>(kind: K) -> Attempt<K> {
    Attempt(kind)
}

impl<K: Kind> Kind for Attempt<K> {
    type Value = Option<K::Value>;

    fn read(&self, node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self::Value> {
        Some(self.0.read(node, place, mistakes))
    }

    fn shape(&self) -> Shape {
        self.0.shape()
    }
}

/// The known key that was probably meant: at most one slip in three letters away.
fn nearest<'k>(given: &str, known: &[&'k str]) -> Option<&'k str> {
    if given.chars().count() > 64 {
        return None;
    }
    let slips_allowed = |key: &str| (key.chars().count().max(given.chars().count())) / 3;
    known
        .iter()
        .map(|key| (slips(given, key), *key))
        .filter(|(slips, key)| *slips <= slips_allowed(key).max(1))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, key)| key)
}

/// Letters to insert, remove, replace or swap with their neighbour (the optimal string alignment
/// distance), letter case aside.
fn slips(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
