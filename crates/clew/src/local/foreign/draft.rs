//! A `mesh.yaml` that is being put together, with what is to be said beside it.

use std::fmt::Write as _;

/// A whole file.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Name of the mesh, where the origin gives one.
    pub(super) mesh: Option<String>,
    /// What is said at the top.
    pub(super) notes: Vec<String>,
    /// The services, in their order.
    pub(super) services: Vec<DraftService>,
}

/// A service. What is empty is not written.
#[derive(Debug, Default)]
pub(super) struct DraftService {
    /// Its name.
    pub(super) name: String,
    /// What is said before it.
    pub(super) notes: Vec<String>,
    /// Its port.
    pub(super) port: Option<DraftPort>,
    /// The words of its command.
    pub(super) run: Vec<String>,
    /// Its working directory.
    pub(super) dir: Option<String>,
    /// Its environment.
    pub(super) env: Vec<(String, String)>,
    /// Whether it is started again.
    pub(super) restart: Option<&'static str>,
    /// Number of instances.
    pub(super) replicas: Option<u64>,
    /// Services that it calls.
    pub(super) to: Vec<String>,
}

/// A port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DraftPort {
    /// This one.
    Number(u16),
    /// The program reads `PORT`.
    Auto,
}

impl Draft {
    /// As text. `folder` names the mesh where nothing else does.
    pub(super) fn render(&self, origin: &str, folder: &str) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "# What {} means to Clew. Paths in it are relative to the folder that it lies in.",
            one_line(origin)
        );
        comment(&mut text, "", &self.notes);
        let _ = writeln!(
            text,
            "mesh: {}\nservices:",
            quoted(self.mesh.as_deref().unwrap_or(folder))
        );
        for service in &self.services {
            service.render(&mut text);
        }
        text
    }
}

impl DraftService {
    fn render(&self, text: &mut String) {
        comment(text, "  ", &self.notes);
        let keys = self.keys();
        // A name such as 8080 or null is text only in quotes.
        let name = quoted(&self.name);
        if keys.is_empty() {
            let _ = writeln!(text, "  {name}: {{}}");
            return;
        }
        let _ = writeln!(text, "  {name}:");
        for (key, value) in keys {
            let _ = writeln!(text, "    {key}: {value}");
        }
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        let mut keys = Vec::new();
        match self.port {
            Some(DraftPort::Number(number)) => keys.push(("port", number.to_string())),
            Some(DraftPort::Auto) => keys.push(("port", "auto".to_owned())),
            None => {}
        }
        if !self.run.is_empty() {
            keys.push(("run", list(&self.run)));
        }
        keys.extend(self.dir.as_ref().map(|dir| ("dir", quoted(dir))));
        if !self.env.is_empty() {
            let pairs = self.env.iter();
            let pairs = pairs.map(|(name, value)| format!("{}: {}", quoted(name), quoted(value)));
            let pairs: Vec<String> = pairs.collect();
            keys.push(("env", format!("{{ {} }}", pairs.join(", "))));
        }
        keys.extend(self.restart.map(|restart| ("restart", restart.to_owned())));
        keys.extend(self.replicas.map(|n| ("replicas", n.to_string())));
        if !self.to.is_empty() {
            keys.push(("to", list(&self.to)));
        }
        keys
    }
}

fn list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", words.join(", "))
}

/// Text as YAML takes it for text: bare where that is plain to see, else as JSON writes it, which YAML reads.
fn quoted(text: &str) -> String {
    let is_bare = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str());
    match is_bare {
        true => text.to_owned(),
        false => serde_json::Value::from(text).to_string(),
    }
}

/// Comments hold what came from elsewhere, which may hold ends of lines, and the one other character that YAML
/// does not take there.
fn one_line(text: &str) -> String {
    crate::output::clean(text).replace('\u{feff}', "\\u{feff}")
}

fn comment(text: &mut String, indent: &str, notes: &[String]) {
    for note in notes {
        let _ = writeln!(text, "{indent}# {}", one_line(note));
    }
}
