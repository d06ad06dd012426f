#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{Record, SpanPorts, file_of, state_dir};
use std::path::{Path, PathBuf};

fn record(port: u16) -> Record {
    let address = |port| ([127, 0, 0, 1], port).into();
    let spans = SpanPorts {
        otlp_grpc: Some(address(5)),
        ..SpanPorts::default()
    };
    Record::of_this_process("roles", address(port), address(4), spans)
}

#[test]
fn a_mesh_is_found_while_it_runs_and_not_after() {
    let dir = tempfile::tempdir().unwrap();
    let record = record(1);
    assert_eq!(Record::find(dir.path(), record.api).unwrap(), None);
    let published = record.publish(dir.path()).unwrap();
    assert_eq!(
        Record::find(dir.path(), record.api).unwrap().as_ref(),
        Some(&record)
    );
    assert_eq!(Record::find(dir.path(), self::record(2).api).unwrap(), None);
    drop(published);
    assert_eq!(Record::find(dir.path(), record.api).unwrap(), None);
    record.wait_for_end(dir.path()).unwrap();
    assert_eq!(Record::last(dir.path(), record.api), Some(record));
}

#[test]
fn a_mesh_whose_address_the_system_chose_is_found_too_and_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let record = record(1);
    let published = record.publish(dir.path()).unwrap().for_once();
    let found = Record::find(dir.path(), record.api).unwrap();
    assert_eq!(found.as_ref(), Some(&record));
    drop(published);
    assert_eq!(Record::last(dir.path(), record.api), None);
}

/// 1. A mesh is killed and leaves its file behind.
/// 2. The lock went with the process, so nobody takes the file for a mesh.
/// 3. The next mesh at that address takes its place.
#[test]
fn a_file_that_was_left_behind_is_no_mesh() {
    let dir = tempfile::tempdir().unwrap();
    let record = record(1);
    let left = file_of(dir.path(), record.api, "json");
    std::fs::write(&left, serde_json::to_string(&record).unwrap()).unwrap();
    assert_eq!(Record::find(dir.path(), record.api).unwrap(), None);
    let _published = record.publish(dir.path()).unwrap();
    assert_eq!(Record::find(dir.path(), record.api).unwrap(), Some(record));
}

#[test]
fn the_state_directory_is_where_the_user_says() {
    let dir = |set: &[(&str, &str)]| {
        let lookup = |name: &str| {
            set.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| PathBuf::from(value))
        };
        state_dir(lookup)
    };
    assert_eq!(
        dir(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")]),
        Path::new("/s/clew")
    );
    assert_eq!(
        dir(&[("XDG_STATE_HOME", "s"), ("HOME", "/h")]),
        Path::new("/h/.local/state/clew")
    );
    assert!(dir(&[]).is_absolute());
}
