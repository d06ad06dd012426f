#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn units_are_understood_and_the_largest_that_divides_is_shown() {
    for (text, ms, shown) in [
        ("500ms", 500, "500ms"),
        ("30s", 30_000, "30s"),
        ("60s", 60_000, "1m"),
        ("1m", 60_000, "1m"),
        ("6h", 21_600_000, "6h"),
        ("7d", 604_800_000, "7d"),
        ("90m", 5_400_000, "90m"),
        ("0s", 0, "0s"),
    ] {
        let span: TimeSpan = text.parse().unwrap();
        assert_eq!(span.duration(), Duration::from_millis(ms), "{text}");
        assert_eq!(span.to_string(), shown);
    }
}

#[test]
fn what_is_not_a_span_is_refused() {
    for text in [
        "",
        "1",
        "m",
        "1.5m",
        "-1m",
        "1 m",
        "1M",
        "1w",
        "99999999999999999999s",
        "18446744073709551615d",
    ] {
        assert_eq!(text.parse::<TimeSpan>(), Err(NotATimeSpan), "{text}");
    }
}
