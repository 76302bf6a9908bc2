//! Letters without their dress: lower case, ASCII, no accents, a bounded length.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// The most characters of a value that are looked at, so that no record can buy seconds of comparison.
pub const MAX_CHARS: usize = 256;

/// Returns the text in lower-case ASCII: mojibake repaired, accents dropped, other scripts transliterated.
///
/// Punctuation stays, white space becomes single spaces, and what is beyond [`MAX_CHARS`] is cut off.
pub fn fold(raw: &str) -> String {
    // Most values are one ASCII word.
    if raw.len() <= MAX_CHARS && raw.bytes().all(|byte| byte.is_ascii_graphic()) {
        return raw.to_ascii_lowercase();
    }
    let repaired = repair_mojibake(raw);
    let mut folded = String::with_capacity(repaired.len().min(MAX_CHARS));
    if repaired.is_ascii() {
        for character in repaired.chars().take(MAX_CHARS) {
            push_spaced(&mut folded, character.to_ascii_lowercase());
        }
    } else {
        for character in repaired.chars().take(MAX_CHARS).nfkd() {
            if character.is_ascii() {
                push_spaced(&mut folded, character.to_ascii_lowercase());
            } else if !unicode_normalization::char::is_combining_mark(character) {
                for letter in deunicode::deunicode_char(character).unwrap_or(" ").chars() {
                    push_spaced(&mut folded, letter.to_ascii_lowercase());
                }
            }
        }
    }
    folded.truncate(MAX_CHARS);
    folded.truncate(folded.trim_end().len());
    folded
}

/// Appends a character; white space at most once in a row and never first.
fn push_spaced(text: &mut String, character: char) {
    if character.is_whitespace() || character.is_control() {
        if !text.is_empty() && !text.ends_with(' ') {
            text.push(' ');
        }
    } else {
        text.push(character);
    }
}

/// Returns what a German writer who has no umlauts and one who drops the dots agree on: `ae`, `oe` and `ue`
/// lose the `e`. Only for comparison; it takes an `e` from names that never had an umlaut, too.
pub fn skeleton(folded: &str) -> Cow<'_, str> {
    let pairs = folded.as_bytes().windows(2);
    if !pairs
        .into_iter()
        .any(|pair| matches!(pair, b"ae" | b"oe" | b"ue"))
    {
        return Cow::Borrowed(folded);
    }
    let mut plain = String::with_capacity(folded.len());
    for character in folded.chars() {
        if !(character == 'e' && plain.ends_with(['a', 'o', 'u'])) {
            plain.push(character);
        }
    }
    Cow::Owned(plain)
}

/// Repairs UTF-8 that was read as Windows-1252 and saved again (`JosÃ©` for `José`); other text stays.
pub fn repair_mojibake(raw: &str) -> Cow<'_, str> {
    if raw.is_ascii() || !raw.contains(['Ã', 'Â', 'Å', 'Ä', 'Ð', 'Ñ', 'â']) {
        return Cow::Borrowed(raw);
    }
    let bytes: Option<Vec<u8>> = raw.chars().map(windows_1252_byte).collect();
    match bytes.map(String::from_utf8) {
        Some(Ok(repaired)) => Cow::Owned(repaired),
        _ => Cow::Borrowed(raw),
    }
}

/// Returns the byte that stands for the character in Windows-1252.
fn windows_1252_byte(character: char) -> Option<u8> {
    // The places of 0x80 to 0x9F that differ from Latin-1.
    const HIGH: [(char, u8); 27] = [
        ('€', 0x80),
        ('‚', 0x82),
        ('ƒ', 0x83),
        ('„', 0x84),
        ('…', 0x85),
        ('†', 0x86),
        ('‡', 0x87),
        ('ˆ', 0x88),
        ('‰', 0x89),
        ('Š', 0x8A),
        ('‹', 0x8B),
        ('Œ', 0x8C),
        ('Ž', 0x8E),
        ('‘', 0x91),
        ('’', 0x92),
        ('“', 0x93),
        ('”', 0x94),
        ('•', 0x95),
        ('–', 0x96),
        ('—', 0x97),
        ('˜', 0x98),
        ('™', 0x99),
        ('š', 0x9A),
        ('›', 0x9B),
        ('œ', 0x9C),
        ('ž', 0x9E),
        ('Ÿ', 0x9F),
    ];
    let high = HIGH
        .iter()
        .find(|(high, _)| *high == character)
        .map(|(_, byte)| *byte);
    high.or_else(|| u8::try_from(u32::from(character)).ok())
}

/// Says whether a text is digits only.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the runs of letters and digits of a folded text. Apostrophes and full stops join what they part
/// (`o'hare`, `s.a.`), everything else separates.
pub fn words(folded: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in folded.chars() {
        match character {
            'a'..='z' | '0'..='9' => word.push(character),
            '\'' | '`' | '.' => {}
            _ if word.is_empty() => {}
            _ => words.push(std::mem::take(&mut word)),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_lose_their_dress() {
        for (raw, folded) in [
            ("  José  Müller ", "jose muller"),
            ("Jose\u{301}", "jose"),
            ("JosÃ© MartÃ\u{ad}nez", "jose martinez"),
            ("Ångström & Søn", "angstrom & son"),
            ("Straße", "strasse"),
            ("ВАСИЛЬЕВ", "vasil'ev"),
            ("王杰", "wang jie"),
            ("Ａｃｍｅ", "acme"),
            ("a\u{0}b\tc", "a b c"),
            ("", ""),
        ] {
            assert_eq!(fold(raw), folded, "{raw}");
        }
    }

    #[test]
    fn umlauts_and_digraphs_meet() {
        for (one, other) in [
            ("Müller", "Mueller"),
            ("Jörg", "Joerg"),
            ("Bäcker", "Baecker"),
        ] {
            assert_eq!(skeleton(&fold(one)), skeleton(&fold(other)));
        }
    }

    #[test]
    fn no_value_grows_past_the_cap() {
        assert!(fold(&"王".repeat(100_000)).len() <= MAX_CHARS);
        assert_eq!(
            words(&fold("O'Hare-Smith, J.R. (x)")),
            ["ohare", "smith", "jr", "x"]
        );
    }
}
