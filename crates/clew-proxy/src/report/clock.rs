//! Wall-clock time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Unix time in nanoseconds; 0 when the clock stands before 1970.
pub(super) fn unix_nano_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, nanoseconds)
}

/// A duration in nanoseconds, of which 64 bits hold 584 years.
#[inline]
pub(super) fn nanoseconds(duration: Duration) -> u64 {
    duration
        .as_secs()
        .wrapping_mul(1_000_000_000)
        .wrapping_add(duration.subsec_nanos().into())
}

/// RFC 3339 in UTC with microseconds: `2024-02-29T12:34:56.789012Z`.
pub(crate) fn rfc3339(unix_nano: u64) -> String {
    let (seconds, micros) = (unix_nano / 1_000_000_000, unix_nano % 1_000_000_000 / 1_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days to year, month and day as in Hinnant, "chrono-Compatible Low-Level Date Algorithms"
    // (civil_from_days), for days since 1970 only. Years begin in March, so that leap days come last.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_709_210_096_789_012_345, "2024-02-29T12:34:56.789012Z"),
            (1_735_689_599_999_999_999, "2024-12-31T23:59:59.999999Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000Z"),
        ];
        for (unix_nano, expected) in cases {
            assert_eq!(rfc3339(unix_nano), expected);
        }
    }
}
