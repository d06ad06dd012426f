use super::table::{Cell, Table};
use super::*;

#[test]
fn times_have_three_digits_and_a_unit() {
    for (ms, text) in [
        (0.0, "0 ms"),
        (0.0123, "12 us"),
        (0.85, "850 us"),
        (0.9996, "1.00 ms"),
        (1.234, "1.23 ms"),
        (9.999, "10.0 ms"),
        (12.34, "12.3 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (59_990.0, "60.0 s"),
        (125_000.0, "2m 05s"),
    ] {
        assert_eq!(units::millis(ms), text, "{ms}");
    }
}

#[test]
fn rates_are_readable_at_any_size() {
    for (rps, text) in [
        (0.0, "0"),
        (0.001, "<0.01"),
        (0.25, "0.25"),
        (12.34, "12.3"),
        (999.9, "1.00 k"),
        (1_234.0, "1.23 k"),
        (2_500_000.0, "2.50 M"),
    ] {
        assert_eq!(units::rate(rps), text, "{rps}");
    }
}

#[test]
fn a_share_is_whole_only_when_nothing_failed() {
    assert_eq!(units::share(1.0), "100.00%");
    assert_eq!(units::share(0.999_999), "99.99%");
    assert_eq!(units::share(0.29), "29.00%");
    assert_eq!(units::share(0.0), "0.00%");
}

#[test]
fn sizes_are_binary() {
    assert_eq!(units::bytes(1023), "1023 B");
    assert_eq!(units::bytes(1536), "1.50 KiB");
    assert_eq!(units::bytes(1_048_575), "1.00 MiB");
    assert_eq!(units::bytes(u64::MAX), "16777216 TiB");
}

#[test]
fn numbers_end_and_text_begins_in_line_whatever_the_colours() {
    let mut table = Table::new().text("NAME").number("RPS").text("ERRORS");
    table.row(vec![
        Cell::new("books"),
        Cell::styled("12.3", GOOD),
        Cell::new("a"),
    ]);
    table.row(vec![Cell::new("a"), Cell::none(), Cell::new("bcd")]);
    let text = anstream::adapter::strip_str(&table.render()).to_string();
    assert_eq!(
        text,
        "NAME    RPS  ERRORS\nbooks  12.3  a\na         -  bcd\n"
    );
}

#[test]
fn text_from_outside_cannot_steer_the_terminal() {
    assert_eq!(
        clean("a\u{1b}[2Jb\nc\u{202e}d"),
        "a\\u{1b}[2Jb\\nc\\u{202e}d"
    );
    assert_eq!(clean("grüße"), "grüße");
}

#[test]
fn what_is_cut_off_is_marked() {
    assert_eq!(shortened("abcdef", 6), "abcdef");
    assert_eq!(shortened("abcdefg", 6), "abcde…");
}
