#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::sample;

/// An instance with so many ports.
fn instance(id: &str, ports: usize) -> Instance {
    let address = |n| ([127, 0, 0, 1], 7_000 + n).into();
    let ports = (0..ports as u16).map(|n| sample::port("books", address(n)));
    Instance {
        ports: ports.collect(),
        ..sample::instance(id, 7_000)
    }
}

fn mesh(limits: Limits) -> Arc<Mesh> {
    let config = ControlConfig {
        limits,
        ..ControlConfig::new("127.0.0.1:0".parse().unwrap())
    };
    Arc::new(Mesh::new(&config))
}

fn ids(mesh: &Mesh) -> Vec<String> {
    mesh.snapshots()
        .borrow()
        .members
        .iter()
        .map(|m| m.instance.id.to_string())
        .collect()
}

#[test]
fn a_member_is_in_for_as_long_as_its_membership_lives() {
    let mesh = mesh(Limits::default());
    let b = mesh.join(instance("b", 1), None).unwrap();
    let a = mesh.join(instance("a", 1), None).unwrap();
    assert_eq!(ids(&mesh), ["a", "b"]);
    drop(b);
    assert_eq!(ids(&mesh), ["a"]);
    assert!(a.is_in(&mesh.snapshots().borrow()));
}

#[test]
fn a_membership_that_was_replaced_takes_nobody_out() {
    let mesh = mesh(Limits::default());
    let first = mesh.join(instance("a", 1), None).unwrap();
    let second = mesh.join(instance("a", 2), None).unwrap();
    assert!(!first.is_in(&mesh.snapshots().borrow()));
    drop(first);
    assert_eq!(ids(&mesh), ["a"]);
    assert!(second.is_in(&mesh.snapshots().borrow()));
}

#[test]
fn leaving_is_not_left() {
    let mesh = mesh(Limits::default());
    let _membership = mesh.join(instance("a", 1), None).unwrap();
    assert!(!mesh.snapshots().borrow().members[0].instance.leaving);
    assert!(mesh.leave(&"a".into()));
    assert!(mesh.snapshots().borrow().members[0].instance.leaving);
    assert!(mesh.leave(&"a".into()), "twice is once");
    assert!(!mesh.leave(&"nobody".into()));
}

/// 1. An instance is leaving when control is restarted. 2. It joins the new one, so that its last numbers are
///    read. 3. Nobody new must come to it.
#[test]
fn who_joins_leaving_has_no_endpoints() {
    let mesh = mesh(Limits::default());
    let leaving = Instance {
        leaving: true,
        ..instance("a", 1)
    };
    let _membership = mesh.join(leaving, None).unwrap();
    assert!(mesh.snapshots().borrow().members[0].instance.leaving);
    assert_eq!(ids(&mesh), ["a"]);
}

#[test]
fn a_full_mesh_refuses_newcomers_and_not_those_who_come_back() {
    let mesh = mesh(Limits {
        max_members: 1,
        ..Limits::default()
    });
    let _first = mesh.join(instance("a", 1), None).unwrap();
    assert_eq!(
        mesh.join(instance("b", 1), None).unwrap_err(),
        JoinError::Full { limit: 1 }
    );
    assert!(mesh.join(instance("a", 1), None).is_ok());
}

#[test]
fn a_member_with_too_many_ports_is_refused() {
    let mesh = mesh(Limits {
        max_ports: 2,
        ..Limits::default()
    });
    assert_eq!(
        mesh.join(instance("a", 3), None).unwrap_err(),
        JoinError::Ports { given: 3, limit: 2 }
    );
    assert!(ids(&mesh).is_empty());
}

#[test]
fn settings_that_do_not_change_are_no_change() {
    let mesh = mesh(Limits::default());
    let off = TelemetrySettings {
        tracing: false,
        ..TelemetrySettings::default()
    };
    assert_eq!(mesh.set(TelemetrySettings::default()).generation, 1);
    assert_eq!(mesh.set(off.clone()).generation, 2);
    assert_eq!(mesh.set(off).generation, 2);
}

#[test]
fn learned_templates_past_the_bound_are_dropped_and_counted() {
    use clew_api::learned::MAX_TEMPLATES;
    let mesh = mesh(Limits::default());
    let collapsed = (0..MAX_TEMPLATES + 5)
        .map(|n| format!("/{n}/{{x}}").into())
        .collect();
    mesh.learn(&Learned {
        service: "books".into(),
        collapsed,
    });
    assert_eq!(mesh.dropped.load(Ordering::Relaxed), 5);
    let learned: usize = mesh
        .learned()
        .borrow()
        .since(&LearnedRoutes::default())
        .iter()
        .map(|l| l.collapsed.len())
        .sum();
    assert_eq!(learned, MAX_TEMPLATES);
}
