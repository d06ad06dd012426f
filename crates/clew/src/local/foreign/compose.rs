//! A compose file, as far as a mesh can have what it says (Compose Specification): services, their ports,
//! commands, environment, dependencies and number. Containers are not started: a command is run as it is.

mod service;

use super::as_label;
use super::draft::{Draft, DraftPort, DraftService};
use clew_runtime::config::docs::Shape;
use clew_runtime::config::{Entry, Kind, Mistakes, Node, Place, Value};
use std::collections::HashMap;

/// A whole file.
pub(super) struct ComposeFile;

impl Kind for ComposeFile {
    type Value = Draft;

    fn read(&self, node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Draft> {
        let entries = table(node, place, mistakes)?;
        let mut draft = Draft::default();
        let mut services = None;
        let mut left_out = Vec::new();
        for entry in &entries {
            let place = place.key(&entry.key, entry.line);
            match entry.key.as_str() {
                "services" => services = Some((table(&entry.node, &place, mistakes)?, place)),
                "name" => draft.mesh = text(&entry.node).and_then(as_label),
                // It says nothing since version 2 of the specification.
                "version" => {}
                own if own.starts_with("x-") => {}
                other => left_out.push(other.to_owned()),
            }
        }
        draft.notes.extend(not_taken_over(&left_out));
        let Some((services, place)) = services else {
            mistakes.push(place.mistake("no services", "a compose file with services"));
            return None;
        };
        let names = names(&services, &place, mistakes);
        for entry in &services {
            let place = place.key(&entry.key, entry.line);
            let service = service::read(entry, &place, &names, mistakes);
            draft.services.extend(service);
        }
        tell_ports_apart(&mut draft.services);
        Some(draft)
    }

    fn shape(&self) -> Shape {
        Shape::Scalar("a compose file".to_owned())
    }
}

/// The mesh's names of the services, by those of the file.
fn names(services: &[Entry], place: &Place, mistakes: &mut Mistakes) -> HashMap<String, String> {
    let mut names: HashMap<String, String> = HashMap::new();
    for entry in services {
        let place = place.key(&entry.key, entry.line);
        let given = format!("the name {:?}", entry.key);
        match as_label(&entry.key) {
            None => mistakes.push(place.mistake(given, "a name with letters or digits")),
            Some(name) if names.values().any(|known| *known == name) => {
                let expected = format!("a name that is not {name} to the mesh, as another's is");
                mistakes.push(place.mistake(given, expected));
            }
            Some(name) => drop(names.insert(entry.key.clone(), name)),
        }
    }
    names
}

/// Each container has ports of its own; on one machine there is one of each.
fn tell_ports_apart(services: &mut [DraftService]) {
    let mut owners: HashMap<u16, String> = HashMap::new();
    for service in services {
        let Some(DraftPort::Number(port)) = service.port else {
            continue;
        };
        if let Some(owner) = owners.get(&port) {
            let note = format!("port {port} is {owner}'s: let the program listen on $PORT");
            service.notes.push(note);
            service.port = Some(DraftPort::Auto);
        } else {
            owners.insert(port, service.name.clone());
        }
    }
}

fn not_taken_over(keys: &[String]) -> Option<String> {
    (!keys.is_empty()).then(|| format!("not taken over: {}", keys.join(", ")))
}

fn text(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The entries of a table; those that are merged into it (`<<`) last, as they give way to its own.
fn table(node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<Vec<Entry>> {
    let entries = match &node.value {
        Value::Table(entries) => entries,
        Value::Nothing => return Some(Vec::new()),
        _ => {
            mistakes.push(place.mistake(node.given(), "a table"));
            return None;
        }
    };
    let (merged, own): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| entry.key == "<<");
    let mut all: Vec<Entry> = own.into_iter().cloned().collect();
    for merge in merged {
        let place = place.key("<<", merge.line);
        let tables = match &merge.node.value {
            Value::List(tables) => tables.to_vec(),
            _ => vec![merge.node.clone()],
        };
        for node in tables {
            for entry in table(&node, &place, mistakes)? {
                if !all.iter().any(|known| known.key == entry.key) {
                    all.push(entry);
                }
            }
        }
    }
    Some(all)
}
