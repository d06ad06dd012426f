#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use std::sync::{Arc, Mutex};
use tracing::subscriber::with_default;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn log(format: LogFormat, what: &str, run: impl FnOnce(&LogControl)) -> String {
    let written = Lines::default();
    let to = written.clone();
    let (filter, control) = filter(what).unwrap();
    let layer = lines(format, move || to.clone()).with_filter(filter);
    with_default(tracing_subscriber::registry().with(layer), || run(&control));
    written.text()
}

#[test]
fn what_is_logged_changes_while_the_process_runs() {
    let text = log(LogFormat::Text { colour: false }, "info", |control| {
        tracing::debug!("one");
        control.set("warn,clew_runtime=debug").unwrap();
        tracing::debug!("two");
        tracing::info!(target: "other", "three");
        assert!(control.set("loud").is_err());
        tracing::debug!("four");
        assert!(control.current().unwrap().contains("clew_runtime=debug"));
    });
    let said: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("what is logged has changed"))
        .filter_map(|l| l.split(' ').next_back())
        .collect();
    assert_eq!(said, ["two", "four"]);
}

#[test]
fn json_is_one_object_on_a_line() {
    let text = log(LogFormat::Json, "info", |_| {
        tracing::info!(port = 8084, "listening");
    });
    assert_eq!(text.lines().count(), 1);
    assert!(
        text.contains(r#""message":"listening","port":8084"#),
        "{text}"
    );
    assert!(text.starts_with('{') && text.ends_with("}\n"), "{text}");
}

#[test]
fn a_filter_that_says_nothing_is_refused_with_what_is_expected() {
    for wrong in ["", "loud", "clew=loud", "info,", "clew_proxy", "a=b=c"] {
        let error = parse_filter(wrong).unwrap_err().to_string();
        let begin =
            format!("{wrong:?} does not say what to log; expected a level such as info, or");
        assert!(error.starts_with(&begin), "{error}");
    }
    for right in ["info", "warn,clew_proxy=debug", "off", "clew::a=trace"] {
        parse_filter(right).unwrap();
    }
}
