//! Lists and tables with free keys.

use super::Kind;
use super::docs::Shape;
use super::mistake::{Mistakes, Place};
use super::scalar::Scalar;
use super::tree::{Node, Value};

/// A list; see [`list`].
#[derive(Debug)]
pub struct List<K> {
    item: K,
    not_empty: bool,
}

/// A list of values of one kind.
pub fn list<K: Kind>(item: K) -> List<K> {
    List {
        item,
        not_empty: false,
    }
}

impl<K: Kind> List<K> {
    /// Refuses an empty list.
    pub fn not_empty(mut self) -> Self {
        self.not_empty = true;
        self
    }
}

impl<K: Kind> Kind for List<K> {
    type Value = Vec<K::Value>;

    fn read(&self, node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self::Value> {
        match &node.value {
            Value::List(items) if !(items.is_empty() && self.not_empty) => {
                read_items(&self.item, items, place, mistakes)
            }
            _ => {
                let given = match &node.value {
                    Value::List(_) => "an empty list".to_owned(),
                    _ => node.given(),
                };
                mistakes.push(place.mistake(given, self.shape().expected()));
                None
            }
        }
    }

    fn shape(&self) -> Shape {
        Shape::List {
            item: Box::new(self.item.shape()),
            or_one: false,
            not_empty: self.not_empty,
        }
    }
}

/// One value, or a list of them; see [`one_or_many`].
#[derive(Debug)]
pub struct OneOrMany<K> {
    item: K,
    not_empty: bool,
}

/// One value, or a list of such values.
pub fn one_or_many<K: Kind>(item: K) -> OneOrMany<K> {
    OneOrMany {
        item,
        not_empty: false,
    }
}

impl<K: Kind> OneOrMany<K> {
    /// Refuses an empty list.
    pub fn not_empty(mut self) -> Self {
        self.not_empty = true;
        self
    }
}

impl<K: Kind> Kind for OneOrMany<K> {
    type Value = Vec<K::Value>;

    fn read(&self, node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self::Value> {
        match &node.value {
            Value::List(items) if items.is_empty() && self.not_empty => {
                mistakes.push(place.mistake("an empty list", self.shape().expected()));
                None
            }
            Value::List(items) => read_items(&self.item, items, place, mistakes),
            _ => self.item.read(node, place, mistakes).map(|one| vec![one]),
        }
    }

    fn shape(&self) -> Shape {
        Shape::List {
            item: Box::new(self.item.shape()),
            or_one: true,
            not_empty: self.not_empty,
        }
    }
}

/// Reads every item, so that the mistakes of all are told, and gives them if all are right.
fn read_items<K: Kind>(
    kind: &K,
    items: &[Node],
    place: &Place,
    mistakes: &mut Mistakes,
) -> Option<Vec<K::Value>> {
    let mut values = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        values.extend(kind.read(item, &place.index(i, item.line), mistakes));
    }
    (values.len() == items.len()).then_some(values)
}

/// A table with free keys; see [`map`].
#[derive(Debug)]
pub struct Map<N, K> {
    placeholder: &'static str,
    key: Scalar<N>,
    value: K,
    partial: bool,
}

/// A table whose keys are the file's to choose: pairs, in the order of the file. `placeholder` names
/// the key in documents, as in `services.<service>.port`.
pub fn map<N, K: Kind>(placeholder: &'static str, key: Scalar<N>, value: K) -> Map<N, K> {
    Map {
        placeholder,
        key,
        value,
        partial: false,
    }
}

impl<N, K> Map<N, K> {
    /// Gives the pairs that can be read although others cannot, as [`attempt`](super::attempt) does.
    pub fn partial(mut self) -> Self {
        self.partial = true;
        self
    }
}

impl<N, K: Kind> Kind for Map<N, K> {
    type Value = Vec<(N, K::Value)>;

    fn read(&self, node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self::Value> {
        let entries = match &node.value {
            Value::Table(entries) => entries,
            Value::Nothing => return Some(Vec::new()),
            _ => {
                mistakes.push(place.mistake(node.given(), self.shape().expected()));
                return None;
            }
        };
        let mut pairs = Vec::with_capacity(entries.len());
        for entry in entries.iter() {
            let place = place.key(&entry.key, entry.line);
            let key = self.key.read_key(&entry.key, &place, mistakes);
            let value = self.value.read(&entry.node, &place, mistakes);
            pairs.extend(key.zip(value));
        }
        (self.partial || pairs.len() == entries.len()).then_some(pairs)
    }

    fn shape(&self) -> Shape {
        Shape::Map {
            placeholder: self.placeholder,
            value: Box::new(self.value.shape()),
        }
    }
}
