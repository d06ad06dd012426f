#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use std::fs::FileTimes;
use std::time::SystemTime;

/// A directory as its owner makes it, some time ago.
fn directory(parent: &Path, name: &str, age: Duration) -> (std::path::PathBuf, File) {
    let directory = parent.join(name);
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join(FILE), "data").unwrap();
    let lock = File::create(super::super::lock_path(&directory.join(FILE))).unwrap();
    lock.set_times(FileTimes::new().set_modified(SystemTime::now() - age))
        .unwrap();
    (directory, lock)
}

#[test]
fn only_what_a_killed_process_left_behind_is_deleted() {
    let parent = tempfile::tempdir().unwrap();
    let hour = Duration::from_secs(3_600);
    let (abandoned, lock) = directory(parent.path(), "clew-store-dead", hour);
    drop(lock);
    let (in_use, lock) = directory(parent.path(), "clew-store-used", hour);
    lock.lock().unwrap();
    let (new, _not_locked_yet) = directory(parent.path(), "clew-store-new", Duration::ZERO);
    let (other, _) = directory(parent.path(), "other-store", hour);

    let made = create(parent.path()).unwrap();
    assert!(!abandoned.exists());
    assert!(in_use.exists() && new.exists() && other.exists() && made.path().exists());
}
