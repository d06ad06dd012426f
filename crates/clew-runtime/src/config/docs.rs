//! Documents from the declarations that read the settings: a reference.

use super::Kind;
use super::{Settings, group};

/// What a kind expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A single value.
    /// In words; completes "expected ...".
    Scalar(String),
    /// A list.
    List {
        /// What its items are.
        item: Box<Shape>,
        /// One item may stand without the list around it.
        or_one: bool,
        /// It holds at least one item.
        not_empty: bool,
    },
    /// A table whose keys are free.
    Map {
        /// Stands for the key in paths: `services.<service>`.
        placeholder: &'static str,
        /// What they are set to.
        value: Box<Shape>,
    },
    /// A table of settings.
    Table(Vec<Setting>),
}

/// One declared setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its key in its table.
    pub key: &'static str,
    /// Whether it must be there.
    pub need: Need,
    /// What it does, in a sentence.
    pub text: &'static str,
    /// What can stand there.
    pub shape: Shape,
}

/// Whether a setting must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Required,
    /// It may be left out.
    Optional,
    /// Left out, it is this, as it would be written in the file.
    Default(&'static str),
}

impl Shape {
    /// Completes "expected ...".
    pub fn expected(&self) -> String {
        match self {
            Shape::Scalar(expected) => expected.clone(),
            Shape::List { item, .. } => self.list_of(&item.expected()),
            Shape::Map { placeholder, .. } => format!("a table by {placeholder}"),
            Shape::Table(settings) => {
                let keys: Vec<&str> = settings.iter().map(|s| s.key).collect();
                format!("a table of {}", keys.join(", "))
            }
        }
    }

    /// This list, in words, of what `item` says.
    fn list_of(&self, item: &str) -> String {
        match self {
            Shape::List {
                or_one: true,
                not_empty: true,
                ..
            } => format!("{item}, or a list of at least one such"),
            Shape::List { or_one: true, .. } => format!("{item}, or a list of such"),
            Shape::List {
                not_empty: true, ..
            } => format!("a list of at least one: {item}"),
            _ => format!("a list of: {item}"),
        }
    }
}

/// The reference of a group of settings: a Markdown table for each table of the file.
pub fn markdown<T: Settings>() -> String {
    let mut out = String::new();
    sections("", &group::<T>().shape(), &mut out);
    out
}

fn sections(path: &str, shape: &Shape, out: &mut String) {
    match shape {
        Shape::Scalar(_) => {}
        Shape::List { item, .. } => sections(&format!("{path}[]"), item, out),
        Shape::Map {
            placeholder, value, ..
        } => sections(&join(path, &format!("<{placeholder}>")), value, out),
        Shape::Table(settings) => {
            let title = match path {
                "" => "The file".to_owned(),
                path => format!("`{path}`"),
            };
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&format!(
                "## {title}\n\n| key | value | default | what |\n|---|---|---|---|\n"
            ));
            for setting in settings {
                out.push_str(&row(path, setting));
            }
            for setting in settings {
                sections(&join(path, setting.key), &setting.shape, out);
            }
        }
    }
}

fn row(path: &str, setting: &Setting) -> String {
    let default = match setting.need {
        Need::Required => "required".to_owned(),
        Need::Optional => String::new(),
        Need::Default(default) => format!("`{default}`"),
    };
    let value = value_cell(&join(path, setting.key), &setting.shape);
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    format!(
        "| `{}` | {} | {} | {} |\n",
        setting.key,
        cell(&value),
        cell(&default),
        cell(setting.text)
    )
}

/// What a cell says of the value: nested tables by the title of their section.
fn value_cell(path: &str, shape: &Shape) -> String {
    match shape {
        Shape::Scalar(expected) => expected.clone(),
        Shape::Table(_) => format!("a table: `{path}`"),
        Shape::List { item, .. } => shape.list_of(&value_cell(&format!("{path}[]"), item)),
        Shape::Map {
            placeholder, value, ..
        } => {
            let value = value_cell(&join(path, &format!("<{placeholder}>")), value);
            format!("by {placeholder}: {value}")
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
