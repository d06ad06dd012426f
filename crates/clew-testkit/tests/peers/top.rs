//! `clew top`: on a terminal, and without one.

use clew_testkit::programs::{LocalMesh, clew, command, finish, peer, stderr, stdout};

#[tokio::test]
async fn without_a_terminal_it_is_wrong_usage_and_says_what_to_use() {
    let mesh = LocalMesh::start().await;
    let output = finish(mesh.clew(&["top"])).await;
    assert_eq!(output.status.code(), Some(64), "{output:?}");
    assert!(stderr(&output).contains("`clew stat`"), "{output:?}");
}

/// It ends with `q`, and the terminal is as it was: the screen of its own is left, and the cursor is there.
#[tokio::test]
async fn on_a_terminal_it_shows_what_is_there_and_gives_the_terminal_back() {
    let mesh = LocalMesh::start().await;
    let _web = mesh.serve("web", &[], &peer("books.py", &[])).await;
    let clew = clew();
    let top = ["q", "web", "by RPS", "--", clew.to_str().unwrap(), "top"];
    let words = peer("terminal.py", &top);
    let mut on_terminal = command(&words[0]);
    let api = format!("http://{}", mesh.whereabouts().api);
    on_terminal.args(&words[1..]).env("CLEW_API", api);

    let output = finish(on_terminal).await;

    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let shown = stdout(&output);
    assert!(shown.starts_with("\x1b[?1049h\x1b[?25l"), "{shown:?}");
    assert!(shown.ends_with("\x1b[?25h\x1b[?1049l"), "{shown:?}");
}
