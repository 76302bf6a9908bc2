//! Mail as it goes over the wire: encoded words, addresses, dates, transfer encodings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, FixedOffset};

use crate::invent::Chance;

/// The longest run of bytes that one encoded word holds.
const WORD_MAX_BYTES: usize = 42;
/// The longest line of an encoded body.
const LINE_MAX_BYTES: usize = 76;

/// Writes a text as a header's value, in one of the ways in which programs do.
pub(super) fn header_text(text: &str, chance: &mut Chance) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    match chance.below(10) {
        0..=3 => encoded_words(text, "UTF-8", chance, Letters::Base64),
        4..=6 => encoded_words(text, "utf-8", chance, Letters::Quoted),
        _ => text.to_owned(),
    }
}

/// Writes one address with its name, in one of the ways in which programs do.
pub(super) fn address(name: &str, address: &str, chance: &mut Chance) -> String {
    if name.is_empty() {
        return match chance.below(3) {
            0 => format!("<{address}>"),
            _ => address.to_owned(),
        };
    }
    let special = name.contains(|sign: char| !sign.is_alphanumeric() && !" -'".contains(sign));
    let written = if !name.is_ascii() {
        let text = header_text(name, chance);
        if text.is_ascii() { text } else { quoted(&text) }
    } else if special || chance.percent(20) {
        quoted(name)
    } else if chance.percent(2) && !name.contains('(') {
        return format!("{address} ({name})");
    } else {
        name.to_owned()
    };
    format!("{written} <{address}>")
}

fn quoted(name: &str) -> String {
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// How an encoded word spells its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letters {
    Base64,
    Quoted,
}

fn encoded_words(text: &str, charset: &str, chance: &mut Chance, letters: Letters) -> String {
    // What Latin-1 can hold is now and then sent as Latin-1.
    let latin = (letters == Letters::Quoted && chance.percent(40)).then(|| latin1(text));
    if let Some(Some(bytes)) = latin {
        return word("iso-8859-1", &bytes, letters);
    }
    let mut words: Vec<String> = Vec::new();
    let mut run = String::new();
    for sign in text.chars() {
        if run.len() + sign.len_utf8() > WORD_MAX_BYTES {
            words.push(word(charset, run.as_bytes(), letters));
            run.clear();
        }
        run.push(sign);
    }
    words.push(word(charset, run.as_bytes(), letters));
    let between = if chance.percent(30) { "\r\n " } else { " " };
    words.join(between)
}

fn word(charset: &str, bytes: &[u8], letters: Letters) -> String {
    if letters == Letters::Base64 {
        return format!("=?{charset}?B?{}?=", STANDARD.encode(bytes));
    }
    let mut text = format!("=?{charset}?Q?");
    for &byte in bytes {
        match byte {
            b' ' => text.push('_'),
            _ if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
            _ => text.push_str(&format!("={byte:02X}")),
        }
    }
    text.push_str("?=");
    text
}

/// Writes a text as Latin-1, if that can hold it.
pub(super) fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars()
        .map(|sign| u8::try_from(u32::from(sign)).ok())
        .collect()
}

/// Writes a text as windows-1252 as far as Latin-1 and the Euro sign go; `?` stands for the rest.
pub(super) fn windows1252(text: &str) -> Vec<u8> {
    text.chars()
        .map(|sign| match sign {
            '€' => 0x80,
            _ => u8::try_from(u32::from(sign)).unwrap_or(b'?'),
        })
        .collect()
}

/// Writes a time as a `Date` header has it, in one of the spellings that are seen.
pub(super) fn date(at_ms: i64, chance: &mut Chance) -> String {
    let hours = [0, 0, 1, 2, -5, -8, 9, -3].get(chance.below(8)).copied();
    let seconds = match chance.below(12) {
        // India's zone is half an hour off.
        0 => 19_800,
        _ => hours.unwrap_or(0) * 3_600,
    };
    let time = DateTime::from_timestamp_millis(at_ms).unwrap_or_default();
    let Some(zone) = FixedOffset::east_opt(seconds) else {
        return time.format("%a, %d %b %Y %H:%M:%S +0000").to_string();
    };
    let local = time.with_timezone(&zone);
    let form = match chance.below(20) {
        0 => "%d %b %Y %H:%M:%S %z",
        1 if seconds == 0 => "%a, %-d %b %Y %H:%M:%S GMT",
        2 if seconds == 0 => "%a, %-d %b %Y %H:%M:%S +0000 (UTC)",
        3 => "%a, %-d %b %Y %H:%M %z",
        _ => "%a, %-d %b %Y %H:%M:%S %z",
    };
    local.format(form).to_string()
}

/// Writes bytes as lines of base64.
pub(super) fn base64_lines(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let mut out = String::with_capacity(text.len() + text.len() / 36);
    for (place, sign) in text.chars().enumerate() {
        if place > 0 && place % LINE_MAX_BYTES == 0 {
            out.push_str("\r\n");
        }
        out.push(sign);
    }
    out
}

/// Writes bytes as quoted-printable; line ends stay line ends.
pub(super) fn quoted_printable(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 5 / 4);
    let mut width = 0;
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte == b'\r' && rest.peek() == Some(&b'\n') {
            rest.next();
            out.push_str("\r\n");
            width = 0;
            continue;
        }
        let at_end = matches!(rest.peek(), None | Some(b'\r'));
        let plain = matches!(byte, 33..=60 | 62..=126) || (byte == b' ' && !at_end);
        let size = if plain { 1 } else { 3 };
        if width + size > LINE_MAX_BYTES - 1 {
            out.push_str("=\r\n");
            width = 0;
        }
        width += size;
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("={byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_printable_keeps_lines_short_and_hides_what_mail_may_not_carry() {
        let text = format!("Gr\u{fc}\u{df}e \r\n{}", "a".repeat(100));
        let coded = quoted_printable(text.as_bytes());
        assert!(coded.starts_with("Gr=C3=BC=C3=9Fe=20\r\naaa"), "{coded}");
        assert!(coded.lines().all(|line| line.len() <= LINE_MAX_BYTES));
    }

    #[test]
    fn words_that_ascii_cannot_hold_are_cut_between_characters() {
        let text = "\u{898b}\u{7a4d}\u{66f8}".repeat(9);
        let mut chance = Chance::new(1);
        let coded = encoded_words(&text, "UTF-8", &mut chance, Letters::Base64);
        let decoded: String = coded
            .split_whitespace()
            .map(|word| {
                let inner = word.strip_prefix("=?UTF-8?B?").unwrap();
                let bytes = STANDARD.decode(inner.strip_suffix("?=").unwrap()).unwrap();
                String::from_utf8(bytes).unwrap()
            })
            .collect();
        assert_eq!(decoded, text);
    }
}
