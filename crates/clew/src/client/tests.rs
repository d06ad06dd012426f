#![allow(clippy::unwrap_used)]

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Something that answers one request with these bytes and closes.
async fn answers(response: &'static str) -> ApiClient {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let read = stream.read(&mut request).await.unwrap();
        assert!(read > 0);
        stream.write_all(response.as_bytes()).await.unwrap();
    });
    ApiClient::new(&format!("http://{address}").parse().unwrap())
}

async fn refusal(response: &'static str) -> ApiError {
    answers(response)
        .await
        .get::<serde_json::Value>(&Question::new("/stat"))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn nobody_there_is_said_with_what_to_do() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = ApiClient::new(&api.parse().unwrap());
    let error = client
        .get::<serde_json::Value>(&Question::new("/stat"))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("no mesh answers at {api}; start one with `clew demo` or `clew run`")
    );
}

#[tokio::test]
async fn something_else_there_is_told_from_a_mesh() {
    for response in [
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
    ] {
        assert!(
            matches!(refusal(response).await, ApiError::NotClew { .. }),
            "{response}"
        );
    }
    let garbage = refusal("SSH-2.0-OpenSSH_9.6\r\n").await;
    assert!(matches!(garbage, ApiError::Unreachable { .. }), "{garbage}");
}

#[tokio::test]
async fn a_mesh_says_by_its_status_whether_it_has_a_dashboard() {
    for (response, has_it) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", true),
        (
            "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno",
            false,
        ),
    ] {
        assert_eq!(
            answers(response).await.has_dashboard().await.unwrap(),
            has_it
        );
    }
}

#[tokio::test]
async fn a_refusal_is_said_in_its_own_words() {
    let error = refusal(
        "HTTP/1.1 404 Not Found\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\r\n\
         {\"type\":\"a\",\"title\":\"b\",\"status\":404,\"detail\":\"no such workload\",\"known\":[\"books\",\"web\"]}",
    )
    .await;
    assert_eq!(error.to_string(), "no such workload; there are: books, web");
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_makes_no_sense_is_no_answer() {
    let short =
        refusal("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{")
            .await;
    assert!(matches!(short, ApiError::BrokenOff(_)), "{short}");
    let wrong =
        refusal("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n{")
            .await;
    assert!(matches!(wrong, ApiError::Malformed(_)), "{wrong}");
}

#[test]
fn questions_are_escaped() {
    let question = Question::new("/traces")
        .segment("a/b?")
        .with("route", "GET /books/{id}")
        .with("x", "a&b=c+d");
    assert_eq!(
        question.path,
        "/traces/a%2Fb%3F?route=GET%20%2Fbooks%2F%7Bid%7D&x=a%26b%3Dc%2Bd"
    );
    assert_eq!(
        Question::new("/stat")
            .with_some("namespace", None::<&str>)
            .path,
        "/stat"
    );
}
