#![allow(clippy::unwrap_used)]

use super::Versions;
use anstream::adapter::strip_str;
use clew_api::rest::members::Instance;
use clew_runtime::buildinfo::VERSION;

fn member(id: &str, version: &str) -> Instance {
    Instance {
        id: id.to_owned(),
        workload: id.split('-').next().unwrap().to_owned(),
        namespace: "default".to_owned(),
        role: "proxy".to_owned(),
        version: version.to_owned(),
        pid: 1,
        started: String::new(),
        leaving: false,
        ports: Vec::new(),
        admin_address: None,
        tap_address: None,
        last_scrape: None,
        scrape_error: None,
    }
}

fn shown(versions: &Versions) -> String {
    strip_str(&versions.render(false)).to_string()
}

#[test]
fn nothing_is_said_of_versions_that_are_one() {
    let members = vec![member("books-1", VERSION), member("webapp-1", VERSION)];
    let versions = Versions::new(Some(VERSION.to_owned()), members);
    assert!(versions.skew.is_empty());
    let expected = format!(
        "PROGRAM  VERSION  INSTANCES\nclew     {VERSION}            -\nroles    {VERSION}            -\n\
         proxies  {VERSION}            2\n"
    );
    assert_eq!(shown(&versions), expected);
}

#[test]
fn who_is_of_another_version_is_named() {
    let members = vec![
        member("books-1", "0.0.8"),
        member("books-2", "0.0.8"),
        member("ratings-1", "0.0.9"),
        member("webapp-1", VERSION),
    ];
    let versions = Versions::new(Some("0.0.9".to_owned()), members);
    assert_eq!(
        versions.skew,
        [
            format!("the roles are 0.0.9, this clew is {VERSION}"),
            format!("2 proxies are 0.0.8 (books), this clew is {VERSION}"),
            format!("1 proxy is 0.0.9 (ratings), this clew is {VERSION}"),
        ]
    );
    assert!(shown(&versions).contains("versions differ: the roles are 0.0.9"));
}

#[test]
fn without_a_mesh_the_own_version_is_still_told() {
    let versions = Versions::new(None, Vec::new());
    assert!(shown(&versions).contains(&format!("clew     {VERSION}")));
    let json: serde_json::Value = serde_json::from_str(&versions.json().unwrap()).unwrap();
    assert_eq!(json["version"], VERSION);
    assert!(json["roles"].is_null() && json["skew"].as_array().unwrap().is_empty());
}
