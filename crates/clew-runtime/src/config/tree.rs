//! YAML text as a tree whose every value knows its line.
//!
//! Built from the parser's events and not from the loader that comes with it, because that one stops
//! at the first duplicate key, and recurses as deep as the text asks.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::mistake::{Mistakes, Place, quoted};
use super::{Kind, Mistake};

/// How much a text may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of text.
    pub max_bytes: usize,
    /// Lists and tables inside one another.
    pub max_depth: usize,
    /// Values in all, those that aliases repeat included.
    pub max_nodes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            max_bytes: 1024 * 1024,
            max_depth: 32,
            max_nodes: 50_000,
        }
    }
}

/// One value of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its first line, from 1.
    pub line: usize,
    /// What stands there.
    pub value: Value,
}

/// What can stand at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing after the key, or `~`, or `null`.
    Nothing,
    /// Text, number or truth: whoever reads it decides.
    Text(String),
    /// `- a` or `[a, b]`. Shared with the aliases that repeat it.
    List(Arc<[Node]>),
    /// `key: value`, in the order of the text. Shared with the aliases that repeat it.
    Table(Arc<[Entry]>),
}

/// One key of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key, unique in its table.
    pub key: String,
    /// The line of the key.
    pub line: usize,
    /// What it is set to.
    pub node: Node,
}

impl Node {
    /// What was given, as a mistake says it.
    pub fn given(&self) -> String {
        match &self.value {
            Value::Nothing => "nothing".to_owned(),
            Value::Text(text) => quoted(text),
            Value::List(_) => "a list".to_owned(),
            Value::Table(_) => "a table".to_owned(),
        }
    }
}

/// A parsed text: its tree, and the mistakes that do not stop it from being read (a key twice).
#[derive(Clone, Debug)]
pub struct Document {
    root: Node,
    place: Place,
    mistakes: Mistakes,
}

impl Document {
    /// Parses one YAML 1.2 document. `origin` is what mistakes name.
    ///
    /// Text that is no YAML, is too large, or holds more than one document gives its one mistake.
    pub fn parse(origin: &str, text: &str) -> Result<Document, Mistakes> {
        Self::parse_within(origin, text, Bounds::default())
    }

    /// The same, with other bounds.
    pub fn parse_within(origin: &str, text: &str, bounds: Bounds) -> Result<Document, Mistakes> {
        let place = Place::of(origin);
        if text.len() > bounds.max_bytes {
            let given = format!("{} bytes", text.len());
            let expected = format!("at most {} bytes", bounds.max_bytes);
            return Err(Mistakes::one(place.mistake(given, expected)));
        }
        Builder::new(place, bounds)
            .build(text)
            .map_err(Mistakes::one)
    }

    /// The tree.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Reads the whole document as one value; all mistakes at once.
    pub fn read<K: Kind>(self, kind: &K) -> Result<K::Value, Mistakes> {
        let mut mistakes = self.mistakes;
        let place = self.place.at_line(self.root.line);
        let value = kind.read(&self.root, &place, &mut mistakes);
        mistakes.or_value(value, &place)
    }
}

/// Reads a file, up to the bound; the error completes "given ...".
pub(super) fn load_text(file: &Path, bounds: Bounds) -> Result<String, String> {
    let unreadable = |e: std::io::Error| format!("a file that cannot be read ({e})");
    let mut text = String::new();
    // One byte more than the bound, so that the parser sees that it is too large.
    File::open(file)
        .map_err(unreadable)?
        .take(bounds.max_bytes as u64 + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    Ok(text)
}

/// The number of the last line in which something stands.
fn last_line(text: &str) -> usize {
    let text = text.trim_end().as_bytes();
    let ends_line = |(at, byte): (usize, &u8)| match byte {
        b'\n' => true,
        b'\r' => text.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    1 + text
        .iter()
        .enumerate()
        .filter(|each| ends_line(*each))
        .count()
}

/// Builds the tree from the parser's events.
struct Builder {
    place: Place,
    bounds: Bounds,
    open: Vec<Open>,
    /// Finished nodes by anchor, with the number of values in them.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
    documents: usize,
    /// What is missing at the end is missed by the parser in a line that is not there.
    last_line: usize,
    mistakes: Mistakes,
}

/// A list or table that has begun.
struct Open {
    line: usize,
    anchor: usize,
    /// Path to it, for mistakes.
    place: Place,
    /// Nodes that existed when it began.
    nodes_before: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Table {
        entries: Vec<Entry>,
        seen: HashSet<String>,
        /// A key that waits for its value.
        key: Option<(String, usize)>,
    },
}

impl Builder {
    fn new(place: Place, bounds: Bounds) -> Self {
        Self {
            place,
            bounds,
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            root: None,
            documents: 0,
            last_line: 1,
            mistakes: Mistakes::default(),
        }
    }

    fn build(mut self, text: &str) -> Result<Document, Mistake> {
        self.last_line = last_line(text);
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|e| self.not_yaml(&e))?;
            self.take(event, span)?;
        }
        // The parser puts an empty document at its end, where nobody looks for what is missing.
        let root = match self.root {
            Some(root) if root.value != Value::Nothing => root,
            _ => Node {
                line: 1,
                value: Value::Nothing,
            },
        };
        Ok(Document {
            root,
            place: self.place,
            mistakes: self.mistakes,
        })
    }

    fn not_yaml(&self, e: &ScanError) -> Mistake {
        let given = format!("text that is not YAML ({})", e.info());
        let line = e.marker().line().min(self.last_line);
        self.place.at_line(line).mistake(given, "YAML")
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Mistake> {
        let line = span.start.line().min(self.last_line);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let place = self.place.at_line(line);
                    return Err(place.mistake("a second document", "one document"));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), line)?;
                let value = match (&*text, style) {
                    ("" | "~" | "null" | "Null" | "NULL", ScalarStyle::Plain) => Value::Nothing,
                    _ => Value::Text(text.into_owned()),
                };
                self.count(1, line)?;
                self.place_node(Node { line, value }, anchor, 1)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), line)?;
                self.begin(Content::List(Vec::new()), anchor, line)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), line)?;
                let table = Content::Table {
                    entries: Vec::new(),
                    seen: HashSet::new(),
                    key: None,
                };
                self.begin(table, anchor, line)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.repeat(anchor, line),
        }
    }

    /// The place of the value that comes next.
    fn next_place(&self, line: usize) -> Place {
        match self.open.last() {
            None => self.place.at_line(line),
            Some(open) => match &open.content {
                Content::List(items) => open.place.index(items.len(), line),
                Content::Table {
                    key: Some((key, _)),
                    ..
                } => open.place.key(key, line),
                Content::Table { key: None, .. } => open.place.at_line(line),
            },
        }
    }

    fn refuse_tag(&self, tag: Option<&Tag>, line: usize) -> Result<(), Mistake> {
        match tag {
            None => Ok(()),
            Some(tag) => {
                let given = format!("the tag {}", quoted(&tag.to_string()));
                Err(self
                    .next_place(line)
                    .mistake(given, "a value without a tag"))
            }
        }
    }

    fn count(&mut self, nodes: usize, line: usize) -> Result<(), Mistake> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > self.bounds.max_nodes {
            let expected = format!("at most {} values in all", self.bounds.max_nodes);
            return Err(self.next_place(line).mistake("too many values", expected));
        }
        Ok(())
    }

    fn begin(&mut self, content: Content, anchor: usize, line: usize) -> Result<(), Mistake> {
        let place = self.next_place(line);
        if self.open.len() >= self.bounds.max_depth {
            let expected = format!("at most {} of them", self.bounds.max_depth);
            return Err(place.mistake("too many lists and tables inside one another", expected));
        }
        let nodes_before = self.nodes;
        self.count(1, line)?;
        self.open.push(Open {
            line,
            anchor,
            place,
            nodes_before,
            content,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Mistake> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.content {
            Content::List(items) => Value::List(items.into()),
            Content::Table { entries, .. } => Value::Table(entries.into()),
        };
        let node = Node {
            line: open.line,
            value,
        };
        self.place_node(node, open.anchor, self.nodes - open.nodes_before)
    }

    /// An alias repeats a node. It costs what it repeats, so that aliases of aliases cannot grow
    /// without bound.
    fn repeat(&mut self, anchor: usize, line: usize) -> Result<(), Mistake> {
        let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
            let place = self.next_place(line);
            return Err(place.mistake("an alias inside its own anchor", "an anchor that has ended"));
        };
        self.count(size, line)?;
        self.place_node(node, 0, size)
    }

    /// Puts a finished node where it belongs.
    fn place_node(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), Mistake> {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Table { entries, seen, key } => match key.take() {
                None => *key = Some(key_of(&node, &open.place)?),
                Some((name, line)) => {
                    if seen.insert(name.clone()) {
                        entries.push(Entry {
                            key: name,
                            line,
                            node,
                        });
                    } else {
                        let place = open.place.key(&name, line);
                        self.mistakes
                            .push(place.mistake("the key again", "each key once"));
                    }
                }
            },
        }
        Ok(())
    }
}

fn key_of(node: &Node, place: &Place) -> Result<(String, usize), Mistake> {
    match &node.value {
        Value::Text(text) => Ok((text.clone(), node.line)),
        _ => Err(place
            .at_line(node.line)
            .mistake(format!("{} as a key", node.given()), "text as a key")),
    }
}
