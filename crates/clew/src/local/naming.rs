//! The name of a workload, made from the command that starts it.

use crate::label::is_label;
use std::ffi::OsString;
use std::path::Path;

/// Programs that run another one, which names the workload: the first argument that is no flag.
const INTERPRETERS: [&str; 11] = [
    "bash", "bun", "deno", "node", "perl", "php", "python", "ruby", "sh", "tsx", "uv",
];
/// Words between an interpreter and the program.
const VERBS: [&str; 1] = ["run"];

/// A DNS label from a command: `python3 app.py` is `app`, `./books` is `books`. `None` when nothing of it
/// can stand in one.
pub(crate) fn name_of(words: &[OsString]) -> Option<String> {
    let (program, arguments) = words.split_first()?;
    let program = stem(program);
    let name = if INTERPRETERS.contains(&program.trim_end_matches(is_version)) {
        script(arguments).unwrap_or(program)
    } else {
        program
    };
    as_label(&name)
}

/// `3`, `3.12`.
fn is_version(character: char) -> bool {
    character.is_ascii_digit() || character == '.'
}

/// What an interpreter is to run, if it is a file (`app.py`) or a module (`-m app`), and no text
/// (`-c`, `-e`).
fn script(arguments: &[OsString]) -> Option<String> {
    let mut words = arguments.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        match &*word {
            "-m" => return words.next().map(|module| module.into_owned()),
            "-c" | "-e" => return None,
            flag if flag.starts_with('-') || VERBS.contains(&flag) => {}
            _ => return Some(stem(&word.into_owned().into())),
        }
    }
    None
}

/// The name of a file, without its folder and its ending.
fn stem(file: &OsString) -> String {
    let path = Path::new(file);
    let name = path.file_stem().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn as_label(text: &str) -> Option<String> {
    let plain = |character: char| match character.to_ascii_lowercase() {
        plain @ ('a'..='z' | '0'..='9') => plain,
        _ => '-',
    };
    let name: String = text.chars().map(plain).take(63).collect();
    let name = name.trim_matches('-');
    is_label(name).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn a_command_names_its_workload_by_its_program_or_script() {
        for (command, name) in [
            ("./books", Some("books")),
            ("/usr/bin/Book_Shop.exe", Some("book-shop")),
            ("python3 app.py", Some("app")),
            ("python3.12 -u services/web_app.py --debug", Some("web-app")),
            ("python -m http.server 8000", Some("http-server")),
            ("node --enable-source-maps dist/index.js", Some("index")),
            ("deno run -A main.ts", Some("main")),
            ("sh -c ./serve", Some("sh")),
            ("python3", Some("python3")),
            ("npm start", Some("npm")),
            ("./-", None),
            ("", None),
        ] {
            let words: Vec<_> = command.split(' ').map(Into::into).collect();
            assert_eq!(name_of(&words).as_deref(), name, "{command}");
        }
    }
}
