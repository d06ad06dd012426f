#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::file::StorePath;

fn readers(deadline: Duration) -> (Claim, Readers) {
    let claim = Claim::take(StorePath::Temporary).unwrap();
    drop(claim.open_for_writing().unwrap());
    let readers = Readers {
        deadline,
        ..Readers::open(&claim).unwrap()
    };
    (claim, readers)
}

fn count_for_ever(connection: &Connection) -> Result<i64, ReadError> {
    let sql =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    connection
        .query_row(sql, [], |row| row.get(0))
        .map_err(query("count"))
}

#[tokio::test]
async fn a_question_without_end_is_given_up() {
    let (_claim, readers) = readers(Duration::ZERO);
    let answer = readers.ask(count_for_ever).await;
    assert!(matches!(answer, Err(ReadError::TimedOut(_))), "{answer:?}");
}

/// More panics than there are connections: each went back.
#[tokio::test]
async fn a_panic_costs_no_connection() {
    let (_claim, readers) = readers(DEADLINE);
    for _ in 0..=CONNECTIONS {
        let answer = readers
            .ask(|_| -> Result<(), ReadError> { panic!("of this test") })
            .await;
        assert!(matches!(answer, Err(ReadError::Closed)));
    }
    assert!(readers.ask(size).await.is_ok());
}

#[tokio::test]
async fn a_question_cannot_write() {
    let (_claim, readers) = readers(DEADLINE);
    let answer = readers
        .ask(|connection| {
            connection
                .execute("DELETE FROM spans", [])
                .map_err(query("delete"))
        })
        .await;
    assert!(matches!(answer, Err(ReadError::Query { .. })), "{answer:?}");
}

/// Rows of spans are scattered over the file by trace: reading a hundred thousand of them would take seconds.
#[tokio::test]
async fn candidates_for_exemplars_are_walked_in_an_index_alone() {
    let (_claim, readers) = readers(DEADLINE);
    for (is_of_service, index) in [(true, "spans_by_service"), (false, "spans_by_start")] {
        let explain = move |connection: &Connection| {
            let sql = format!("EXPLAIN QUERY PLAN {}", exemplars::statement(is_of_service));
            let mut statement = connection.prepare(&sql).map_err(query("explain"))?;
            let lines: rusqlite::Result<Vec<String>> =
                statement.raw_query().mapped(|row| row.get(3)).collect();
            lines.map_err(query("explain"))
        };
        let plan = readers.ask(explain).await.unwrap();
        let [line] = plan.as_slice() else {
            panic!("it is more than one walk: {plan:?}")
        };
        let expected = format!("USING COVERING INDEX {index}");
        assert!(line.contains(&expected), "{line}");
    }
}
