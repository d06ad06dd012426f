//! The rules of `clew-proxy redirect`.

use super::network::Network;
use clew_testkit::programs::{finish, peer, stderr};

#[tokio::test]
async fn installing_the_rules_twice_is_the_same_as_once() {
    let network = Network::start().await;
    let host = network.host("host").await;
    let proxy = network.proxy();
    let redirect = [proxy.as_os_str(), "redirect".as_ref()];
    let list = ["nft", "list", "ruleset"];
    host.output(&redirect, &[]).await;
    let once = host.output(&list, &[]).await;
    host.output(&redirect, &[]).await;
    assert_eq!(host.output(&list, &[]).await, once);
    assert!(
        once.contains("redirect to :4143") && once.contains("redirect to :4140"),
        "{once}"
    );
}

#[tokio::test]
async fn without_the_right_to_change_the_network_it_says_so() {
    let network = Network::start().await;
    let host = network.host("host").await;
    let mut redirect = network.as_proxy_user(&host);
    redirect.arg("redirect");
    let output = finish(redirect).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("CAP_NET_ADMIN"), "{output:?}");
}

#[tokio::test]
async fn ports_that_are_left_out_go_past_the_proxy() {
    let network = Network::start().await;
    let rules = ["--skip-inbound", "81", "--skip-outbound", "81"];
    let books = network.instance_with("books", &["80,books"], &rules).await;
    let _application = books.serve(81, &peer("books.py", &[]), &[]).await;
    let shell = network.instance_with("shell", &[], &rules).await;

    let url = format!("http://{}:81/books/1", books.address);
    let answer = shell
        .output(&["curl", "--silent", "--fail", &url], &[])
        .await;

    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert!(
        answer["traceparent"].is_null(),
        "nobody on the way has touched it"
    );
    network.scrape().await;
    let edges: Option<serde_json::Value> = network.look(&["edges", "-t", "1h"]).await;
    assert!(edges.is_none_or(|edges| edges["edges"] == serde_json::json!([])));
}

/// Without its proxy an application is cut off: nothing passes unseen.
#[tokio::test]
async fn when_the_proxy_is_gone_nothing_passes() {
    let network = Network::start().await;
    let books = network.host("books").await;
    let _application = books.serve(80, &peer("books.py", &[]), &[]).await;
    let shell = network.host("shell").await;
    let url = format!("http://{}/books/1", books.address);
    let curl = ["curl", "--silent", "--fail", &url];
    shell.output(&curl, &[]).await;

    let proxy = network.proxy();
    shell
        .output(&[proxy.as_os_str(), "redirect".as_ref()], &[])
        .await;

    let mut refused = shell.command(curl[0]);
    refused.args(&curl[1..]);
    assert_eq!(
        finish(refused).await.status.code(),
        Some(7),
        "connection refused"
    );
}
