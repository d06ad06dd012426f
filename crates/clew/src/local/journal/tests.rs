#![allow(clippy::unwrap_used)]

use super::read::{Log, Record};
use super::{Journal, MAX_FILE_BYTES, MAX_FILES, Stream, begin_anew};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

fn journal(folder: &Path, service: &str, instance: &str) -> Journal {
    Journal::new(folder, service, instance)
}

fn texts(records: Vec<Record>) -> Vec<String> {
    let text = |record: Record| {
        let text = String::from_utf8(record.text).unwrap();
        format!("{}: {text}", record.instance)
    };
    records.into_iter().map(text).collect()
}

#[test]
fn what_several_programs_write_is_one_log_in_the_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("a.logs");
    let mut log = Log::new(folder.clone());
    assert_eq!(log.news(None).unwrap(), []);
    let mut one = journal(&folder, "books", "books-1");
    let mut two = journal(&folder, "web", "web");

    one.append(Stream::Output, b"first");
    two.append(Stream::Error, b"  second");
    one.append(Stream::Output, b"");
    let all = texts(log.news(None).unwrap());
    assert_eq!(all, ["books-1: first", "web:   second", "books-1: "]);

    two.append(Stream::Output, b"third");
    one.append(Stream::Output, b"fourth");
    assert_eq!(texts(log.news(Some("web")).unwrap()), ["web: third"]);
    assert_eq!(texts(log.news(None).unwrap()), ["books-1: fourth"]);
    assert_eq!(log.services(), ["books", "web"]);
}

#[test]
fn a_file_that_is_full_is_put_aside_and_no_line_is_lost_to_who_follows() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = journal(folder.path(), "books", "books");
    let mut log = Log::new(folder.path().to_owned());
    let long = vec![b'x'; 16 * 1024];
    let lines_of_a_file = usize::try_from(MAX_FILE_BYTES).unwrap() / long.len();
    let mut read = 0;
    for n in 0..4 * lines_of_a_file {
        journal.append(Stream::Output, &long);
        if n % 7 == 0 {
            read += log.news(None).unwrap().len();
        }
    }
    read += log.news(None).unwrap().len();
    assert_eq!(read, 4 * lines_of_a_file);

    let sizes = std::fs::read_dir(folder.path()).unwrap();
    let sizes: Vec<u64> = sizes
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .collect();
    let bound = MAX_FILE_BYTES + 32 * 1024;
    assert!(
        sizes.len() <= 2 && sizes.iter().all(|size| *size < bound),
        "{sizes:?}"
    );
    // Who comes later reads what is left, the older file first.
    let later = Log::new(folder.path().to_owned()).news(None).unwrap();
    assert!(later.len() >= lines_of_a_file && later.is_sorted_by_key(|record| record.time));
}

#[test]
fn half_a_line_is_read_when_it_is_whole_and_rubbish_is_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = journal(folder.path(), "books", "books");
    journal.append(Stream::Output, b"whole");
    let mut file = OpenOptions::new()
        .append(true)
        .open(folder.path().join("books.books.log"))
        .unwrap();
    let mut log = Log::new(folder.path().to_owned());
    file.write_all(b"rubbish\n2026-01-01T00:00:00Z o ha")
        .unwrap();
    assert_eq!(texts(log.news(None).unwrap()), ["books: whole"]);
    file.write_all(b"lf\n").unwrap();
    assert_eq!(texts(log.news(None).unwrap()), ["books: half"]);
}

#[test]
fn a_folder_keeps_a_bounded_number_of_files_and_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("a.logs");
    for n in 0..MAX_FILES + 5 {
        journal(&folder, "books", &format!("books-{n}")).append(Stream::Output, b"line");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), MAX_FILES);
    begin_anew(&folder);
    assert!(!folder.exists());
}
