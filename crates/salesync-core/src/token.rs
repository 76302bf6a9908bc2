//! Text out of JSON tokens, as a decoder meets them: borrowed where it stands as it is, repaired where it
//! is half a character.

use std::borrow::Cow;

/// Returns the text of a JSON string token; `None` where the token is no string.
#[must_use]
pub fn of_token(token: &str) -> Option<Cow<'_, str>> {
    let inner = token.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(&without_lone_surrogates(token))
        .ok()
        .map(Cow::Owned)
}

/// Replaces the escape of half a surrogate pair, which is no character, by that of U+FFFD.
///
/// JSON lets such halves pass; text in UTF-8, and so every warehouse, does not.
#[must_use]
pub fn without_lone_surrogates(token: &str) -> Cow<'_, str> {
    if !token.contains("\\ud") && !token.contains("\\uD") {
        return Cow::Borrowed(token);
    }
    let mut repaired = String::with_capacity(token.len());
    let mut rest = token;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at_checked(at).unwrap_or((rest, ""));
        repaired.push_str(before);
        let (length, lone) = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (12, false),
            (Some(_), _) => (6, true),
            (None, _) => (2, false),
        };
        let (escape, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        repaired.push_str(if lone { "\\ufffd" } else { escape });
        rest = after;
    }
    repaired.push_str(rest);
    Cow::Owned(repaired)
}

/// Returns the half of a surrogate pair that `text` begins with, escaped.
fn surrogate(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16)
        .ok()
        .filter(|number| (0xD800..=0xDFFF).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_token_becomes_its_text() {
        let cases = [
            (r#""""#, Some("")),
            (r#""Ada""#, Some("Ada")),
            (r#""a\"b\\c\nd\u00e9""#, Some("a\"b\\c\nd\u{e9}")),
            (r#""\ud83d\ude00""#, Some("\u{1F600}")),
            (r#""\uD83D\uDE00 \ud83d""#, Some("\u{1F600} \u{FFFD}")),
            (r#""a\udc00b""#, Some("a\u{FFFD}b")),
            (r#""\ud800\ud83d\ude00""#, Some("\u{FFFD}\u{1F600}")),
            (r#""\\ud800""#, Some("\\ud800")),
            (r#""\ud800\n""#, Some("\u{FFFD}\n")),
            ("12", None),
            ("null", None),
            ("{}", None),
        ];
        for (token, expected) in cases {
            assert_eq!(of_token(token).as_deref(), expected, "{token}");
        }
    }
}
