use super::*;
use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

fn changed_at(second: u64, roots: u32, missing_parents: u32) -> Found {
    Found {
        trace_id: TraceId::new(1).unwrap(),
        root_name: String::new(),
        root_service: String::new(),
        root_route: None,
        root_status: None,
        has_root: roots > 0,
        start_unix_nano: 0,
        duration: Duration::ZERO,
        spans: 2,
        errors: 0,
        missing_parents,
        roots,
        services: BTreeMap::new(),
        changed: UNIX_EPOCH + Duration::from_secs(second),
    }
}

#[test]
fn a_trace_is_broken_only_when_nothing_more_is_to_be_expected() {
    let settled = UNIX_EPOCH + Duration::from_secs(100);
    for (found, expected) in [
        (changed_at(101, 0, 1), TraceState::Arriving),
        (changed_at(101, 1, 0), TraceState::Arriving),
        (changed_at(100, 0, 1), TraceState::Broken),
        (changed_at(100, 2, 0), TraceState::Broken),
        (changed_at(100, 1, 1), TraceState::Broken),
        (changed_at(100, 1, 0), TraceState::Whole),
    ] {
        assert_eq!(state(&found, settled), expected, "{found:?}");
    }
}
