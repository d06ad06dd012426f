#![allow(clippy::unwrap_used, clippy::expect_used)]

mod fake;

use super::*;
use clew_api::prometheus::{self as wire, CONTENT_TYPE_TEXT};
use clew_runtime::drain::Drain;
use clew_store::query::SeriesQuery;
use clew_store::{Label, Retention, StorePath, Window};
use fake::{FakeControl, FakeProxy, member};

const LONG: Duration = Duration::from_secs(3_600);

/// A scraper that runs against a fake control.
struct Running {
    scraper: Scraper,
    store: Store,
    control: FakeControl,
    drain: Drain,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn begin(interval: Duration) -> Self {
        let store = Store::open(StorePath::Temporary, Retention::default()).unwrap();
        let control = FakeControl::begin().await;
        let scraper = Scraper::new(store.clone(), interval);
        let (drain, watch) = Drain::new(Duration::from_secs(5));
        let (running, client) = (scraper.clone(), control.client());
        let task = tokio::spawn(async move { running.run(&client, watch).await });
        Self {
            scraper,
            store,
            control,
            drain,
            task,
        }
    }

    /// Tells the members and waits until the scraper knows them.
    async fn members(&self, members: Vec<Instance>) {
        self.control.tell(&members);
        let mut known = self.scraper.watch_members();
        known
            .wait_for(|known| known.as_ref() == Some(&members))
            .await
            .unwrap();
    }

    async fn requests(&self) -> f64 {
        self.store.flush().await.unwrap();
        requests(&self.store).await
    }
}

fn everything() -> SeriesQuery {
    SeriesQuery {
        window: Window::all(),
        filters: Vec::new(),
        group_by: Vec::new(),
    }
}

async fn requests(store: &Store) -> f64 {
    let rows = store.counters("request_total", everything()).await.unwrap();
    rows.first().map_or(0.0, |row| row.value)
}

async fn connections(store: &Store) -> Option<f64> {
    let rows = store.gauges("tcp_open_connections", everything()).await;
    rows.unwrap().first().map(|row| row.value)
}

#[tokio::test]
async fn what_members_counted_can_be_read_when_scrape_now_answers() {
    let running = Running::begin(LONG).await;
    let (a, b) = (FakeProxy::begin().await, FakeProxy::begin().await);
    running
        .members(vec![
            member("a-1", Some(&a)),
            member("b-1", Some(&b)),
            member("no-admin", None),
        ])
        .await;
    a.count(5.0);
    b.count(7.0);
    let report = running.scraper.scrape_now().await;
    assert_eq!(
        report
            .scraped
            .iter()
            .map(InstanceId::as_str)
            .collect::<Vec<_>>(),
        ["a-1", "b-1"]
    );
    assert!(report.failed.is_empty(), "{report:?}");
    let query = SeriesQuery {
        window: Window::all(),
        filters: vec![(Label::Route, "r".to_owned())],
        group_by: vec![Label::Instance, Label::Workload],
    };
    let rows = running
        .store
        .counters("request_total", query.clone())
        .await
        .unwrap();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (row.labels[&Label::Instance].as_str(), row.value))
        .collect();
    assert_eq!(rows, [("a-1", 5.0), ("b-1", 7.0)]);
    let latency = running
        .store
        .histograms("response_latency_ms", query)
        .await
        .unwrap();
    assert_eq!(
        latency
            .iter()
            .map(|row| row.histogram.count())
            .collect::<Vec<_>>(),
        [5, 7]
    );
}

#[tokio::test]
async fn scraping_twice_counts_once() {
    let running = Running::begin(LONG).await;
    let proxy = FakeProxy::begin().await;
    running.members(vec![member("a-1", Some(&proxy))]).await;
    for total in [3.0, 3.0, 8.0] {
        proxy.count_to(total);
        running.scraper.scrape_now().await;
        assert_eq!(running.requests().await, total);
    }
}

#[tokio::test]
async fn a_member_that_cannot_be_read_is_reported_with_the_reason() {
    let running = Running::begin(LONG).await;
    let (text, failing, well) = (
        FakeProxy::begin().await,
        FakeProxy::begin().await,
        FakeProxy::begin().await,
    );
    text.answer_with(200, CONTENT_TYPE_TEXT);
    failing.answer_with(503, wire::CONTENT_TYPE_PROTOBUF);
    let gone = FakeProxy::begin().await;
    let dead = member("dead", Some(&gone));
    gone.end().await;
    running
        .members(vec![
            member("text", Some(&text)),
            member("failing", Some(&failing)),
            dead,
            member("well", Some(&well)),
        ])
        .await;
    let report = running.scraper.scrape_now().await;
    assert_eq!(report.scraped.len(), 1);
    let reasons: Vec<_> = report
        .failed
        .iter()
        .map(|(id, error)| (id.as_str(), error))
        .collect();
    assert!(
        matches!(reasons[0], ("dead", ScrapeError::Unreachable { .. })),
        "{reasons:?}"
    );
    assert!(
        matches!(reasons[1], ("failing", ScrapeError::Status(_))),
        "{reasons:?}"
    );
    assert!(
        matches!(reasons[2], ("text", ScrapeError::ContentType(_))),
        "{reasons:?}"
    );
    let health = running.scraper.targets();
    let dead = health
        .iter()
        .find(|target| target.instance.id.as_str() == "dead")
        .unwrap();
    assert!(dead.failures > 0 && dead.last_success.is_none());
    assert!(
        dead.last_error.as_ref().unwrap().contains("refused"),
        "{dead:?}"
    );
}

#[tokio::test]
async fn a_member_that_does_not_answer_is_given_up() {
    let running = Running::begin(Duration::from_millis(300)).await;
    let proxy = FakeProxy::begin().await;
    proxy.freeze();
    running.members(vec![member("a-1", Some(&proxy))]).await;
    let report = running.scraper.scrape_now().await;
    assert!(
        matches!(report.failed[..], [(_, ScrapeError::TimedOut(_))]),
        "{report:?}"
    );
}

/// 1. A member was read, and would be read again in an hour.
/// 2. It counts more, and begins to leave. It is read at once, and again until it is gone.
#[tokio::test]
async fn a_leaving_member_is_read_at_once_and_until_it_is_gone() {
    let running = Running::begin(LONG).await;
    let proxy = FakeProxy::begin().await;
    let mut leaving = member("a-1", Some(&proxy));
    running.members(vec![leaving.clone()]).await;
    proxy.was_read(1).await;
    proxy.count(4.0);
    leaving.leaving = true;
    running.members(vec![leaving]).await;
    proxy.was_read(3).await;
    assert_eq!(running.requests().await, 4.0);
}

#[tokio::test]
async fn the_gauges_of_a_member_that_is_gone_count_no_more() {
    let running = Running::begin(LONG).await;
    let proxy = FakeProxy::begin().await;
    running.members(vec![member("a-1", Some(&proxy))]).await;
    running.scraper.scrape_now().await;
    assert_eq!(connections(&running.store).await, Some(2.0));
    running.members(Vec::new()).await;
    assert!(running.scraper.targets().is_empty());
    // The end is noted by then.
    running.drain.start();
    running.task.await.unwrap();
    running.store.flush().await.unwrap();
    assert_eq!(connections(&running.store).await, None);
}

/// The new process begins at 0, and has counted more than the old one when it is first read.
#[tokio::test]
async fn another_process_under_the_same_id_counts_from_zero() {
    let running = Running::begin(LONG).await;
    let (old, new) = (FakeProxy::begin().await, FakeProxy::begin().await);
    running.members(vec![member("a-1", Some(&old))]).await;
    old.count(10.0);
    running.scraper.scrape_now().await;
    new.count(15.0);
    new.created_later();
    let mut restarted = member("a-1", Some(&new));
    restarted.pid += 1;
    running.members(vec![restarted]).await;
    running.scraper.scrape_now().await;
    assert_eq!(running.requests().await, 25.0);
}

#[tokio::test]
async fn members_are_read_every_interval() {
    let running = Running::begin(Duration::from_millis(50)).await;
    let proxy = FakeProxy::begin().await;
    running.members(vec![member("a-1", Some(&proxy))]).await;
    proxy.was_read(5).await;
    running.drain.start();
    running.task.await.unwrap();
}

/// 1. A member is being read when it leaves the mesh: it has sent its last numbers, and ends.
/// 2. They are counted when they have arrived. Before, the reading was broken off, and a demo that ended told
///    less than its traffic generator.
/// 3. Then its gauges count no more.
#[tokio::test]
async fn what_is_being_read_when_a_member_goes_is_counted() {
    let running = Running::begin(LONG).await;
    let proxy = FakeProxy::begin().await;
    running.members(vec![member("a-1", Some(&proxy))]).await;
    proxy.was_read(1).await;
    proxy.freeze();
    proxy.count(5.0);
    let scraper = running.scraper.clone();
    let late = tokio::spawn(async move { scraper.scrape_now().await });
    proxy.was_asked(2).await;
    running.members(Vec::new()).await;
    proxy.thaw();
    let report = late.await.unwrap();
    assert!(report.failed.is_empty(), "{report:?}");
    assert_eq!(running.requests().await, 5.0);
    running.drain.start();
    running.task.await.unwrap();
    running.store.flush().await.unwrap();
    assert_eq!(connections(&running.store).await, None);
}

/// The same at the end of observe itself.
#[tokio::test]
async fn what_is_being_read_at_the_end_is_counted() {
    let running = Running::begin(LONG).await;
    let proxy = FakeProxy::begin().await;
    proxy.freeze();
    proxy.count(5.0);
    running.members(vec![member("a-1", Some(&proxy))]).await;
    proxy.was_asked(1).await;
    running.drain.start();
    proxy.thaw();
    running.task.await.unwrap();
    running.store.flush().await.unwrap();
    assert_eq!(requests(&running.store).await, 5.0);
}

/// 1. A member is being read when another process takes its place.
/// 2. Its answer comes after its end was noted, and changes nothing: it would bring its series back.
#[tokio::test]
async fn an_answer_that_comes_after_the_end_changes_nothing() {
    let running = Running::begin(LONG).await;
    let (old, new) = (FakeProxy::begin().await, FakeProxy::begin().await);
    running.members(vec![member("a-1", Some(&old))]).await;
    old.was_read(1).await;
    old.freeze();
    old.count(5.0);
    let scraper = running.scraper.clone();
    let late = tokio::spawn(async move { scraper.scrape_now().await });
    old.was_asked(2).await;
    let mut restarted = member("a-1", Some(&new));
    restarted.pid += 1;
    running.members(vec![restarted]).await;
    old.thaw();
    let report = late.await.unwrap();
    assert!(
        matches!(report.failed[..], [(_, ScrapeError::Gone)]),
        "{report:?}"
    );
    assert_eq!(running.requests().await, 0.0);
}
