#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn written(segment: &str) -> String {
    let mut out = String::new();
    write_segment(segment, &mut out);
    out
}

fn all_become(expected: &str, segments: &[&str]) {
    for segment in segments {
        assert_eq!(written(segment), expected, "{segment}");
    }
}

#[test]
fn names_of_routes_stay() {
    for segment in [
        "books",
        "Books",
        "getUserById",
        "getUserByIdV2",
        "my-account",
        "snake_case",
        "index.html",
        "v1",
        "v2",
        "V3",
        "v1.1",
        "v1alpha2",
        "v2beta1",
        "v1p1beta1",
        "1.1",
        "2.0",
        "en",
        "en-US",
        "zh-Hant-TW",
        "es-419",
        "pt_BR",
        "oauth2",
        "ipv4",
        "sha256",
        "sha-256",
        "base64",
        "utf-8",
        "s3",
        "ec2",
        "k8s",
        "i18n",
        "mp3",
        "x86_64",
        "amd64",
        "html5",
        "es2015",
        "office365",
        "log4j",
        "2fa",
        "listEC2InstancesByTag",
        "Base64Encode",
        "facade",
        "decade",
        "face2face",
        "deadbeef",
        "dec2024",
        "cafe",
        "add",
        "us-east-1",
        "eu-west-1a",
        "step-2",
        "covid-19",
        "logo.png",
        "jquery-3.6.0.min.js",
        "robots.txt",
        ".well-known",
        ".env",
        "example.com",
        "com.example.app",
        "pkg.v1.Service",
        "favicon.ico",
        "sitemap.xml.gz",
        "@babel",
        "~alice",
        "batch:get",
        "a=b",
        "a,b,c",
        "Products()",
        "(group)",
        "do-not-sell-my-personal-information",
        "-",
        "_",
        "...",
        ":",
        "@",
        "{x}",
        "order-{id}",
        "{id}.json",
    ] {
        assert_eq!(written(segment), segment);
    }
}

#[test]
fn numbers_become_an_id() {
    all_become(
        "{id}",
        &[
            "0",
            "42",
            "-5",
            "007",
            "12345678901234567890",
            "1,2,3",
            "48.8566,2.3522",
            "10.0.0.1",
            "4.17.21",
            "978-3-16-148410-0",
            "+4912345678",
            "2024-2025",
            "12:30",
            "1_000",
            "123.5",
        ],
    );
}

#[test]
fn dates_become_a_date() {
    all_become(
        "{date}",
        &[
            "2024-05-01",
            "2024-05",
            "2024_05_01",
            "2024.05.01",
            "1999-12-31",
            "2024-05-01T10:20:30Z",
            "2024-05-01T10:20:30.123+02:00",
            "20240501T102030Z",
            "20240501_102030",
        ],
    );
    all_become(
        "{id}",
        &["2024-13-01", "20240501", "1234-05-01", "2024-05-32"],
    );
}

#[test]
fn uuids_hashes_and_addresses_are_told_apart() {
    all_become(
        "{uuid}",
        &[
            "550e8400-e29b-41d4-a716-446655440000",
            "550E8400-E29B-41D4-A716-446655440000",
            "12345678-1234-1234-1234-123456789012",
            "urn:uuid:550e8400-e29b-41d4-a716-446655440000",
        ],
    );
    all_become(
        "{hex}",
        &[
            "3f9a1c",
            "3f9a1c2",
            "550e8400e29b41d4a716446655440000",
            "507f1f77bcf86cd799439011",
            "0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe",
            "aa:bb:cc:dd:ee:ff",
            "2001:db8::1",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        ],
    );
    all_become(
        "{email}",
        &["alice@example.com", "a.b+c@mail.example.co.uk"],
    );
}

#[test]
fn random_strings_become_a_token() {
    all_become(
        "{token}",
        &[
            "dQw4w9WgXcQ",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "V1StGXR8_Z5jdHi6B-myT",
            "0ujtsYcgvSTl8PAuAdqWYSMnLOv",
            "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms",
            "B07XYZ1234",
            "x7k2m9q",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
            "a-very-long-title-of-an-article-that-somebody-wrote-about-many-things",
        ],
    );
}

#[test]
fn data_within_a_name_leaves_the_name() {
    for (segment, expected) in [
        ("42:activate", "{id}:activate"),
        ("user:42", "user:{id}"),
        ("urn:isbn:9783161484100", "urn:isbn:{id}"),
        ("year=2024", "year={id}"),
        ("dt=2024-05-01", "dt={date}"),
        ("lodash@4.17.21", "lodash@{id}"),
        ("42.json", "{id}.json"),
        ("app.3f9a1c.js", "app.{hex}.js"),
        ("main.8e7d6f5a.chunk.css", "main.{hex}.chunk.css"),
        ("chunk-3f9a1c2b.js", "chunk-{hex}.js"),
        ("index-BX7d9aLq.js", "index-{token}.js"),
        ("report-2024-05-01.pdf", "report-{date}.pdf"),
        ("IMG_20240501_123456.jpg", "{id}.jpg"),
        ("4bd1b696-182b6b13bdad92e3.js", "{hex}.js"),
        ("order-12345", "order-{id}"),
        ("user-550e8400-e29b-41d4-a716-446655440000", "user-{uuid}"),
        ("tt0111161", "tt{id}"),
        ("cus_NffrFe4UfNV2Hib8", "cus_{token}"),
        ("Products(42)", "Products({id})"),
        ("Users('alice')", "Users({name})"),
    ] {
        assert_eq!(written(segment), expected, "{segment}");
    }
}

#[test]
fn titles_with_an_id_are_data_as_a_whole() {
    all_become(
        "{id}",
        &[
            "harry-potter-12345",
            "12345-harry-potter",
            "030640615X",
            "a,12345,b",
        ],
    );
    all_become("{hex}", &["how-to-learn-rust-3f9a1c2b8d7e"]);
    all_become("{uuid}", &["my-file-550e8400-e29b-41d4-a716-446655440000"]);
}
