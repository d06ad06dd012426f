use super::*;
use std::error::Error as _;

fn refusal(path: &std::path::Path) -> StoreError {
    Store::open(StorePath::File(path.to_path_buf()), Retention::default()).unwrap_err()
}

#[tokio::test]
async fn a_store_in_use_is_not_opened_twice() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("clew.db");
    let store = open(StorePath::File(path.clone()));
    let error = refusal(&path);
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("clew.db"));
    store.close().await;
    open(StorePath::File(path));
}

#[test]
fn another_programs_file_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("notes.txt");
    std::fs::write(
        &text,
        "not a database, and long enough to be taken for one".repeat(40),
    )
    .unwrap();
    assert!(matches!(refusal(&text), StoreError::NotAStore { .. }));
    assert!(
        std::fs::read_to_string(&text)
            .unwrap()
            .starts_with("not a database")
    );

    let other = directory.path().join("other.db");
    rusqlite::Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
    assert!(matches!(refusal(&other), StoreError::NotAStore { .. }));
}

#[tokio::test]
async fn a_newer_file_is_refused_with_both_formats() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("clew.db");
    open(StorePath::File(path.clone())).close().await;
    rusqlite::Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let error = refusal(&path);
    assert!(
        matches!(
            error,
            StoreError::Newer {
                found: 99,
                known: 2,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("newer Clew"));
}

/// A file as format 1 had it is brought to the newest, and what it holds is read beside what is written now.
#[tokio::test]
async fn a_file_of_the_first_format_is_brought_to_the_newest() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("clew.db");
    open(StorePath::File(path.clone())).close().await;
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(
            r#"ALTER TABLE spans DROP COLUMN origin; DROP TABLE origins; DROP TABLE names; PRAGMA user_version = 1;
               INSERT INTO traces VALUES (1, x'00000000000000000000000000000001', unixepoch() * 1000, 5, 1);
               INSERT INTO spans VALUES (1, 2, 2, 'web', 5, 7, NULL, 0, 2, NULL, 'old', 'ns', 'web-0', 'scope', '',
               '{"attributes":[["n",{"int":7}]],"resource":[["host.name",{"string":"h"}]]}')"#,
        )
        .unwrap();
    let store = open(StorePath::File(path));
    insert(&store, vec![span(1, 1, None, ("web", 0))]).await;
    let spans = store.load_trace(trace_id(1)).await.unwrap().unwrap().spans;
    let [old, new] = spans.as_slice() else {
        panic!("{spans:?}")
    };
    assert_eq!(
        (&*old.namespace, &*old.instance, &*old.scope),
        ("ns", "web-0", "scope")
    );
    assert_eq!(old.attribute("n").unwrap().as_int(), Some(7));
    assert_eq!(
        old.resource_attribute("host.name").unwrap().as_str(),
        Some("h")
    );
    assert_eq!(*new, span(1, 1, None, ("web", 0)));
}

/// Every page but the first is overwritten.
#[tokio::test]
async fn a_damaged_file_is_refused_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("clew.db");
    let store = open(StorePath::File(path.clone()));
    insert(&store, vec![span(1, 1, None, ("web", 0))]).await;
    store.close().await;
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100..].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let error = refusal(&path);
    assert!(
        matches!(error, StoreError::Corrupt { .. }),
        "{error}: {:?}",
        error.source()
    );
    assert!(error.to_string().contains("move it away"));
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = refusal(&file.join("clew.db"));
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_temporary_store_leaves_nothing_behind() {
    let store = temporary();
    insert(&store, vec![span(1, 1, None, ("web", 0))]).await;
    let path = store.path().to_path_buf();
    assert!(path.exists());
    store.close().await;
    assert!(!path.exists());
}
