use super::scope::tests::span;
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

/// What one scope has of a trace does not make it another one.
#[test]
fn a_trace_is_whole_by_all_its_spans() {
    let spans = [span(1, None, "mesh"), span(2, Some(1), "other")];
    assert!(whole::is_whole(&spans));
    assert!(!whole::is_whole(&spans[1..]), "its parent is missing");
    let twice = [spans[0].clone(), spans[0].clone()];
    assert!(!whole::is_whole(&twice), "it has two roots");
    let shown = whole::trace(
        (TraceId::new(1).unwrap(), TraceState::Whole),
        spans.into(),
        Some("other"),
    );
    assert_eq!((shown.state, shown.spans.len()), (TraceState::Whole, 1));
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
        assert_eq!(summary(found, settled).state, expected);
    }
}
