//! Property values as they stand in the JSON: text is borrowed, numbers keep every digit.

use std::borrow::Cow;

use salesync_core::token::of_token;
use serde_json::value::RawValue;

/// One value of a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// `null`.
    Null,
    /// A string's content, or a number or boolean as it is written.
    Text(Cow<'a, str>),
    /// A list or an object.
    Nested,
}

/// Reads one value.
pub(crate) fn token(raw: &RawValue) -> Token<'_> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'"') => Token::Text(of_token(text).unwrap_or_default()),
        Some(b'n') | None => Token::Null,
        Some(b'{' | b'[') => Token::Nested,
        Some(_) => Token::Text(Cow::Borrowed(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_with_every_digit_and_every_character() {
        let text = |text: &'static str| Token::Text(text.into());
        let cases = [
            ("null", Token::Null),
            ("\"\"", text("")),
            ("\"plain\"", text("plain")),
            (r#""a\"b\u00e9\n""#, text("a\"bé\n")),
            (r#""\ud83d\ude00""#, text("😀")),
            (r#""x\ud83dy""#, text("x\u{FFFD}y")),
            (r#""\ude00\ud83d""#, text("\u{FFFD}\u{FFFD}")),
            ("12345678901234567.89", text("12345678901234567.89")),
            ("true", text("true")),
            ("{\"a\":1}", Token::Nested),
            ("[]", Token::Nested),
        ];
        for (json, expected) in cases {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            assert_eq!(token(raw), expected, "{json}");
        }
    }
}
