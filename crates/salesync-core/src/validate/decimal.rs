//! Money and other exact numbers.

use std::str::FromStr;

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;

use super::Misfit;

/// Reads a number, plain (`-12.50`) or with an exponent (`3.5E8`), as an integer at `scale`.
/// It never passes through a float.
///
/// # Errors
/// [`Misfit::Type`] where the text is no number, [`Misfit::Precision`] where it has more digits than
/// the column: nothing is rounded.
pub fn parse_decimal(text: &str, precision: u8, scale: i8) -> Result<i128, Misfit> {
    if let Some(value) = parse_plain(text, precision, scale) {
        return Ok(value);
    }
    if text.len() > 400 || text.bytes().any(|b| b == b'_') {
        return Err(Misfit::Type);
    }
    let number = BigDecimal::from_str(text).map_err(|_| Misfit::Type)?;
    let (digits, exponent) = number.normalized().into_bigint_and_exponent();
    let shift = i64::from(scale).saturating_sub(exponent);
    if digits == BigInt::ZERO {
        return Ok(0);
    }
    let Ok(shift) = u32::try_from(shift) else {
        return Err(Misfit::Precision);
    };
    if shift > 38 {
        return Err(Misfit::Precision);
    }
    let scaled = digits * BigInt::from(10).pow(shift);
    let value = i128::try_from(&scaled).map_err(|_| Misfit::Precision)?;
    within(value, precision).ok_or(Misfit::Precision)
}

/// The common case without allocation: a sign, digits, at most `scale` digits after one point.
fn parse_plain(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let fraction_digits = u32::try_from(fraction.len()).ok()?;
    let missing = u32::try_from(scale).ok()?.checked_sub(fraction_digits)?;
    if whole.is_empty()
        || whole.len() > 38
        || (fraction.is_empty() && unsigned.len() != whole.len())
    {
        return None;
    }
    let mut value: i128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value
            .checked_mul(10)?
            .checked_add(i128::from(byte - b'0'))?;
    }
    let value = value.checked_mul(10_i128.checked_pow(missing)?)?;
    let value = within(value, precision)?;
    Some(if unsigned.len() == text.len() {
        value
    } else {
        -value
    })
}

fn within(value: i128, precision: u8) -> Option<i128> {
    let limit = 10_u128.checked_pow(u32::from(precision.min(38)))?;
    (value.unsigned_abs() < limit).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_at_the_columns_scale() {
        let cases = [
            ("0", 0),
            ("12345678901234567.89", 12_345_678_901_234_567_890_000_000),
            ("-1.5", -1_500_000_000),
            ("3.5E8", 350_000_000_000_000_000),
            ("1.5e-3", 1_500_000),
            ("+7", 7_000_000_000),
            ("1.0000000000000", 1_000_000_000),
            (".5", 500_000_000),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_decimal(text, 38, 9), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_never_rounded() {
        for text in [
            "0.1234567891",
            "1e40",
            "1e400000000",
            "1e-400000000",
            &"9".repeat(39),
        ] {
            assert_eq!(parse_decimal(text, 38, 9), Err(Misfit::Precision), "{text}");
        }
        assert_eq!(parse_decimal("100", 2, 0), Err(Misfit::Precision));
        for text in [
            "", "abc", "1,5", "NaN", "inf", "1.2.3", "--1", "0x10", "1_000",
        ] {
            assert_eq!(parse_decimal(text, 38, 9), Err(Misfit::Type), "{text}");
        }
    }
}
