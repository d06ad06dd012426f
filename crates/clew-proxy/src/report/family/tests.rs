#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn metrics_page_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, reference()).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == reference(),
        "docs/metrics.md is not up to date: UPDATE=1 cargo test -p clew-proxy metrics_page"
    );
}

#[test]
fn families_are_named_by_their_type() {
    let names: BTreeSet<_> = ALL.iter().map(|family| family.name).collect();
    assert_eq!(names.len(), ALL.len(), "two families have one name");
    for family in ALL {
        // Linkerd's names are kept, and all its counters end in _total as well.
        assert_eq!(
            family.kind == MetricType::Counter,
            family.name.ends_with("_total"),
            "{}",
            family.name
        );
        assert_eq!(
            family.kind == MetricType::Histogram,
            family.scale.is_some(),
            "{}",
            family.name
        );
    }
}
