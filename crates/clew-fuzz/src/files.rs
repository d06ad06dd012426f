//! Files that users write, and those of other programs that are read beside them.

use clew::fuzzing as read;
use clew_runtime::config::Mistakes;

/// What is said when whoever read a value lost the mistake.
const WITHOUT_A_WORD: &str = "without a word";

/// `mesh.yaml`.
pub fn mesh_yaml(bytes: &[u8]) -> bool {
    told(bytes, read::mesh_yaml).is_some()
}

/// A compose file. What it means is a `mesh.yaml`, or one whose mistakes are told.
pub fn compose(bytes: &[u8]) -> bool {
    converted(bytes, read::compose)
}

/// A Procfile. What it means is as above.
pub fn procfile(bytes: &[u8]) -> bool {
    converted(bytes, read::procfile)
}

/// An OpenAPI document.
pub fn openapi(bytes: &[u8]) -> bool {
    named(told(bytes, read::openapi))
}

/// A `.proto` file.
pub fn proto(bytes: &[u8]) -> bool {
    named(told(bytes, read::proto))
}

/// What is read of a text; mistakes are told, each in one place of the text.
fn told<T>(bytes: &[u8], read: fn(&str) -> Result<T, Mistakes>) -> Option<T> {
    let text = str::from_utf8(bytes).ok()?;
    let lines = text.split(['\n', '\r']).count();
    match read(text) {
        Ok(value) => Some(value),
        Err(mistakes) => {
            assert!(!mistakes.is_empty(), "refused without a mistake");
            let words = mistakes.to_string();
            assert!(!words.contains(WITHOUT_A_WORD), "{words}");
            for mistake in mistakes.iter() {
                let line = mistake.place.line().unwrap_or(1);
                assert!(
                    (1..=lines).contains(&line),
                    "line {line} of {lines}: {words}"
                );
            }
            None
        }
    }
}

/// A conversion gives YAML that is read: as a mesh, or with mistakes in what the file's author wrote.
fn converted(bytes: &[u8], convert: fn(&str) -> Result<String, Mistakes>) -> bool {
    let Some(text) = told(bytes, convert) else {
        return false;
    };
    let read_back = clew_runtime::config::Document::parse("mesh.yaml", &text);
    if let Err(mistakes) = read_back {
        panic!("{mistakes}\n{text}");
    }
    told(text.as_bytes(), read::mesh_yaml);
    true
}

fn named(routes: Option<Vec<String>>) -> bool {
    let Some(routes) = routes else {
        return false;
    };
    assert!(!routes.is_empty(), "a description of nothing");
    for name in routes {
        assert!((1..=200).contains(&name.len()), "{name:?}");
    }
    true
}
