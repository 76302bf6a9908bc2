//! Bytes to text. Senders mislabel, and the service hands out UTF-8 whatever the part still declares; so what
//! is valid UTF-8 is UTF-8, else the declared charset is believed, else it is windows-1252.

use std::borrow::Cow;

use encoding_rs::{Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Bytes that were read.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    pub(super) text: Cow<'a, str>,
    /// By its WHATWG name.
    pub(super) charset: &'static str,
    /// Whether bytes that mean nothing were replaced.
    pub(super) replaced: bool,
}

/// Reads bytes by the rule above. `declared` is what their sender says that they are.
pub(super) fn decode<'a>(bytes: &'a [u8], declared: Option<&str>) -> Decoded<'a> {
    let declared = declared.and_then(known);
    let chosen = match (std::str::from_utf8(bytes), declared) {
        (Ok(_), Some(encoding)) if hides_in_ascii(bytes, encoding) => encoding,
        (Ok(text), _) => {
            return Decoded {
                text: Cow::Borrowed(text.trim_start_matches('\u{feff}')),
                charset: UTF_8.name(),
                replaced: false,
            };
        }
        // It says UTF-8, and nearly is: a few bytes that are cut or broken are no reason to misread the rest.
        (Err(_), Some(encoding)) => encoding,
        (Err(_), None) => WINDOWS_1252,
    };
    let (text, used, replaced) = chosen.decode(bytes);
    Decoded {
        text,
        charset: used.name(),
        replaced,
    }
}

/// Returns the encoding of that name; those that only stand for "never read this" are not known.
fn known(name: &str) -> Option<&'static Encoding> {
    let name = name.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
    Encoding::for_label(name.as_bytes()).filter(|encoding| *encoding != REPLACEMENT)
}

/// Says whether the bytes are text of an encoding whose bytes happen to be valid UTF-8: ISO-2022-JP switches
/// its alphabets by escapes, UTF-16 fills up with zeros.
fn hides_in_ascii(bytes: &[u8], encoding: &'static Encoding) -> bool {
    if encoding == ISO_2022_JP {
        bytes.is_ascii() && bytes.contains(&0x1b)
    } else {
        (encoding == UTF_16LE || encoding == UTF_16BE) && bytes.contains(&0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_utf_8_wins_then_the_declared_charset_then_windows_1252() {
        let utf_8 = "Grüße".as_bytes();
        let cases: [(&[u8], Option<&str>, &str, &str); 12] = [
            (utf_8, Some("windows-1252"), "Grüße", "UTF-8"),
            (utf_8, Some("iso-2022-jp"), "Grüße", "UTF-8"),
            (utf_8, None, "Grüße", "UTF-8"),
            (b"Gr\xfc\xdfe", Some("ISO-8859-1"), "Grüße", "windows-1252"),
            (b"Gr\xfc\xdfe \x80", None, "Grüße €", "windows-1252"),
            (b"Gr\xfc\xdfe", Some("no-such"), "Grüße", "windows-1252"),
            (
                b"\xcf\xf0\xe8\xe2\xe5\xf2",
                Some("\"Windows-1251\""),
                "Привет",
                "windows-1251",
            ),
            (
                b"\x1b$B%O%m!<\x1b(B",
                Some("iso-2022-jp"),
                "ハロー",
                "ISO-2022-JP",
            ),
            (b"\x83n\x83\x8D", Some("shift_jis"), "ハロ", "Shift_JIS"),
            (b"h\0i\0", Some("utf-16le"), "hi", "UTF-16LE"),
            (b"\xef\xbb\xbfhi", None, "hi", "UTF-8"),
            (b"plain", Some("hz-gb-2312"), "plain", "UTF-8"),
        ];
        for (bytes, declared, text, charset) in cases {
            let found = decode(bytes, declared);
            assert_eq!((found.text.as_ref(), found.charset), (text, charset));
            assert!(!found.replaced);
        }
        assert!(decode(b"a\xffb", Some("utf-8")).replaced);
    }
}
