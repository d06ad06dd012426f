use super::*;
use clew_api::rest::check::CheckStatus;

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
