use super::*;
use clew_api::rest::check::CheckStatus;
use clew_store::query::UpkeepProgress;

fn ago(now: SystemTime, seconds: u64) -> Option<SystemTime> {
    now.checked_sub(Duration::from_secs(seconds))
}

/// The limit is kept all the time, so the size is never above it: what tells is that something went before its time.
#[test]
fn a_limit_in_bytes_that_deletes_before_the_age_does_is_warned_of() {
    let now = SystemTime::now();
    let stats = StoreStats {
        oldest_trace: ago(now, 10_900),
        oldest_point: ago(now, 100),
        ..StoreStats::default()
    };
    let check = size(Retention::default(), &stats, now);
    assert_eq!(check.status, CheckStatus::Ok);
    assert!(
        check
            .found
            .contains("oldest trace 3h old, oldest numbers 100s old"),
        "{}",
        check.found
    );
    let crowded = StoreStats {
        crowded_at: ago(now, 60),
        ..stats
    };
    let check = size(Retention::default(), &crowded, now);
    assert_eq!(check.status, CheckStatus::Warn);
    let passed = StoreStats {
        crowded_at: ago(now, 7_200),
        ..stats
    };
    assert_eq!(
        size(Retention::default(), &passed, now).status,
        CheckStatus::Ok
    );
}

#[test]
fn upkeep_says_how_far_it_is_while_it_is_at_work() {
    let now = SystemTime::now();
    let idle = StoreStats {
        traces_expired: 12,
        ..StoreStats::default()
    };
    let check = upkeep(&idle, now);
    assert_eq!(check.found, "up to date; 12 traces deleted since the start");
    let busy = StoreStats {
        upkeep: Some(UpkeepProgress {
            since: ago(now, 40).unwrap(),
            traces_deleted: 3_200,
            bytes_freed: 0,
            traces_left: 7_200,
            bytes_left: 0,
            points_left: Duration::ZERO,
        }),
        ..idle
    };
    let check = upkeep(&busy, now);
    assert_eq!(check.status, CheckStatus::Ok);
    let begin = "at work for 40s: 3200 traces deleted, 0.0 MiB freed; to go: 7200 traces";
    assert!(check.found.starts_with(begin), "{}", check.found);
}
