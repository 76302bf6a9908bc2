//! Days and instants in the one spelling that the vendor's REST API uses, read without a format string:
//! five of them in each record are most of what decoding costs. Other spellings are for core's `validate`.

use salesync_core::time::Timestamp;

/// Days from 0000-03-01 to 1970-01-01, in the calendar that begins its years in March.
const MARCH_YEARS_TO_1970: i32 = 719_468;

/// Reads `2026-10-01T12:34:56.000+0000`; `None` where the text is anything else.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked(10)?;
    let time = rest.strip_prefix('T')?.strip_suffix("+0000")?;
    let &[h1, h2, b':', m1, m2, b':', s1, s2, b'.', f1, f2, f3] = time.as_bytes() else {
        return None;
    };
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[m1, m2])?, number(&[s1, s2])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let secs = i64::from(day(date)?) * 86_400 + i64::from(hour * 3_600 + minute * 60 + second);
    Some(Timestamp::from_millis(
        secs * 1_000 + i64::from(number(&[f1, f2, f3])?),
    ))
}

/// Reads `2026-10-01` as days since 1970-01-01; `None` where the text is anything else or no day.
pub(crate) fn day(text: &str) -> Option<i32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
        return None;
    };
    let (year, month, day) = (
        number(&[y1, y2, y3, y4])?,
        number(&[m1, m2])?,
        number(&[d1, d2])?,
    );
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year < 1 || day < 1 || day > longest {
        return None;
    }
    // With February at the year's end, leap days never lie inside a year, and five months have 153 days.
    let (march_year, march_month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = march_year / 4 - march_year / 100 + march_year / 400;
    Some(march_year * 365 + leap_days + (153 * march_month + 2) / 5 + day - 1 - MARCH_YEARS_TO_1970)
}

fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + i32::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use salesync_core::validate::{parse_date, parse_timestamp};

    use super::*;

    #[test]
    fn every_day_and_instant_is_read_as_the_core_reads_it() {
        for year in [
            1, 4, 1600, 1899, 1900, 1969, 1970, 1999, 2000, 2023, 2024, 2026, 2100, 9999,
        ] {
            for month in 1..=12 {
                for day_of_month in 1..=31 {
                    let date = format!("{year:04}-{month:02}-{day_of_month:02}");
                    assert_eq!(day(&date), parse_date(&date).ok(), "{date}");
                    let text = format!("{date}T23:05:59.{:03}+0000", day_of_month * 7);
                    assert_eq!(instant(&text), parse_timestamp(&text).ok(), "{text}");
                }
            }
        }
    }

    #[test]
    fn any_other_spelling_is_left_to_the_core() {
        let others = [
            "",
            "2026-10-01",
            "2026-10-01T12:34:56Z",
            "2026-10-01T12:34:56.000Z",
            "2026-10-01T12:34:56.000+0200",
            "2026-10-01T24:00:00.000+0000",
            "2026-10-01T12:60:00.000+0000",
            "2026-10-01T12:00:60.000+0000",
            "2026-13-01T12:34:56.000+0000",
            "2026-10-01 12:34:56.000+0000",
            "2026-10-0\u{e9}T12:34:56.000+0000",
        ];
        for text in others {
            assert_eq!(instant(text), None, "{text}");
        }
        for text in [
            "",
            "0000-01-01",
            "2026-1-01",
            "2026-02-30",
            "2026-00-01",
            "+026-01-01",
            "2026/01/01",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
