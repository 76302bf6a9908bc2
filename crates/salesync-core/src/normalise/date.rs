//! Dates of birth in one spelling.

use super::text::is_number;

/// Returns a date of birth as eight digits, year first. Where day and month could be either, the month is taken
/// to stand first; two-digit years below 30 are of this century. Nothing comes back for what is no date.
///
/// The digits are not checked against the calendar: a mistyped date is still evidence.
pub fn normalise(raw: &str) -> Option<String> {
    let fields = fields(raw);
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let date = match fields.as_slice() {
        [digits] if digits.len() == 8 && is_number(digits) => return filled(digits),
        [year, month, day, ..] if year.len() == 4 && is_number(year) => (*year, *month, *day),
        [one, two, year, ..] if month_number(one).is_some() => (*year, *one, *two),
        [one, two, year, ..] if month_number(two).is_some() => (*year, *two, *one),
        [one, two, year, ..] if one.parse::<u8>().is_ok_and(|number| number > 12) => {
            (*year, *two, *one)
        }
        [one, two, year, ..] => (*year, *one, *two),
        _ => return None,
    };
    let (year, month, day) = date;
    let year: u16 = year.parse().ok()?;
    let year = match year {
        0..30 => 2000 + year,
        30..100 => 1900 + year,
        _ => year,
    };
    let month = month_number(month).or_else(|| month.parse().ok())?;
    let day: u8 = day.parse().ok()?;
    if year > 9_999 || month > 99 || day > 99 {
        return None;
    }
    filled(&format!("{year:04}{month:02}{day:02}"))
}

/// Splits a date into its runs of letters and of digits.
fn fields(raw: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    let mut open = false;
    for character in raw.chars().take(40).flat_map(char::to_lowercase) {
        let same_kind = |field: &String| {
            field.ends_with(|last: char| last.is_ascii_digit() == character.is_ascii_digit())
        };
        match fields.last_mut() {
            _ if !character.is_ascii_alphanumeric() => open = false,
            Some(field) if open && same_kind(field) => field.push(character),
            _ => {
                fields.push(character.to_string());
                open = true;
            }
        }
    }
    fields
}

/// Returns the number of a month's English name or its first three letters.
fn month_number(word: &str) -> Option<u8> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let start = word.get(..3)?;
    (1..)
        .zip(MONTHS)
        .find(|(_, month)| *month == start)
        .map(|(number, _)| number)
}

/// Lets through what is not a filler such as 1900-01-01, one digit throughout, or the year 9999.
fn filled(digits: &str) -> Option<String> {
    let mut bytes = digits.bytes();
    let first = bytes.next();
    let filler = bytes.all(|byte| Some(byte) == first)
        || ["19000101", "19700101"].contains(&digits)
        || digits.starts_with("9999");
    (!filler).then(|| digits.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_eight_digits() {
        for (raw, digits) in [
            ("1971-06-24", Some("19710624")),
            ("19710624", Some("19710624")),
            ("6/24/1971", Some("19710624")),
            ("24/6/1971", Some("19710624")),
            ("24.06.71", Some("19710624")),
            ("Mar 1 1970", Some("19700301")),
            ("24-May-11", Some("20110524")),
            ("1971-06-24T00:00:00Z", Some("19710624")),
            ("1994-11-71", Some("19941171")),
            ("9185-00-14", Some("91850014")),
            ("1994-11-171", None),
            ("99/99/9999", None),
            ("9999-01-01", None),
            ("00000000", None),
            ("1900-01-01", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(normalise(raw).as_deref(), digits, "{raw}");
        }
    }
}
