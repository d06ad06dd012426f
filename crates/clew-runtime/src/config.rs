//! Reading YAML settings so that **every mistake is reported at once**, each with file, line, key
//! path, what was given and what was expected.
//!
//! A group of settings is a type that implements [`Settings`]: one declaration per setting, which
//! reads it, refuses what is wrong, and documents it ([`docs`]):
//!
//! ```
//! use clew_runtime::config::{self, Settings, Table, integer, list, port, string};
//!
//! struct Service {
//!     port: u16,
//!     to: Vec<String>,
//!     replicas: u64,
//! }
//!
//! impl Settings for Service {
//!     fn declare(t: &mut Table<'_>) -> Option<Self> {
//!         let port = t.required("port", port(), "Port that the application listens on.");
//!         let to = t.default("to", list(string()), "[]", "Services that it calls.");
//!         let replicas = t.default("replicas", integer(1..=64), "1", "How many to start.");
//!         Some(Service { port: port?, to: to?, replicas: replicas? })
//!     }
//! }
//!
//! let mistakes = config::read::<Service>("mesh.yaml", "port: seven\nreplica: 2").err();
//! assert_eq!(
//!     mistakes.map(|m| m.to_string()).unwrap_or_default(),
//!     "mesh.yaml:1: port: given \"seven\", expected a port number from 1 to 65535\n\
//!      mesh.yaml:2: replica: given an unknown key, expected one of port, to, replicas \
//!      (did you mean replicas?)",
//! );
//! ```
//!
//! What a file is made of: [`Document`] and [`Node`] (text, lists and tables with their lines), read
//! by a [`Kind`]. Text is bounded in size, depth and number of values, aliases included, so that no
//! file can take the memory of the process that reads it.

mod collections;
pub mod docs;
mod mistake;
mod scalar;
mod table;
mod tree;

pub use collections::{List, Map, OneOrMany, list, map, one_or_many};
pub use mistake::{Located, Mistake, Mistakes, Place};
pub use scalar::{
    Scalar, boolean, byte_size, cidr, duration, host_pattern, integer, number, one_of, path, port,
    ratio, scalar, socket_addr, string,
};
pub use table::{Attempt, Group, Settings, Table, attempt, group, located};
pub use tree::{Bounds, Document, Entry, Node, Value};

use std::path::Path;

/// How a value is read from a node, and how it is described.
pub trait Kind {
    /// What reading gives.
    type Value;

    /// Reads the node at `place`. On `None` at least one mistake has been added.
    fn read(&self, node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Self::Value>;

    /// What it expects, for documents.
    fn shape(&self) -> docs::Shape;
}

/// Reads a whole text as one group of settings. `origin` is what mistakes name: the file.
pub fn read<T: Settings>(origin: &str, text: &str) -> Result<T, Mistakes> {
    Document::parse(origin, text)?.read(&group::<T>())
}

/// Reads a file as one group of settings. A file that cannot be read is a mistake too.
pub fn read_file<T: Settings>(file: &Path) -> Result<T, Mistakes> {
    let origin = file.display().to_string();
    match tree::load_text(file, Bounds::default()) {
        Ok(text) => read(&origin, &text),
        Err(why) => Err(Mistakes::one(
            Place::of(&origin).mistake(why, "a YAML file that can be read"),
        )),
    }
}

#[cfg(test)]
mod tests;
