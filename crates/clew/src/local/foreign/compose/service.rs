//! One service of a compose file.

use super::super::draft::{DraftPort, DraftService};
use super::{not_taken_over, table, text};
use crate::local::words::{self, WordsError};
use clew_runtime::config::{Entry, Mistakes, Node, Place, Value};
use std::collections::HashMap;

/// Keys that are about the container alone, and of no interest where there is none.
const ABOUT_CONTAINERS: [&str; 6] = [
    "container_name",
    "hostname",
    "labels",
    "logging",
    "stdin_open",
    "tty",
];

/// Reads it as far as it goes; `names` are those of all services.
pub(super) fn read(
    entry: &Entry,
    place: &Place,
    names: &HashMap<String, String>,
    mistakes: &mut Mistakes,
) -> Option<DraftService> {
    let entries = table(&entry.node, place, mistakes)?;
    let mut reading = Reading {
        service: DraftService {
            name: names.get(&entry.key)?.clone(),
            ..DraftService::default()
        },
        names,
        mistakes,
        image: None,
        is_built: false,
        entrypoint: Vec::new(),
        command: Vec::new(),
        is_command_known: true,
        ports: Vec::new(),
        exposed: Vec::new(),
        replicas: None,
        left_out: Vec::new(),
    };
    if reading.service.name != entry.key {
        let note = format!("{} in the compose file", entry.key);
        reading.service.notes.push(note);
    }
    for entry in &entries {
        let place = place.key(&entry.key, entry.line);
        reading.key(entry, &place);
    }
    Some(reading.finish())
}

/// A service while it is read.
struct Reading<'a> {
    service: DraftService,
    names: &'a HashMap<String, String>,
    mistakes: &'a mut Mistakes,
    image: Option<String>,
    is_built: bool,
    entrypoint: Vec<String>,
    command: Vec<String>,
    /// Nothing of its command is filled in by compose.
    is_command_known: bool,
    ports: Vec<u16>,
    exposed: Vec<u16>,
    replicas: Option<u64>,
    left_out: Vec<String>,
}

impl Reading<'_> {
    fn key(&mut self, entry: &Entry, place: &Place) {
        let node = &entry.node;
        match entry.key.as_str() {
            "image" => self.image = text(node).map(str::to_owned),
            "build" => self.build(node, place),
            "entrypoint" => self.entrypoint = self.command(node, place),
            "command" => self.command = self.command(node, place),
            "ports" => self.each(node, place, Self::port),
            "expose" => self.each(node, place, Self::exposed),
            "environment" => self.environment(node, place),
            "depends_on" => self.dependencies(node, place),
            "links" => self.each(node, place, Self::link),
            "restart" => self.restart(node, place),
            "scale" => self.replicas = self.number(node, place),
            "deploy" => self.deploy(node, place),
            key if ABOUT_CONTAINERS.contains(&key) || key.starts_with("x-") => {}
            other => self.left_out.push(other.to_owned()),
        }
    }

    fn refuse(&mut self, place: &Place, node: &Node, expected: &str) {
        self.mistakes.push(place.mistake(node.given(), expected));
    }

    fn build(&mut self, node: &Node, place: &Place) {
        self.is_built = true;
        let context = match &node.value {
            Value::Text(context) => Some(context.clone()),
            Value::Table(_) => table(node, place, self.mistakes)
                .into_iter()
                .flatten()
                .find(|entry| entry.key == "context")
                .and_then(|entry| text(&entry.node).map(str::to_owned)),
            _ => return self.refuse(place, node, "a folder, or a table"),
        };
        self.service.dir = context.filter(|dir| !matches!(dir.as_str(), "." | "./"));
    }

    /// The words of a command, with what compose would fill in.
    fn command(&mut self, node: &Node, place: &Place) -> Vec<String> {
        let words = match &node.value {
            Value::Nothing => Vec::new(),
            Value::Text(line) => match filled(line).map(|line| split(&line)) {
                None => vec![line.clone()],
                Some(Ok(words)) => return words,
                Some(Err(error)) => {
                    self.mistakes
                        .push(place.mistake(node.given(), error.to_string()));
                    return Vec::new();
                }
            },
            Value::List(items) if items.iter().all(|item| text(item).is_some()) => {
                items.iter().filter_map(text).map(str::to_owned).collect()
            }
            _ => {
                self.refuse(place, node, "a command, as text or as a list of its words");
                Vec::new()
            }
        };
        let known: Option<Vec<String>> = words.iter().map(|word| filled(word)).collect();
        known.unwrap_or_else(|| {
            self.is_command_known = false;
            words
        })
    }

    /// Reads every item of a list.
    fn each(&mut self, node: &Node, place: &Place, read: impl Fn(&mut Self, &Node, &Place)) {
        match &node.value {
            Value::Nothing => {}
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    read(self, item, &place.index(index, item.line));
                }
            }
            _ => self.refuse(place, node, "a list"),
        }
    }

    /// `[[ADDRESS:]PUBLISHED:]PORT[/PROTOCOL]`, or a table with `target`.
    fn port(&mut self, node: &Node, place: &Place) {
        const EXPECTED: &str = "a port, as [[ADDRESS:]PUBLISHED:]PORT[/tcp|/udp]";
        let given = match &node.value {
            Value::Text(given) => filled(given),
            Value::Table(_) => {
                let entries = table(node, place, self.mistakes).unwrap_or_default();
                let value = |key| {
                    let entry = entries.iter().find(|entry| entry.key == key)?;
                    text(&entry.node).and_then(filled)
                };
                let protocol = value("protocol").unwrap_or_else(|| "tcp".to_owned());
                value("target").map(|target| format!("{target}/{protocol}"))
            }
            _ => return self.refuse(place, node, EXPECTED),
        };
        let Some(given) = given else {
            let note = format!("port {} is filled in by compose: write it", node.given());
            return self.service.notes.push(note);
        };
        let (ports, protocol) = given.split_once('/').unwrap_or((&given, "tcp"));
        let (published, port) = match ports.rsplit_once(':') {
            Some((published, port)) => (Some(published), port),
            None => (None, ports),
        };
        match port.parse::<u16>() {
            Ok(_) if protocol == "udp" => {
                let note = format!("{port}/udp is not taken over: the mesh carries TCP");
                self.service.notes.push(note);
            }
            Ok(number) if number > 0 => {
                self.ports.push(number);
                if let Some(published) = published.filter(|published| !published.is_empty()) {
                    let note = format!(
                        "{published} of the host was its port {port}: for requests from outside, write a gateway"
                    );
                    self.service.notes.push(note);
                }
            }
            _ if is_range(port) => {
                let note = format!("ports {given} are not taken over: a service has one");
                self.service.notes.push(note);
            }
            _ => self.refuse(place, node, EXPECTED),
        }
    }

    fn exposed(&mut self, node: &Node, place: &Place) {
        let port = text(node).map(|port| port.trim_end_matches("/tcp"));
        match port.and_then(|port| port.parse::<u16>().ok()) {
            Some(port) if port > 0 => self.exposed.push(port),
            _ if text(node).is_some_and(|port| is_range(port) || port.ends_with("/udp")) => {}
            _ => self.refuse(place, node, "a port number"),
        }
    }

    /// A table, or a list of `NAME=VALUE`; without a value it is inherited, as it is anyway.
    fn environment(&mut self, node: &Node, place: &Place) {
        if let Value::List(_) = &node.value {
            return self.each(node, place, |this, item, place| match text(item) {
                Some(item) => {
                    if let Some((name, value)) = item.split_once('=') {
                        this.variable(name, value);
                    }
                }
                None => this.refuse(place, item, "NAME=VALUE"),
            });
        }
        for entry in table(node, place, self.mistakes).unwrap_or_default() {
            match &entry.node.value {
                Value::Text(value) => self.variable(&entry.key, value),
                Value::Nothing => {}
                _ => {
                    let place = place.key(&entry.key, entry.line);
                    self.refuse(&place, &entry.node, "text");
                }
            }
        }
    }

    fn variable(&mut self, name: &str, value: &str) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let is_name = !name.is_empty()
            && name.bytes().all(plain)
            && !name.starts_with(|first: char| first.is_ascii_digit());
        match filled(value) {
            Some(value) if is_name => self.service.env.push((name.to_owned(), value)),
            Some(_) => {
                let note = format!("variable {name} is not taken over");
                self.service.notes.push(note);
            }
            None => {
                let note = format!("{name}={value} is filled in by compose: write it to env");
                self.service.notes.push(note);
            }
        }
    }

    fn dependencies(&mut self, node: &Node, place: &Place) {
        if let Value::List(_) = &node.value {
            return self.each(node, place, Self::link);
        }
        for entry in table(node, place, self.mistakes).unwrap_or_default() {
            let place = place.key(&entry.key, entry.line);
            self.calls(&entry.key, &place);
        }
    }

    /// `SERVICE` or `SERVICE:ALIAS`.
    fn link(&mut self, node: &Node, place: &Place) {
        match text(node) {
            Some(link) => {
                let service = link.split(':').next().unwrap_or(link);
                self.calls(service, place);
            }
            None => self.refuse(place, node, "the name of a service of this file"),
        }
    }

    fn calls(&mut self, service: &str, place: &Place) {
        match self.names.get(service) {
            Some(name) if !self.service.to.contains(name) => self.service.to.push(name.clone()),
            Some(_) => {}
            None => {
                let given = format!("{service:?}");
                self.mistakes
                    .push(place.mistake(given, "the name of a service of this file"));
            }
        }
    }

    fn restart(&mut self, node: &Node, place: &Place) {
        let policy = text(node).map(|policy| policy.split(':').next().unwrap_or(policy));
        match policy {
            Some("no" | "false") => self.service.restart = Some("never"),
            Some("always" | "unless-stopped") => self.service.restart = Some("always"),
            Some("on-failure") => {}
            _ => self.refuse(place, node, "no, always, on-failure or unless-stopped"),
        }
    }

    fn deploy(&mut self, node: &Node, place: &Place) {
        for entry in table(node, place, self.mistakes).unwrap_or_default() {
            let place = place.key(&entry.key, entry.line);
            match entry.key.as_str() {
                "replicas" => self.replicas = self.number(&entry.node, &place),
                other => self.left_out.push(format!("deploy.{other}")),
            }
        }
    }

    fn number(&mut self, node: &Node, place: &Place) -> Option<u64> {
        let number = text(node).and_then(|text| text.parse::<u64>().ok());
        if !number.is_some_and(|number| (1..=64).contains(&number)) {
            self.refuse(place, node, "a whole number from 1 to 64");
            return None;
        }
        number
    }

    /// Puts together what only all keys say.
    fn finish(mut self) -> DraftService {
        self.take_port();
        self.take_command();
        let service = &mut self.service;
        if let Some(replicas) = self.replicas.filter(|replicas| *replicas > 1) {
            service.replicas = Some(replicas);
            if service.port.is_some() {
                service.port = Some(DraftPort::Auto);
                let note = "several instances cannot share a port: let the program listen on $PORT";
                service.notes.push(note.to_owned());
            }
        }
        service.notes.extend(not_taken_over(&self.left_out));
        self.service
    }

    fn take_port(&mut self) {
        let all = match self.ports.is_empty() {
            true => &self.exposed,
            false => &self.ports,
        };
        let Some((first, others)) = all.split_first() else {
            return;
        };
        self.service.port = Some(DraftPort::Number(*first));
        let others: Vec<String> = others
            .iter()
            .filter(|other| *other != first)
            .map(u16::to_string)
            .collect();
        if !others.is_empty() {
            let note = format!(
                "a service has one port; not taken over: {}",
                others.join(", ")
            );
            self.service.notes.push(note);
        }
    }

    fn take_command(&mut self) {
        let words: Vec<String> = [&self.entrypoint[..], &self.command].concat();
        let image = self.image.as_deref().unwrap_or("its image");
        let note = if words.is_empty() && self.is_built {
            "its command is in its Dockerfile: write it as `run`, or start it yourself".to_owned()
        } else if words.is_empty() {
            format!("{image} has its own command: write it as `run`, or start it yourself")
        } else if !self.is_command_known {
            format!(
                "compose fills in its command: write it as `run`: {}",
                words.join(" ")
            )
        } else {
            self.service.run = words;
            match self.is_built {
                true => return,
                false => format!("its command was in {image}: it has to be on this machine"),
            }
        };
        self.service.notes.push(note);
    }
}

fn is_range(ports: &str) -> bool {
    let number = |text: &str| text.parse::<u16>().is_ok();
    ports
        .split_once('-')
        .is_some_and(|(from, to)| number(from) && number(to))
}

/// Compose splits a line as a shell does and has none: what a shell would act on is text to it.
fn split(line: &str) -> Result<Vec<String>, WordsError> {
    match words::split(line) {
        Err(WordsError::NeedsShell(_)) => Ok(line.split_whitespace().map(str::to_owned).collect()),
        split => split,
    }
}

/// Text with what compose fills in from variables (Compose Specification, Interpolation): `$$` is a dollar,
/// `${NAME:-DEFAULT}` its default. `None` when only the variable itself says.
fn filled(text: &str) -> Option<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            filled.push('$');
            rest = after;
        } else if let Some(inner) = after.strip_prefix('{') {
            let (variable, after) = inner.split_once('}')?;
            let (_, default) = variable
                .split_once(":-")
                .or_else(|| variable.split_once('-'))?;
            filled.push_str(default);
            rest = after;
        } else if after.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
            return None;
        } else {
            filled.push('$');
            rest = after;
        }
    }
    filled.push_str(rest);
    Some(filled)
}
