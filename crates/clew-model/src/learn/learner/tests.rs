#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::super::tests::paths;
use super::super::write_template;
use super::*;
use proptest::prelude::*;

/// Small limits, so that few templates show what many do.
const SMALL: LearnerLimits = LearnerLimits {
    siblings: 3,
    top_level: 5,
    nodes: 1_000,
};

fn taught(templates: &[&str]) -> Learner {
    let mut learner = Learner::new(SMALL);
    for template in templates {
        learner.admit(template);
    }
    learner
}

fn tags(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("/tags/t{i}x/books")).collect()
}

#[test]
fn siblings_that_keep_growing_collapse() {
    let mut learner = Learner::default();
    for template in tags(30) {
        assert_eq!(learner.admit(&template), template);
    }
    assert_eq!((learner.version(), learner.learned()), (0, vec![]));
    assert_eq!(learner.admit("/tags/rust/books"), "/tags/{name}/books");
    assert_eq!(learner.version(), 1);
    assert_eq!(learner.learned(), ["/tags/{name}"]);
    assert_eq!(learner.apply("/tags/t1x/books"), "/tags/{name}/books");
    assert_eq!(learner.apply("/tags/never-seen/"), "/tags/{name}/");
    assert_eq!(learner.apply("/tags"), "/tags");
    assert_eq!(learner.apply("/other/t1x"), "/other/t1x");
}

#[test]
fn placeholders_are_no_siblings_and_stay() {
    let mut learner = taught(&[
        "/a/{id}",
        "/a/{uuid}",
        "/a/{hex}",
        "/a/{date}",
        "/a/x",
        "/a/y",
        "/a/z",
    ]);
    assert_eq!(learner.version(), 0);
    learner.admit("/a/w");
    assert_eq!(learner.apply("/a/{id}"), "/a/{id}");
    assert_eq!(learner.apply("/a/{id}:run"), "/a/{name}");
    assert_eq!(learner.apply("/a/w"), "/a/{name}");
}

#[test]
fn first_segments_may_have_more_siblings() {
    let mut learner = taught(&["/a", "/b", "/c", "/d", "/e"]);
    assert_eq!(learner.version(), 0);
    assert_eq!(learner.admit("/f/x"), "/{name}/x");
    assert_eq!(learner.learned(), ["/{name}"]);
}

#[test]
fn what_was_below_the_siblings_is_below_the_collapsed_one() {
    let learner = taught(&["/u/a/x1", "/u/a/x2", "/u/b/x3", "/u/b/x4", "/u/c", "/u/d"]);
    // Together the siblings have more children than one position may have.
    assert_eq!(learner.learned(), ["/u/{name}", "/u/{name}/{name}"]);
    assert_eq!(learner.apply("/u/e/y"), "/u/{name}/{name}");
}

#[test]
fn what_was_collapsed_below_a_sibling_stays_collapsed() {
    let mut learner = taught(&["/u/a/1x", "/u/a/2x", "/u/a/3x", "/u/a/4x"]);
    assert_eq!(learner.learned(), ["/u/a/{name}"]);
    for sibling in ["/u/b", "/u/c", "/u/d"] {
        learner.admit(sibling);
    }
    assert_eq!(learner.learned(), ["/u/{name}", "/u/{name}/{name}"]);
}

#[test]
fn past_the_bound_the_deepest_and_widest_position_folds() {
    let mut learner = Learner::new(LearnerLimits { nodes: 7, ..SMALL });
    learner.admit("/api/books/top");
    learner.admit("/files/a/b");
    learner.admit("/files/a/c");
    assert_eq!(learner.version(), 0);
    // The deepest.
    assert_eq!(learner.admit("/files/a/c/d"), "/files/a/c/\u{2026}");
    assert_eq!(learner.version(), 1);
    // The widest of the deepest.
    assert_eq!(learner.admit("/files/a/e"), "/files/a/\u{2026}");
    assert_eq!(learner.apply("/api/books/top"), "/api/books/top");
    assert_eq!(learner.learned(), ["/files/a/\u{2026}"]);
}

#[test]
fn an_answer_that_changes_nothing_is_not_copied() {
    let learner = taught(&["/a/{id}"]);
    assert!(matches!(learner.apply("/a/{id}/b/"), Cow::Borrowed(_)));
    assert!(matches!(learner.apply("*"), Cow::Borrowed("*")));
}

#[test]
fn what_others_learned_is_taken_over_and_what_is_no_pattern_is_not() {
    let mut learner = Learner::new(SMALL);
    assert!(learner.merge(["/tags/{name}", "/files/\u{2026}"]));
    assert!(!learner.merge(["/tags/{name}"]));
    assert_eq!(learner.version(), 1 + 1);
    assert_eq!(learner.apply("/tags/x/y"), "/tags/{name}/y");
    assert_eq!(learner.apply("/files/x/y"), "/files/\u{2026}");
    assert_eq!(learner.apply("/files/"), "/files/");
    assert!(!learner.merge(["", "/", "/a", "tags/{name}", "{name}", "/x/{id}"]));
    assert!(!learner.merge([format!("{}/{{name}}", "/a".repeat(50))]));
}

/// Templates as requests bring them.
fn templates() -> impl Strategy<Value = Vec<String>> {
    let small = "(/[a-e]){1,4}".prop_map(String::from);
    let template = prop_oneof![4 => small, 1 => paths()].prop_map(|path| {
        let mut template = String::new();
        write_template(&path, &mut template);
        template
    });
    prop::collection::vec(template, 0..60)
}

fn learn(templates: &[String], limits: LearnerLimits) -> Learner {
    let mut learner = Learner::new(limits);
    for template in templates {
        learner.admit(template);
    }
    learner
}

fn merged(sets: &[&[String]]) -> Vec<String> {
    let mut learner = Learner::new(SMALL);
    for set in sets {
        learner.merge(*set);
    }
    learner.learned()
}

proptest! {
    #[test]
    fn a_learned_template_never_splits_again(templates in templates(), nodes in 5usize..200) {
        let limits = LearnerLimits { nodes, ..SMALL };
        let mut learner = Learner::new(limits);
        let mut answers: Vec<(String, String)> = Vec::new();
        for template in &templates {
            let answer = learner.admit(template).into_owned();
            answers.push((template.clone(), answer));
            for (template, answer) in &answers {
                // What an earlier answer says now is what its template says now.
                prop_assert_eq!(learner.apply(answer), learner.apply(template));
            }
        }
    }

    #[test]
    fn what_is_remembered_is_bounded(templates in templates(), nodes in 5usize..50) {
        let learner = learn(&templates, LearnerLimits { nodes, ..SMALL });
        prop_assert!(learner.root.count() <= nodes);
        prop_assert_eq!(learner.root.count(), learner.nodes);
        prop_assert!(learner.learned().len() <= nodes + 1);
        for template in &templates {
            prop_assert!(learner.apply(template).len() <= MAX_PATTERN_BYTES);
        }
    }

    #[test]
    fn the_version_changes_when_what_is_learned_changes(templates in templates()) {
        let mut learner = Learner::new(SMALL);
        for template in &templates {
            let before = (learner.version(), learner.learned());
            learner.admit(template);
            let after = (learner.version(), learner.learned());
            prop_assert_eq!(before.0 == after.0, before.1 == after.1);
        }
    }

    #[test]
    fn merging_is_a_join(a in templates(), b in templates(), c in templates()) {
        let [a, b, c] = [a, b, c].map(|templates| learn(&templates, SMALL).learned());
        let ab = merged(&[&a, &b]);
        prop_assert_eq!(&ab, &merged(&[&b, &a]), "commutative");
        prop_assert_eq!(merged(&[&ab, &c]), merged(&[&a, &merged(&[&b, &c])]), "associative");
        prop_assert_eq!(merged(&[&a, &a]), merged(&[&a]), "idempotent");
        prop_assert_eq!(&merged(&[&a]), &a, "nothing is lost");
        prop_assert_eq!(&merged(&[&ab, &a]), &ab, "a join is an upper bound");
    }

    #[test]
    fn the_order_of_templates_does_not_matter(templates in templates()) {
        let forwards = learn(&templates, SMALL);
        let backwards: Vec<_> = templates.iter().rev().cloned().collect();
        prop_assert_eq!(forwards.learned(), learn(&backwards, SMALL).learned());
    }
}
