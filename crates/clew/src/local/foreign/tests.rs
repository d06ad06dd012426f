#![allow(clippy::unwrap_used)]

use super::{as_label, convert};
use crate::local::mesh_file;
use crate::local::plan::{MeshPlan, PortChoice, Restart, ServicePlan};

/// What a file of this name and text means.
fn meaning(name: &str, text: &str) -> Result<String, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("My_Shop");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    let origin = format!("{}:", file.display());
    convert(&file).map_err(|mistakes| {
        let lines = mistakes.iter().map(ToString::to_string);
        lines.map(|line| line.replace(&origin, "")).collect()
    })
}

/// The same, as `clew up` understands it.
fn plan(name: &str, text: &str) -> (String, MeshPlan) {
    let meaning = meaning(name, text).unwrap();
    let plan = mesh_file::parse("mesh.yaml", &meaning);
    let plan = plan.unwrap_or_else(|mistakes| panic!("{mistakes}\n{meaning}"));
    (meaning, plan)
}

fn words(service: &ServicePlan) -> &[String] {
    &service.program.as_ref().unwrap().words
}

fn fixed(port: u16) -> Option<PortChoice> {
    Some(PortChoice::Fixed(([127, 0, 0, 1], port).into()))
}

const COMPOSE: &str = r#"
version: "3.9"
x-common: &common
  restart: unless-stopped
  environment: { LOG: debug }
services:
  web_app:
    <<: *common
    build: ./web
    command: python3 -m "web app" --port 8000
    ports: ["127.0.0.1:80:8000", "9000-9010:9000-9010"]
    depends_on:
      api: { condition: service_healthy }
    healthcheck: { test: [CMD, "true"] }
  api:
    build: { context: . }
    entrypoint: [node]
    command: [server.js, "--cost=$$5"]
    environment:
      - DATABASE_URL=postgres://${DB_HOST:-db}/shop
      - SECRET=${SECRET}
      - HOME
    expose: ["8000"]
    depends_on: [db]
    deploy: { replicas: 2 }
  db:
    image: postgres:17
    ports:
      - target: 5432
        published: 5432
    volumes: [data:/var/lib/postgresql]
    restart: "no"
volumes: { data: {} }
"#;

#[test]
fn a_compose_file_is_taken_over_as_far_as_a_mesh_can_have_it() {
    let (text, plan) = plan("docker-compose.yaml", COMPOSE);
    assert_eq!(plan.name, "my-shop");
    let [web, api, db] = plan.services.as_slice() else {
        panic!("{text}")
    };
    assert_eq!(web.name.as_str(), "web-app");
    assert_eq!(words(web), ["python3", "-m", "web app", "--port", "8000"]);
    let program = web.program.as_ref().unwrap();
    assert_eq!(program.restart, Restart::Always);
    assert_eq!(program.env, [("LOG".to_owned(), "debug".to_owned())]);
    assert_eq!((web.port, web.to[0].as_str()), (fixed(8000), "api"));

    assert_eq!(words(api), ["node", "server.js", "--cost=$5"]);
    let env = &api.program.as_ref().unwrap().env;
    let database = ("DATABASE_URL".to_owned(), "postgres://db/shop".to_owned());
    assert_eq!(env, &[database]);
    assert_eq!((api.port, api.replicas), (Some(PortChoice::System), 2));

    assert!(db.program.is_none());
    assert_eq!(db.port, fixed(5432));
}

#[test]
fn what_a_mesh_cannot_have_is_named_where_it_would_stand() {
    let text = meaning("compose.yml", COMPOSE).unwrap();
    let comments = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("# "));
    let comments: Vec<&str> = comments.skip(1).collect();
    assert_eq!(
        comments,
        [
            "not taken over: volumes",
            "web_app in the compose file",
            "127.0.0.1:80 of the host was its port 8000: for requests from outside, write a gateway",
            "ports 9000-9010:9000-9010 are not taken over: a service has one",
            "not taken over: healthcheck",
            "SECRET=${SECRET} is filled in by compose: write it to env",
            "several instances cannot share a port: let the program listen on $PORT",
            "postgres:17 has its own command: write it as `run`, or start it yourself",
            "not taken over: volumes",
        ]
    );
}

#[test]
fn two_containers_with_one_port_are_told_apart() {
    let compose = "services:\n  a: { image: x, command: run, expose: [80] }\n  b: { image: x, command: run, expose: [80] }\n";
    let (text, plan) = plan("compose.yaml", compose);
    assert_eq!(plan.services[0].port, fixed(80));
    assert_eq!(plan.services[1].port, Some(PortChoice::System), "{text}");
    assert!(text.contains("# port 80 is a's"), "{text}");
}

#[test]
fn all_mistakes_of_a_compose_file_are_told_with_their_lines() {
    let compose = "\
services:
  web:
    command: { a: b }
    ports: [http, 80]
    depends_on: [bookz]
  books: 7
  __: {}
  Web: { image: a }
  db:
    restart: sometimes
    scale: many
    environment: { A: [b] }
    command: say 'it
";
    assert_eq!(
        meaning("compose.yaml", compose).unwrap_err(),
        [
            r#"3: services.web.command: given a table, expected a command, as text or as a list of its words"#,
            r#"4: services.web.ports[0]: given "http", expected a port, as [[ADDRESS:]PUBLISHED:]PORT[/tcp|/udp]"#,
            r#"5: services.web.depends_on[0]: given "bookz", expected the name of a service of this file"#,
            r#"6: services.books: given "7", expected a table"#,
            r#"7: services.__: given the name "__", expected a name with letters or digits"#,
            r#"8: services.Web: given the name "Web", expected a name that is not web to the mesh, as another's is"#,
            r#"10: services.db.restart: given "sometimes", expected no, always, on-failure or unless-stopped"#,
            r#"11: services.db.scale: given "many", expected a whole number from 1 to 64"#,
            r#"12: services.db.environment.A: given a list, expected text"#,
            r#"13: services.db.command: given "say 'it", expected a closing '"#,
        ]
    );
    assert_eq!(
        meaning("compose.yaml", "version: '3'").unwrap_err(),
        ["1: given no services, expected a compose file with services"]
    );
}

#[test]
fn a_procfile_is_taken_over_with_a_shell_only_where_it_needs_one() {
    let procfile = "\
# what runs
web: bundle exec puma -p $PORT
worker: python3 'the worker.py'

Mailer: QUEUE=mail python3 worker.py
api: node api.js --port ${PORT}
";
    let (text, plan) = plan("Procfile.dev", procfile);
    let [web, worker, mailer, api] = plan.services.as_slice() else {
        panic!("{text}")
    };
    assert_eq!(words(web), ["sh", "-c", "bundle exec puma -p $PORT"]);
    assert_eq!(words(worker), ["python3", "the worker.py"]);
    assert_eq!(words(mailer), ["sh", "-c", "QUEUE=mail python3 worker.py"]);
    assert_eq!(mailer.name.as_str(), "mailer");
    let auto = Some(PortChoice::System);
    assert_eq!((web.port, worker.port, api.port), (auto, None, auto));
}

/// The mark went into a comment, where YAML takes none.
#[test]
fn a_procfile_with_a_byte_order_mark_is_one_without() {
    let (text, with) = plan("Procfile", "\u{feff}web: serve\nw\u{feff}orker: x\n");
    assert!(!text.contains('\u{feff}'), "{text}");
    let names: Vec<_> = with.services.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["web", "w-orker"]);
}

#[test]
fn all_mistakes_of_a_procfile_are_told_with_their_lines() {
    let procfile = "web: a\nthis is no line\nworker:\nweb: b\n--: c\n";
    assert_eq!(
        meaning("Procfile", procfile).unwrap_err(),
        [
            r#"2: given "this is no line", expected NAME: COMMAND"#,
            "3: given worker without a command, expected NAME: COMMAND",
            "4: given web a second time, expected a name of its own",
            r#"5: given the name "--", expected NAME: COMMAND"#,
        ]
    );
    assert_eq!(meaning("Procfile", "# none\n").unwrap_err().len(), 1);
}

#[test]
fn text_of_any_kind_comes_through_as_it_is() {
    for value in ["yes", "8080", "a: b # c", "\"\\", "ä\ttab", "*a", "- x", ""] {
        let value_in_json = serde_json::Value::from(value);
        let compose = format!(
            "services: {{ a: {{ build: ., command: [x, {value_in_json}], environment: {{ V: {value_in_json} }} }} }}"
        );
        let (text, plan) = plan("compose.yaml", &compose);
        let program = plan.services[0].program.as_ref().unwrap();
        assert_eq!(program.words[1], value, "{text}");
        assert_eq!(program.env[0].1, value, "{text}");
    }
}

#[test]
fn names_become_labels() {
    assert_eq!(as_label("My_App.v2").as_deref(), Some("my-app-v2"));
    assert_eq!(as_label("_"), None);
}
