//! Telemetry settings, and learned routes.

use super::{Running, config, next};
use crate::config::ControlConfig;
use clew_api::client::{CallError, Learned, LearnedRoutes, Updates};
use clew_model::telemetry::{AccessLog, Sampling, TelemetrySettings, WriteFormat};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

fn half() -> TelemetrySettings {
    let sampling = Sampling {
        ratio: 0.5,
        max_per_second: Some(10.0),
    };
    TelemetrySettings {
        sampling,
        access_log: AccessLog::Errors,
        ..TelemetrySettings::default()
    }
}

#[tokio::test]
async fn settings_reach_every_proxy_when_they_change() {
    let control = Running::with(ControlConfig {
        settings: half(),
        ..config()
    });
    let (one, two) = (control.client("web"), control.client("books"));
    let (mut first, mut second) = (one.watch_telemetry(), two.watch_telemetry());
    assert_eq!(next(&mut first).await, half());
    assert_eq!(next(&mut second).await, half());
    let off = TelemetrySettings {
        tracing: false,
        ..half()
    };
    assert_eq!(one.set_telemetry(off.clone()).await.unwrap(), off);
    assert_eq!(next(&mut first).await, off);
    assert_eq!(next(&mut second).await, off);
    control.stop().await;
}

#[tokio::test]
async fn settings_out_of_range_are_refused_with_all_mistakes_and_change_nothing() {
    let control = Running::start();
    let client = control.client("web");
    let wrong = TelemetrySettings {
        sampling: Sampling {
            ratio: 2.0,
            max_per_second: Some(-1.0),
        },
        show_headers: Arc::new(["X-Upper".into()]),
        ..TelemetrySettings::default()
    };
    let Err(CallError::Refused { mistakes }) = client.set_telemetry(wrong).await else {
        panic!("refused")
    };
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
    assert_eq!(
        next(&mut client.watch_telemetry()).await,
        TelemetrySettings::default()
    );
    control.stop().await;
}

/// A control that keeps changed settings, with the one setting that its configuration names.
fn keeping(file: &Path, ratio: f64) -> Running {
    let sampling = Sampling {
        ratio,
        ..Sampling::default()
    };
    Running::with(ControlConfig {
        settings: TelemetrySettings {
            sampling,
            ..TelemetrySettings::default()
        },
        kept_settings: Some(file.to_owned()),
        ..config()
    })
}

async fn in_force(control: &Running) -> TelemetrySettings {
    next(&mut control.client("web").watch_telemetry()).await
}

/// 1. Settings are changed, and control ends.
/// 2. The next one with the same configuration has them, from its first word on.
/// 3. One with another configuration has that, and so has the next one.
#[tokio::test]
async fn changed_settings_outlive_control_until_its_configuration_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deeper/settings.json");
    let changed = TelemetrySettings {
        write: [WriteFormat::B3].into_iter().collect(),
        show_headers: Arc::new(["x-request-id".into()]),
        audit: false,
        ..half()
    };

    let control = keeping(&file, 1.0);
    assert_eq!(in_force(&control).await.sampling.ratio, 1.0);
    let client = control.client("web");
    client.set_telemetry(changed.clone()).await.unwrap();
    control.stop().await;

    let control = keeping(&file, 1.0);
    assert_eq!(in_force(&control).await, changed);
    control.stop().await;

    let control = keeping(&file, 0.2);
    assert_eq!(in_force(&control).await.sampling.ratio, 0.2);
    let client = control.client("web");
    client.set_telemetry(half()).await.unwrap();
    control.stop().await;
    let control = keeping(&file, 0.2);
    assert_eq!(in_force(&control).await, half());
    control.stop().await;
}

#[tokio::test]
async fn a_file_of_settings_that_makes_no_sense_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.json");
    let configured = r#"{"tracing":true,"sampling_ratio":1.0,"write_formats":[],"access_log":"off","show_headers":[]}"#;
    let wrong = configured.replace("off", "loud");
    for content in [
        String::new(),
        "{".to_owned(),
        format!(r#"{{"configured":{configured},"in_force":{wrong}}}"#),
    ] {
        std::fs::write(&file, content).unwrap();
        let control = keeping(&file, 1.0);
        assert_eq!(in_force(&control).await, TelemetrySettings::default());
        control.stop().await;
    }
}

/// Written before there was a choice.
#[tokio::test]
async fn kept_settings_that_do_not_speak_of_the_audit_want_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.json");
    let configured = r#"{"tracing":true,"sampling_ratio":1.0,"write_formats":[],"access_log":"off","show_headers":[]}"#;
    let changed = configured.replace("1.0", "0.5");
    let content = format!(r#"{{"configured":{configured},"in_force":{changed}}}"#);
    std::fs::write(&file, content).unwrap();
    let control = keeping(&file, 1.0);
    let settings = in_force(&control).await;
    assert_eq!((settings.sampling.ratio, settings.audit), (0.5, true));
    control.stop().await;
}

fn learned(service: &str, collapsed: &[&str]) -> Learned {
    Learned {
        service: service.into(),
        collapsed: collapsed.iter().map(|t| Arc::from(*t)).collect(),
    }
}

/// What one proxy has learned by itself.
fn own(news: &Learned) -> watch::Sender<LearnedRoutes> {
    let mut routes = LearnedRoutes::default();
    routes.merge(news);
    watch::Sender::new(routes)
}

/// The next lesson of `pupil`, while `teacher` is polled, for a proxy speaks while it listens.
async fn heard(pupil: &mut Updates<Learned>, teacher: &mut Updates<Learned>) -> Learned {
    tokio::select! {
        heard = next(pupil) => heard,
        echo = next(teacher) => panic!("its own lesson is no news: {echo:?}"),
    }
}

#[tokio::test]
async fn what_one_proxy_learns_all_others_know() {
    let control = Running::start();
    let tags = own(&learned("tags", &["/tags/{name}"]));
    let books = own(&learned("books", &["/books/{id}"]));
    let mut to_tags = control.client("tags").share_routes(tags.subscribe());
    let mut to_books = control.client("books").share_routes(books.subscribe());
    let (heard_by_tags, heard_by_books) = tokio::join!(next(&mut to_tags), next(&mut to_books));
    assert_eq!(heard_by_tags, learned("books", &["/books/{id}"]));
    assert_eq!(heard_by_books, learned("tags", &["/tags/{name}"]));

    let more = learned("tags", &["/tags/{name}/{page}"]);
    tags.send_modify(|routes| {
        routes.merge(&more);
    });
    assert_eq!(heard(&mut to_books, &mut to_tags).await, more);
    control.stop().await;
}

/// 1. A proxy has taught control. 2. Control is replaced by one that knows nothing. 3. It is taught again,
///    as a newcomer finds.
#[tokio::test]
async fn a_control_that_forgot_learns_again() {
    let lesson = learned("books", &["/books/{id}"]);
    let (teaching, nothing) = (own(&lesson), watch::Sender::new(LearnedRoutes::default()));
    let control = Running::start();
    let mut teacher = control.client("books").share_routes(teaching.subscribe());
    let mut first = control.client("web").share_routes(nothing.subscribe());
    assert_eq!(heard(&mut first, &mut teacher).await, lesson);

    let address = control.stop().await;
    let successor = Running::with(ControlConfig {
        listen: vec![address],
        ..config()
    });
    let mut second = successor.client("web").share_routes(nothing.subscribe());
    assert_eq!(heard(&mut second, &mut teacher).await, lesson);
    successor.stop().await;
}
