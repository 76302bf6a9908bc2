//! Judges values: checked newtypes whose constructor is the only door, and the one way in which a
//! source's text becomes a column's value.

mod decimal;
mod domain;
mod email;
mod identifier;
mod phone;
mod timestamp;

use std::borrow::Cow;

pub use decimal::parse_decimal;
pub use domain::{Domain, DomainError};
pub use email::{Email, EmailError};
pub use identifier::{SoqlIdentifier, SqlIdentifier, check_name};
pub use phone::{PhoneNumber, PhoneNumberError};
pub use timestamp::{parse_date, parse_timestamp};

use crate::error::Code;
use crate::record::{Reject, Value};
use crate::schema::ColumnType;

/// Why a value is not of a column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// It is of another type: the record is rejected.
    Type,
    /// It is outside of what the type can mean: the record is rejected.
    Range,
    /// It is a good number with more digits than the column holds: it is kept in `_extra`.
    Precision,
}

impl Misfit {
    /// Returns the reject of a record whose `field` does not fit, `None` where the value is kept in `_extra`.
    #[must_use]
    pub fn reject(self, field: &str) -> Option<Reject> {
        match self {
            Self::Type => Some(
                Reject::new(
                    Code::RecordType,
                    "a value is of the type that the source declares",
                )
                .in_field(field),
            ),
            Self::Range => Some(
                Reject::new(
                    Code::RecordRange,
                    "a date exists and lies in the years 1 to 9999; a whole number has 64 bits",
                )
                .in_field(field),
            ),
            Self::Precision => None,
        }
    }
}

/// Reads the text of one value as the column's type.
///
/// Empty text is no value, except in a text column, where the source decides before it asks.
///
/// # Errors
/// A [`Misfit`] that says what is wrong.
pub fn parse_value(column_type: ColumnType, text: Cow<'_, str>) -> Result<Value<'_>, Misfit> {
    let trimmed = text.trim();
    match column_type {
        ColumnType::Text | ColumnType::Json => return Ok(Value::Text(repaired(text))),
        _ if trimmed.is_empty() => return Ok(Value::Null),
        _ => {}
    }
    match column_type {
        ColumnType::Bool => match trimmed {
            "true" | "True" | "TRUE" => Ok(Value::Bool(true)),
            "false" | "False" | "FALSE" => Ok(Value::Bool(false)),
            _ => Err(Misfit::Type),
        },
        ColumnType::Int => match trimmed.parse::<i64>() {
            Ok(number) => Ok(Value::Int(number)),
            Err(_) => match parse_decimal(trimmed, 38, 0) {
                Ok(number) => i64::try_from(number)
                    .map(Value::Int)
                    .map_err(|_| Misfit::Range),
                Err(Misfit::Precision) => Err(Misfit::Range),
                Err(misfit) => Err(misfit),
            },
        },
        ColumnType::Decimal { precision, scale } => {
            parse_decimal(trimmed, precision, scale).map(Value::Decimal)
        }
        ColumnType::Double => match trimmed.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Double(number)),
            _ => Err(Misfit::Type),
        },
        ColumnType::Timestamp => parse_timestamp(trimmed).map(Value::Timestamp),
        ColumnType::Date => date_of(trimmed).map(Value::Date),
        ColumnType::Text | ColumnType::Json => Err(Misfit::Type),
    }
}

/// A day, also where the source sends the instant of its midnight.
fn date_of(text: &str) -> Result<i32, Misfit> {
    if text.len() == 10 && text.contains('-') {
        return parse_date(text);
    }
    let day = parse_timestamp(text)?.secs().div_euclid(86_400);
    i32::try_from(day).map_err(|_| Misfit::Range)
}

/// Replaces NUL, which warehouses refuse in text, by U+FFFD.
#[must_use]
pub fn repaired(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{FFFD}"))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn text_becomes_a_value_of_the_columns_type() {
        let cases = [
            (ColumnType::Text, "", Value::Text("".into())),
            (ColumnType::Text, "a\0b", Value::Text("a\u{FFFD}b".into())),
            (ColumnType::Bool, "true", Value::Bool(true)),
            (ColumnType::Bool, "", Value::Null),
            (ColumnType::Int, "42.0", Value::Int(42)),
            (
                ColumnType::Decimal {
                    precision: 18,
                    scale: 2,
                },
                "1.5E7",
                Value::Decimal(1_500_000_000),
            ),
            (ColumnType::Date, "1970-01-03", Value::Date(2)),
            (ColumnType::Date, "172800000", Value::Date(2)),
            (
                ColumnType::Timestamp,
                "5",
                Value::Timestamp(Timestamp::from_millis(5)),
            ),
            (ColumnType::Double, "2.5", Value::Double(2.5)),
        ];
        for (column_type, text, expected) in cases {
            assert_eq!(
                parse_value(column_type, text.into()),
                Ok(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn a_value_of_another_type_is_a_misfit() {
        let cases = [
            (ColumnType::Bool, "yes", Misfit::Type),
            (ColumnType::Int, "99999999999999999999", Misfit::Range),
            (ColumnType::Int, "1.5", Misfit::Range),
            (ColumnType::Int, "x", Misfit::Type),
            (ColumnType::Double, "NaN", Misfit::Type),
            (ColumnType::Timestamp, "tomorrow", Misfit::Type),
            (
                ColumnType::Decimal {
                    precision: 4,
                    scale: 2,
                },
                "123.45",
                Misfit::Precision,
            ),
        ];
        for (column_type, text, misfit) in cases {
            assert_eq!(parse_value(column_type, text.into()), Err(misfit), "{text}");
        }
    }
}
