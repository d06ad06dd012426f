#![allow(clippy::unwrap_used)]

use super::*;

const URL: &str = "http://127.0.0.1:8084/";

#[test]
fn nothing_is_opened_where_there_is_no_display() {
    let with = |set: &'static str| move |name: &str| (name == set).then(|| ":0".to_owned());
    assert!(has_display(with("DISPLAY")));
    assert!(has_display(with("WAYLAND_DISPLAY")));
    if !cfg!(target_os = "macos") {
        assert!(!has_display(|_| None));
        assert!(!has_display(|_| Some(String::new())));
    }
}

#[tokio::test]
async fn an_opener_that_fails_is_told_of() {
    open("true", URL).await.unwrap();
    let failed = open("false", URL).await.unwrap_err();
    assert!(failed.contains("false ended with"), "{failed}");
    let missing = open("/nothing/here", URL).await.unwrap_err();
    assert!(missing.contains("cannot start /nothing/here"), "{missing}");
}
