//! Instants and days out of the spellings that sources use.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};

use super::Misfit;
use crate::time::Timestamp;

/// The days between year 1 and 1970-01-01, as chrono counts them.
const EPOCH_FROM_YEAR_ONE: i32 = 719_163;

/// Reads an instant: RFC 3339, the same with an offset without colon (`+0000`), or whole milliseconds
/// since 1970. A time without an offset is refused, since nobody says which zone it means; one without
/// a time of day is the beginning of that day in UTC.
///
/// # Errors
/// [`Misfit::Type`] where the text is none of these, [`Misfit::Range`] outside of the years 1 to 9999.
pub fn parse_timestamp(text: &str) -> Result<Timestamp, Misfit> {
    if text.len() > 40 {
        return Err(Misfit::Type);
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        let millis = text.parse::<i64>().map_err(|_| Misfit::Range)?;
        return in_range(Timestamp::from_millis(millis));
    }
    if text.len() == 10 {
        let days = parse_date(text)?;
        return Ok(Timestamp::from_micros(i64::from(days) * 86_400_000_000));
    }
    let parsed = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    match parsed {
        Ok(datetime) => in_range(Timestamp::from_micros(datetime.timestamp_micros())),
        Err(_) => Err(misfit_of(text)),
    }
}

/// Reads a day, `YYYY-MM-DD`, as days since 1970-01-01.
///
/// # Errors
/// [`Misfit::Type`] where the text is no day, [`Misfit::Range`] where no such day exists.
pub fn parse_date(text: &str) -> Result<i32, Misfit> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| misfit_of(text))?;
    if !(1..=9999).contains(&day.year()) {
        return Err(Misfit::Range);
    }
    Ok(day.num_days_from_ce() - EPOCH_FROM_YEAR_ONE)
}

/// Tells a date that does not exist from text that is no date at all.
fn misfit_of(text: &str) -> Misfit {
    if NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").is_ok() {
        return Misfit::Type;
    }
    let shaped = text.len() >= 10
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || b"-:.+TZ ".contains(&b))
        && text.bytes().filter(|b| *b == b'-').count() >= 2;
    if shaped { Misfit::Range } else { Misfit::Type }
}

fn in_range(timestamp: Timestamp) -> Result<Timestamp, Misfit> {
    match timestamp.to_datetime() {
        Some(datetime) if (1..=9999).contains(&datetime.year()) => Ok(timestamp),
        _ => Err(Misfit::Range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_one_instant_is_the_same_instant() {
        let cases = [
            "2026-10-01T12:34:56.000+0000",
            "2026-10-01T12:34:56Z",
            "2026-10-01T12:34:56.000Z",
            "2026-10-01T14:34:56.000+02:00",
            "1790858096000",
        ];
        for text in cases {
            assert_eq!(
                parse_timestamp(text),
                Ok(Timestamp::from_millis(1_790_858_096_000)),
                "{text}"
            );
        }
        assert_eq!(
            parse_timestamp("1970-01-02"),
            Ok(Timestamp::from_millis(86_400_000))
        );
        assert_eq!(parse_date("1970-01-02"), Ok(1));
        assert_eq!(parse_date("0001-01-01"), Ok(1 - EPOCH_FROM_YEAR_ONE));
    }

    #[test]
    fn absurd_dates_are_out_of_range_and_other_text_is_no_date() {
        let out_of_range = [
            "2026-13-45",
            "0000-00-00",
            "99999999999999999999",
            "20000-01-01T00:00:00Z",
            "2026-02-30T10:00:00Z",
        ];
        for text in out_of_range {
            assert_eq!(parse_timestamp(text), Err(Misfit::Range), "{text}");
        }
        for text in ["", "soon", "2026-10-01T12:34:56", "12.5", "1e3"] {
            assert_eq!(parse_timestamp(text), Err(Misfit::Type), "{text}");
        }
    }
}
