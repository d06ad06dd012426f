//! Numbers as people read them: three significant digits and a unit.

/// A time in milliseconds: `850 us`, `1.23 ms`, `12.3 ms`, `123 ms`, `1.23 s`, `2m 05s`.
pub(crate) fn millis(ms: f64) -> String {
    let us = ms * 1e3;
    if us < 0.5 {
        "0 ms".to_owned()
    } else if us < 999.5 {
        format!("{us:.0} us")
    } else if ms < 999.5 {
        format!("{} ms", three_digits(ms))
    } else if ms < 59_995.0 {
        format!("{} s", three_digits(ms / 1e3))
    } else {
        let seconds = (ms / 1e3).round() as u64;
        format!("{}m {:02}s", seconds / 60, seconds % 60)
    }
}

/// A time in microseconds, as [`millis`].
pub(crate) fn micros(us: u64) -> String {
    millis(us as f64 / 1e3)
}

/// A rate: `0`, `0.25`, `12.3`, `123`, `1.23 k`, `1.23 M`.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second <= 0.0 {
        "0".to_owned()
    } else if per_second < 0.005 {
        "<0.01".to_owned()
    } else if per_second < 999.5 {
        three_digits(per_second)
    } else if per_second < 999_500.0 {
        format!("{} k", three_digits(per_second / 1e3))
    } else {
        format!("{} M", three_digits(per_second / 1e6))
    }
}

/// A share, 0 to 1: `99.87%`. Cut, not rounded: it says `100.00%` only when nothing failed.
pub(crate) fn share(share: f64) -> String {
    // The small addend makes up for binary fractions: 0.29 is stored as 0.28999...
    let hundredths = (share * 1e4 + 1e-6).floor();
    format!("{:.2}%", hundredths / 1e2)
}

/// A size: `512 B`, `1.50 KiB`, `12.3 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{} {}", three_digits(size), UNITS[unit])
}

/// At most three significant digits, two after the point: `1.23`, `12.3`, `123`.
fn three_digits(value: f64) -> String {
    if value < 9.995 {
        format!("{value:.2}")
    } else if value < 99.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}
