use super::super::golden::tests::{minute, plain};
use super::*;

fn part(part: &str, of: &str, to: Option<&str>, mean_ms: f64, slowest_ms: f64) -> PathPart {
    PathPart {
        part: part.to_owned(),
        of: of.to_owned(),
        to: to.map(str::to_owned),
        side: matches!(part, "proxy" | "wait").then(|| "inbound".to_owned()),
        mean_ms,
        mean_share: mean_ms / 20.0,
        slowest_ms,
        slowest_share: slowest_ms / 250.0,
    }
}

#[test]
fn who_is_to_blame_is_said_first() {
    let path = CriticalPath {
        window: minute(),
        workload: "webapp".to_owned(),
        namespace: "default".to_owned(),
        route: "GET /books/{id}".to_owned(),
        requests: 100,
        stands_for: 1_000.0,
        of: 1_012,
        traces_found: 120,
        traces_read: 100,
        mean_ms: 20.0,
        p99_ms: 248.0,
        slowest_ms: 250.0,
        parts: vec![
            part("application", "books", None, 12.0, 5.0),
            part("application", "ratings", None, 7.0, 244.0),
            part("network", "webapp", Some("books"), 0.8, 0.9),
            part("proxy", "webapp", None, 0.2, 0.1),
        ],
    };
    insta::assert_snapshot!(plain(&render(&path)), @r"
    GET /books/{id} of webapp: mean 20.0 ms, 99% within 248 ms, the slowest 1% 250 ms on average
    60.0% of the mean is the application books; 97.6% of the slowest is the application ratings.

    TIME                OF                  MEAN  SHARE  SLOWEST  SHARE
    application         books            12.0 ms  60.0%  5.00 ms   2.0%
    application         ratings          7.00 ms  35.0%   244 ms  97.6%
    network and kernel  webapp -> books   800 us   4.0%   900 us   0.4%
    proxy               webapp, inbound   200 us   1.0%   100 us   0.0%

    From the spans of 100 of 1012 requests, each for those that were not kept: 1000 in all; 100 of 120 traces were read.
    ");
}
