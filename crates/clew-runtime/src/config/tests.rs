#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;
use std::time::Duration;

/// A file of the shape that `mesh.yaml` has: tables by name, lists, defaults, references.
#[derive(Debug, PartialEq)]
struct Mesh {
    sample: f64,
    retention: Duration,
    services: Vec<(String, Service)>,
}

#[derive(Debug, PartialEq)]
struct Service {
    port: u16,
    speaks: Speaks,
    to: Vec<Located<String>>,
    env: Vec<(String, String)>,
    health: Option<Health>,
}

#[derive(Debug, PartialEq)]
struct Health {
    path: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Speaks {
    Http,
    Opaque,
}

fn any_time() -> Scalar<Duration> {
    duration(Duration::ZERO..=Duration::MAX)
}

impl Settings for Mesh {
    fn declare(t: &mut Table<'_>) -> Option<Self> {
        let sample = t.default("sample", ratio(), "1", "Share of new traces to keep.");
        let retention = t.default("retention", any_time(), "1h", "How long spans are kept.");
        let services = t.required(
            "services",
            map("service", string(), group::<Service>()),
            "Services of the mesh, by name.",
        );
        let mesh = Mesh {
            sample: sample?,
            retention: retention?,
            services: services?,
        };
        mesh.refuse_unknown_services(t);
        Some(mesh)
    }
}

impl Mesh {
    fn refuse_unknown_services(&self, t: &mut Table<'_>) {
        for called in self.services.iter().flat_map(|(_, s)| &s.to) {
            if !self.services.iter().any(|(name, _)| *name == called.value) {
                let given = format!("{:?}", called.value);
                t.note(
                    called
                        .place
                        .mistake(given, "the name of a service of this file"),
                );
            }
        }
    }
}

impl Settings for Service {
    fn declare(t: &mut Table<'_>) -> Option<Self> {
        let port = t.required("port", port(), "Port that the application listens on.");
        let speaks = t.default(
            "speaks",
            one_of(&[("http", Speaks::Http), ("opaque", Speaks::Opaque)]),
            "http",
            "What the port speaks.",
        );
        let to = t.default(
            "to",
            list(located(string())),
            "[]",
            "Services that it calls.",
        );
        let env = t.default("env", map("name", string(), string()), "{}", "Environment.");
        let health = t.optional("health", group::<Health>(), "How to ask for its health.");
        Some(Service {
            port: port?,
            speaks: speaks?,
            to: to?,
            env: env?,
            health: health?,
        })
    }
}

impl Settings for Health {
    fn declare(t: &mut Table<'_>) -> Option<Self> {
        let path = t.default("path", string(), "/", "Path | to ask.");
        Some(Health { path: path? })
    }
}

fn mistakes_of(text: &str) -> String {
    read::<Mesh>("mesh.yaml", text).unwrap_err().to_string()
}

#[test]
fn a_right_file_is_read_with_its_defaults() {
    let text = "
services:
  books: { port: 7002, speaks: opaque, to: [authors] }
  authors:
    port: '7001'
    env:
      A: 1
      B: two
    health:
";
    let mesh = read::<Mesh>("mesh.yaml", text).unwrap();
    assert_eq!(
        (mesh.sample, mesh.retention),
        (1.0, Duration::from_secs(3600))
    );
    let (name, books) = &mesh.services[0];
    assert_eq!((name.as_str(), books.port), ("books", 7002));
    assert_eq!(books.speaks, Speaks::Opaque);
    assert_eq!(books.to[0].value, "authors");
    assert_eq!(books.health, None);
    let (_, authors) = &mesh.services[1];
    assert_eq!(
        authors.env,
        [("A".into(), "1".into()), ("B".into(), "two".into())]
    );
    assert_eq!(authors.health, Some(Health { path: "/".into() }));
}

#[test]
fn every_mistake_of_a_file_is_reported_at_once_with_line_and_path() {
    let text = "\
sample: 1.5
retention: soon
services:
  books:
    port: seven
    speeks: http
    to: authors
  authors:
    speaks: gopher
    env: [A, B]
    port: 70000
    port: 7001
  web.app:
    health: yes
";
    assert_eq!(
        mistakes_of(text),
        "\
mesh.yaml:1: sample: given \"1.5\", expected a ratio from 0 to 1
mesh.yaml:2: retention: given \"soon\", expected a time such as 250ms, 30s or 5m
mesh.yaml:5: services.books.port: given \"seven\", expected a port number from 1 to 65535
mesh.yaml:6: services.books.speeks: given an unknown key, expected one of port, speaks, to, env, health (did you mean speaks?)
mesh.yaml:7: services.books.to: given \"authors\", expected a list of: text
mesh.yaml:9: services.authors.speaks: given \"gopher\", expected http or opaque
mesh.yaml:10: services.authors.env: given a list, expected a table by name
mesh.yaml:11: services.authors.port: given \"70000\", expected a port number from 1 to 65535
mesh.yaml:12: services.authors.port: given the key again, expected each key once
mesh.yaml:13: services.\"web.app\".port: given nothing, expected a port number from 1 to 65535
mesh.yaml:14: services.\"web.app\".health: given \"yes\", expected a table of path"
    );
}

#[test]
fn a_reference_to_nothing_is_reported_where_it_is_written() {
    assert_eq!(
        mistakes_of("services:\n  books:\n    port: 1\n    to:\n      - bookz\n"),
        "mesh.yaml:5: services.books.to[0]: given \"bookz\", \
         expected the name of a service of this file"
    );
}

#[test]
fn an_empty_file_lacks_what_is_required() {
    for text in ["", "# nothing\n", "---\n", "~"] {
        assert_eq!(
            mistakes_of(text),
            "mesh.yaml:1: services: given nothing, expected a table by service"
        );
    }
}

#[test]
fn text_that_is_no_yaml_is_one_mistake_with_its_line() {
    // What is missing at the end is missing in the last line in which something stands.
    for end in ["", "\n", "\r\n", "\n\n\n"] {
        let said = mistakes_of(&format!("services:\n  books: [1, 2{end}"));
        assert!(
            said.starts_with("mesh.yaml:2: given text that is not YAML ("),
            "{said}"
        );
        assert!(said.ends_with("), expected YAML"), "{said}");
    }
}

#[test]
fn one_document_without_tags_and_with_keys_of_text() {
    assert_eq!(
        mistakes_of("a: 1\n---\nb: 2\n"),
        "mesh.yaml:2: given a second document, expected one document"
    );
    assert_eq!(
        mistakes_of("services: !!map {}\n"),
        "mesh.yaml:1: services: given the tag \"tag:yaml.org,2002:!map\", \
         expected a value without a tag"
    );
    assert_eq!(
        mistakes_of("services:\n  [a, b]: 1\n"),
        "mesh.yaml:2: services: given a list as a key, expected text as a key"
    );
}

#[test]
fn aliases_repeat_what_they_name_and_cost_what_they_repeat() {
    let text = "services: { a: &one { port: 1 }, b: *one }";
    let mesh = read::<Mesh>("mesh.yaml", text).unwrap();
    assert_eq!(mesh.services[0].1, mesh.services[1].1);

    // Nine levels of nine aliases: 9^9 values if they were all built.
    let mut laughs = String::from("l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..9 {
        let below = vec![format!("*l{}", level - 1); 9].join(", ");
        laughs.push_str(&format!("l{level}: &l{level} [{below}]\n"));
    }
    let said = mistakes_of(&laughs);
    assert!(
        said.contains("given too many values, expected at most 50000 values"),
        "{said}"
    );
}

#[test]
fn an_anchor_that_contains_itself_is_refused() {
    let said = mistakes_of("services: &a [*a]\n");
    assert!(said.starts_with("mesh.yaml:1: "), "{said}");
}

#[test]
fn depth_and_size_are_bounded() {
    let flow = "[".repeat(200);
    let block = "- ".repeat(10_000);
    for text in [flow, block] {
        let said = mistakes_of(&text);
        assert!(
            said.contains("too many lists and tables inside one another"),
            "{said}"
        );
    }
    let said = mistakes_of(&"a".repeat(1024 * 1024 + 1));
    assert_eq!(
        said,
        "mesh.yaml: given 1048577 bytes, expected at most 1048576 bytes"
    );
}

#[test]
fn mistakes_past_the_bound_are_counted() {
    let text: String = (0..150).map(|i| format!("unknown{i}: 1\n")).collect();
    let said = mistakes_of(&text);
    assert_eq!(said.lines().count(), 101);
    assert!(said.ends_with("\nand 51 more"), "{said}");
}

#[test]
fn a_file_that_cannot_be_read_is_a_mistake() {
    let said = read_file::<Mesh>(Path::new("/does/not/exist.yaml"))
        .unwrap_err()
        .to_string();
    assert!(
        said.starts_with("/does/not/exist.yaml: given a file that cannot be read ("),
        "{said}"
    );
}

#[test]
fn what_is_given_is_cut_and_made_visible() {
    let said = mistakes_of(&format!(
        "sample: \"\\e[2J{}\"\nservices:\n",
        "x".repeat(100)
    ));
    assert!(said.contains("given \"\\u{1b}[2Jxxx"), "{said}");
    assert!(said.len() < 160, "{said}");
}

#[test]
fn a_flag_is_read_by_the_kind_that_reads_the_file() {
    assert_eq!(ratio().read_text("--sample", "0.25"), Ok(0.25));
    assert_eq!(
        ratio().read_text("--sample", "2").unwrap_err().to_string(),
        "--sample: given \"2\", expected a ratio from 0 to 1"
    );
}

fn accepts<T: std::fmt::Debug + PartialEq>(kind: &Scalar<T>, text: &str, value: T) {
    assert_eq!(kind.read_text("", text), Ok(value), "{text}");
}

fn refuses<T: std::fmt::Debug + PartialEq>(kind: &Scalar<T>, texts: &[&str]) {
    for text in texts {
        assert!(kind.read_text("", text).is_err(), "{text}");
    }
}

#[test]
fn single_values_accept_what_they_say() {
    accepts(&any_time(), "250ms", Duration::from_millis(250));
    accepts(&any_time(), "0s", Duration::ZERO);
    accepts(&any_time(), "2d", Duration::from_secs(172_800));
    refuses(
        &any_time(),
        &[
            "",
            "5",
            "s",
            "1.5s",
            "-1s",
            "5 s",
            "99999999999999999999s",
            "99999999999999d",
        ],
    );
    let short = duration(Duration::from_millis(1)..=Duration::from_secs(60));
    refuses(&short, &["0s", "61s"]);
    assert_eq!(short.shape().expected(), "a time from 1ms to 1m");

    accepts(&byte_size(0..=u64::MAX), "1GiB", 1 << 30);
    accepts(&byte_size(0..=u64::MAX), "0B", 0);
    refuses(
        &byte_size(0..=u64::MAX),
        &["1", "1G", "1gib", "-1B", "99999999TiB", "1.5GiB"],
    );

    refuses(&ratio(), &["", "nan", "inf", "-0.1", "1.01", "50%"]);
    accepts(&integer(0..=u64::MAX), "18446744073709551615", u64::MAX);
    refuses(&integer(1..=9), &["0", "10", "+1", "1.0", "0x1", "1_0"]);
    refuses(&port(), &["0", "65536", "-1"]);
    refuses(&boolean(), &["yes", "True", "1"]);
    accepts(&socket_addr(), "[::1]:0", "[::1]:0".parse().unwrap());
    refuses(&socket_addr(), &["localhost:80", "127.0.0.1", ":80"]);

    accepts(
        &host_pattern(),
        "*.Books.example",
        "*.books.example".to_owned(),
    );
    refuses(
        &host_pattern(),
        &["", "*", "*.", "a..b", "-a", "a_b", "*.*.a", "a/b", "a:80"],
    );

    accepts(&cidr(), "10.0.0.0/8", ("10.0.0.0".parse().unwrap(), 8));
    accepts(&cidr(), "::1", ("::1".parse().unwrap(), 128));
    accepts(&cidr(), "0.0.0.0/0", ("0.0.0.0".parse().unwrap(), 0));
    refuses(
        &cidr(),
        &[
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/+8",
        ],
    );
    refuses(&path(), &["", "a\0b"]);
}

#[test]
fn one_value_stands_for_a_list_of_one() {
    struct Command(Vec<String>);
    impl Settings for Command {
        fn declare(t: &mut Table<'_>) -> Option<Self> {
            let command = t.required("run", one_or_many(string()), "What to run.");
            Some(Command(command?))
        }
    }
    assert_eq!(read::<Command>("f", "run: a").unwrap().0, ["a"]);
    assert_eq!(read::<Command>("f", "run: [a, b]").unwrap().0, ["a", "b"]);
    let said = read::<Command>("f", "run: {}").err().unwrap().to_string();
    assert_eq!(said, "f:1: run: given a table, expected text");
}

#[test]
fn a_list_that_must_not_be_empty_says_so() {
    let document = Document::parse("f", "[]").unwrap();
    let said = document
        .read(&list(port()).not_empty())
        .unwrap_err()
        .to_string();
    assert_eq!(
        said,
        "f:1: given an empty list, expected a list of at least one: a port number from 1 to 65535"
    );
}

#[test]
fn a_default_that_its_own_kind_refuses_is_told_to_the_developer() {
    #[derive(Debug)]
    struct Broken;
    impl Settings for Broken {
        fn declare(t: &mut Table<'_>) -> Option<Self> {
            t.default("port", port(), "zero", "A port.").map(|_| Broken)
        }
    }
    let said = read::<Broken>("f", "").unwrap_err().to_string();
    assert!(
        said.starts_with("default of port:1: given \"zero\""),
        "{said}"
    );
}

#[test]
fn the_reference_has_a_section_for_each_table() {
    assert_eq!(
        docs::markdown::<Mesh>(),
        "\
## The file

| key | value | default | what |
|---|---|---|---|
| `sample` | a ratio from 0 to 1 | `1` | Share of new traces to keep. |
| `retention` | a time such as 250ms, 30s or 5m | `1h` | How long spans are kept. |
| `services` | by service: a table: `services.<service>` | required | Services of the mesh, by name. |

## `services.<service>`

| key | value | default | what |
|---|---|---|---|
| `port` | a port number from 1 to 65535 | required | Port that the application listens on. |
| `speaks` | http or opaque | `http` | What the port speaks. |
| `to` | a list of: text | `[]` | Services that it calls. |
| `env` | by name: text | `{}` | Environment. |
| `health` | a table: `services.<service>.health` |  | How to ask for its health. |

## `services.<service>.health`

| key | value | default | what |
|---|---|---|---|
| `path` | text | `/` | Path \\| to ask. |
"
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[ -~\n]{0,200}") {
        let _ = read::<Mesh>("f", &text);
    }

    #[test]
    fn no_text_of_yaml_marks_makes_the_reader_panic(
        text in "([\\[\\]{}:,&*!|>'\"%@`#?~-]|[ab \n\t]|---|\\.\\.\\.|<<|é|\u{feff}){0,60}"
    ) {
        let _ = read::<Mesh>("f", &text);
    }

    #[test]
    fn a_text_that_is_written_quoted_is_read_as_it_was(text in "[ -~]{1,40}") {
        let yaml = format!("path: '{}'", text.replace('\'', "''"));
        prop_assert_eq!(read::<Health>("f", &yaml).unwrap().path, text);
    }
}
