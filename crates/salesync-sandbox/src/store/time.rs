//! Instants as each vendor writes them, and reading either spelling back.

use chrono::{DateTime, NaiveDate};

/// Milliseconds in a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// Appends an instant as HubSpot writes it: milliseconds are left out when they are zero.
pub(crate) fn push_hubspot_time(out: &mut String, ms: i64) {
    push_date_and_time(out, ms);
    let fraction = ms.rem_euclid(1_000);
    if fraction != 0 {
        out.push('.');
        push_digits(out, fraction, 3);
    }
    out.push('Z');
}

/// Appends an instant as Salesforce's REST API writes it: no colon in the zone.
pub(crate) fn push_salesforce_time(out: &mut String, ms: i64) {
    push_date_and_time(out, ms);
    out.push('.');
    push_digits(out, ms.rem_euclid(1_000), 3);
    out.push_str("+0000");
}

/// Appends the day of an instant as `YYYY-MM-DD`.
pub(crate) fn push_date(out: &mut String, ms: i64) {
    let (year, month, day) = civil(ms.div_euclid(DAY_MS));
    push_digits(out, year, 4);
    out.push('-');
    push_digits(out, month, 2);
    out.push('-');
    push_digits(out, day, 2);
}

/// Cuts an instant down to the whole second.
pub(crate) fn whole_second(ms: i64) -> i64 {
    ms.div_euclid(1_000).saturating_mul(1_000)
}

/// Reads an instant: milliseconds since 1970 as digits, a date, or a date and time with a zone.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(ms) = text.parse::<i64>() {
        return Some(ms);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z") {
        return Some(time.timestamp_millis());
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis())
}

fn push_date_and_time(out: &mut String, ms: i64) {
    push_date(out, ms);
    let second = ms.rem_euclid(DAY_MS) / 1_000;
    out.push('T');
    push_digits(out, second / 3_600, 2);
    out.push(':');
    push_digits(out, second / 60 % 60, 2);
    out.push(':');
    push_digits(out, second % 60, 2);
}

fn push_digits(out: &mut String, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = value.abs() / 10_i64.pow(place) % 10;
        out.push(char::from(
            b'0'.saturating_add(u8::try_from(digit).unwrap_or(0)),
        ));
    }
}

/// Turns days since 1970 into year, month and day (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
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
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_read_back_as_the_same_instant() {
        for ms in [
            0,
            951_782_400_000,
            1_709_209_845_123,
            1_790_858_096_000,
            4_102_444_799_999,
        ] {
            let (mut hubspot, mut salesforce) = (String::new(), String::new());
            push_hubspot_time(&mut hubspot, ms);
            push_salesforce_time(&mut salesforce, ms);
            assert_eq!(parse_time(&hubspot), Some(ms), "{hubspot}");
            assert_eq!(parse_time(&salesforce), Some(ms), "{salesforce}");
            assert_eq!(hubspot.contains('.'), ms % 1_000 != 0);
        }
    }
}
