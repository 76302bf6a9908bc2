//! Text as it is kept: no character that a table can't hold, lines with one kind of end.

use std::borrow::Cow;

use salesync_core::validate::repaired;

/// Makes one line of a text: runs of white space are one space, none at the ends.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    repaired(Cow::Owned(line)).into_owned()
}

/// Ends each line with a single line feed.
pub(super) fn with_line_feeds(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text
    }
}

/// Returns the beginning of a text, at most so many bytes, never half a character.
pub(super) fn beginning(text: &str, most_bytes: usize) -> &str {
    let end = text.floor_char_boundary(most_bytes);
    text.get(..end).unwrap_or_default()
}

/// Makes text of bytes that may hold lone surrogates, each of which becomes U+FFFD, as does each other byte
/// that is no UTF-8.
pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut mended = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        if let [0xed, 0xa0..=0xbf, 0x80..=0xbf, after @ ..] = rest {
            mended.extend_from_slice("\u{fffd}".as_bytes());
            rest = after;
        } else {
            mended.push(*first);
            rest = tail;
        }
    }
    Cow::Owned(String::from_utf8_lossy(&mended).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        for (text, most, expected) in [("añb", 2, "a"), ("añb", 3, "añ"), ("ab", 9, "ab")] {
            assert_eq!(beginning(text, most), expected);
        }
    }

    #[test]
    fn a_lone_surrogate_is_one_replacement() {
        assert_eq!(lossy(b"a\xed\xa0\x80b"), "a\u{fffd}b");
        assert_eq!(lossy(b"a\xffb"), "a\u{fffd}b");
    }

    #[test]
    fn a_line_has_single_spaces_and_no_zero() {
        assert_eq!(one_line(" a\r\n\tb  c\0 "), "a b c\u{fffd}");
    }
}
