//! Telemetry settings, and learned routes.

use super::{Running, config, next};
use crate::config::ControlConfig;
use clew_api::client::{CallError, Learned, LearnedRoutes, Updates};
use clew_model::telemetry::{AccessLog, Sampling, TelemetrySettings};
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
