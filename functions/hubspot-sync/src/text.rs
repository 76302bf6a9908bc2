//! Property values as they stand in the JSON: text is borrowed, numbers keep every digit.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};
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
        Some(b'"') => Token::Text(unquoted(text)),
        Some(b'n') | None => Token::Null,
        Some(b'{' | b'[') => Token::Nested,
        Some(_) => Token::Text(Cow::Borrowed(text)),
    }
}

/// Returns the content of a JSON string. Half a surrogate pair, which no text can hold, becomes U+FFFD.
fn unquoted(quoted: &str) -> Cow<'_, str> {
    let inner = quoted
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(quoted);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    match serde_json::from_str::<String>(quoted) {
        Ok(text) => Cow::Owned(text),
        Err(_) => Cow::Owned(
            serde_json::from_str::<Repaired>(quoted)
                .map(|text| text.0)
                .unwrap_or_default(),
        ),
    }
}

/// A string out of bytes in which lone surrogates stand encoded.
struct Repaired(String);

impl<'de> Deserialize<'de> for Repaired {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(RepairedVisitor)
    }
}

struct RepairedVisitor;

impl Visitor<'_> for RepairedVisitor {
    type Value = Repaired;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Repaired, E> {
        let mut text = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            // An encoded surrogate is three bytes; its first is ED, and only that one counts.
            if chunk.invalid().first() == Some(&0xED) {
                text.push('\u{FFFD}');
            }
        }
        Ok(Repaired(text))
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
