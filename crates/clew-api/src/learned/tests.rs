#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn learned(service: &str, collapsed: &[&str]) -> Learned {
    let collapsed = collapsed.iter().map(|t| Arc::from(*t)).collect();
    Learned {
        service: service.into(),
        collapsed,
    }
}

#[test]
fn merging_is_a_union_that_tells_what_was_new() {
    let mut all = LearnedRoutes::default();
    assert_eq!(
        all.merge(&learned("books", &["/a/{x}", "/b/{x}"])),
        Merged {
            added: 2,
            dropped: 0
        }
    );
    assert_eq!(
        all.merge(&learned("books", &["/b/{x}", "/c/{x}"])),
        Merged {
            added: 1,
            dropped: 0
        }
    );
    assert!(all.contains(&"books".into(), "/c/{x}"));
    assert!(!all.contains(&"authors".into(), "/c/{x}"));
}

#[test]
fn since_says_what_is_new_and_nothing_else() {
    let mut all = LearnedRoutes::default();
    all.merge(&learned("books", &["/a/{x}"]));
    all.merge(&learned("tags", &["/t/{x}"]));
    let before = all.clone();
    assert_eq!(all.since(&before), Vec::new());
    all.merge(&learned("books", &["/b/{x}"]));
    assert_eq!(all.since(&before), vec![learned("books", &["/b/{x}"])]);
    assert_eq!(all.since(&LearnedRoutes::default()).len(), 2);
}

#[test]
fn since_cuts_long_news_into_messages() {
    let mut all = LearnedRoutes::default();
    for n in 0..600 {
        all.insert(&"books".into(), &format!("/{n}/{{x}}").into());
    }
    let sizes: Vec<usize> = all
        .since(&LearnedRoutes::default())
        .iter()
        .map(|l| l.collapsed.len())
        .collect();
    assert_eq!(sizes, [256, 256, 88]);
}

#[test]
fn past_the_bounds_templates_are_dropped_and_counted() {
    let mut all = LearnedRoutes::default();
    for n in 0..MAX_TEMPLATES {
        assert_eq!(
            all.insert(&"books".into(), &format!("/{n}/{{x}}").into())
                .added,
            1
        );
    }
    assert_eq!(
        all.merge(&learned("books", &["/more/{x}", "/0/{x}"])),
        Merged {
            added: 0,
            dropped: 1
        }
    );
    for n in 1..MAX_SERVICES {
        assert_eq!(all.merge(&learned(&format!("s{n}"), &["/{x}"])).added, 1);
    }
    assert_eq!(all.merge(&learned("one too many", &["/{x}"])).dropped, 1);
}

#[test]
fn what_is_no_template_is_dropped() {
    let mut all = LearnedRoutes::default();
    let long = format!("/{}", "x".repeat(MAX_TEMPLATE_BYTES));
    assert_eq!(
        all.merge(&learned("books", &["no-slash", "", &long]))
            .dropped,
        3
    );
    assert_eq!(all, LearnedRoutes::default());
}
