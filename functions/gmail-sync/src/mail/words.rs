//! Encoded words (RFC 2047), joined where they stand side by side.
//!
//! A character may be cut in two by the end of a word, so the bytes of neighbours are joined before they are
//! read. That is why words are read here, before the header's own syntax: a parser that reads them one by one
//! loses such characters. Words that never end cost no more than others.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::charset;
use super::transfer::{self, Alphabet};

/// A stretch of a header's value.
#[derive(Debug)]
enum Stretch<'a> {
    /// As it stands there.
    Plain(&'a str),
    /// One word or several that follow each other, decoded.
    Decoded(String),
}

/// The most characters that the name of a charset has, its language included.
const LONGEST_CHARSET: usize = 64;
/// So many beginnings of words that never end may stay as they are.
const MOST_UNENDED: usize = 16;

/// Decodes the words of a header that is free text.
pub(super) fn decode(value: &str) -> Cow<'_, str> {
    if !value.contains("=?") {
        return Cow::Borrowed(value);
    }
    let stretches = stretches(value).into_iter();
    Cow::Owned(
        stretches
            .map(|stretch| match stretch {
                Stretch::Plain(text) => Cow::Borrowed(text),
                Stretch::Decoded(text) => Cow::Owned(text),
            })
            .collect(),
    )
}

/// Writes the words of a structured header anew, so that each stands by itself, ends, is UTF-8 and is whole:
/// what they hold is no part of the header's syntax and must not become one.
pub(super) fn rejoin(value: &str) -> Cow<'_, str> {
    if !value.contains("=?") {
        return Cow::Borrowed(value);
    }
    let mut written = String::with_capacity(value.len());
    for stretch in stretches(value) {
        match stretch {
            Stretch::Plain(text) if text.matches("=?").count() > MOST_UNENDED => {
                written.push_str(&text.replace("=?", "= ?"));
            }
            Stretch::Plain(text) => written.push_str(text),
            Stretch::Decoded(text) => {
                if written.ends_with(|c: char| c.is_alphanumeric()) {
                    written.push(' ');
                }
                written.push_str("=?utf-8?B?");
                STANDARD.encode_string(text, &mut written);
                written.push_str("?=");
            }
        }
    }
    Cow::Owned(written)
}

/// Cuts a value into its stretches.
fn stretches(value: &str) -> Vec<Stretch<'_>> {
    let mut found = Vec::new();
    let mut run = Run::default();
    let mut rest = value;
    while let Some((begin, end, word)) = next_word(rest) {
        let between = rest.get(..begin).unwrap_or_default();
        if run.is_empty() || !between.trim().is_empty() {
            run.end(&mut found);
            found.push(Stretch::Plain(between));
        }
        run.add(&word);
        rest = rest.get(end..).unwrap_or_default();
    }
    run.end(&mut found);
    found.push(Stretch::Plain(rest));
    found
}

/// One encoded word.
#[derive(Debug)]
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
}

/// Finds the first whole word of a text, and where it begins and ends.
fn next_word(text: &str) -> Option<(usize, usize, Word<'_>)> {
    let mut at = 0;
    loop {
        let begin = at + text.get(at..)?.find("=?")?;
        at = begin + 2;
        let Some((charset, is_base64, head)) = head(text.get(at..)?) else {
            continue;
        };
        let content_at = at + head;
        // Where no end follows, none follows for any later beginning either.
        let length = text.get(content_at..)?.find("?=")?;
        let content = text.get(content_at..content_at + length)?;
        let bytes = if is_base64 {
            transfer::base64(content.as_bytes(), Alphabet::Mail).0
        } else {
            let spaced = content.replace('_', " ").replace(['\r', '\n'], "");
            let mut bytes = Vec::with_capacity(spaced.len());
            transfer::escapes(spaced.as_bytes(), &mut bytes);
            bytes
        };
        let word = Word { charset, bytes };
        return Some((begin, content_at + length + 2, word));
    }
}

/// Reads `charset?B?`: the charset without its language, whether it is base64, and the length of it all.
fn head(text: &str) -> Option<(&str, bool, usize)> {
    let window = text.as_bytes().get(..LONGEST_CHARSET.min(text.len()))?;
    let mark = window.iter().position(|byte| *byte == b'?')?;
    let charset = text.get(..mark)?;
    if charset.contains(|c: char| c.is_whitespace() || c == '=') {
        return None;
    }
    let charset = charset.split('*').next().filter(|name| !name.is_empty())?;
    let is_base64 = match text.as_bytes().get(mark + 1..mark + 3)? {
        [b'b' | b'B', b'?'] => true,
        [b'q' | b'Q', b'?'] => false,
        _ => return None,
    };
    Some((charset, is_base64, mark + 3))
}

/// Words side by side: bytes of one charset are read together.
#[derive(Debug, Default)]
struct Run {
    charset: String,
    bytes: Vec<u8>,
    text: String,
    words: usize,
}

impl Run {
    fn is_empty(&self) -> bool {
        self.words == 0
    }

    fn add(&mut self, word: &Word<'_>) {
        // Words that switch alphabets by escapes are whole by themselves (RFC 1468), and one escape right
        // behind another would be no text.
        let is_whole = word.charset.to_ascii_lowercase().starts_with("iso-2022");
        if is_whole || !self.charset.eq_ignore_ascii_case(word.charset) {
            self.read();
            word.charset.clone_into(&mut self.charset);
        }
        self.bytes.extend_from_slice(&word.bytes);
        self.words += 1;
    }

    fn read(&mut self) {
        let decoded = charset::decode(&self.bytes, Some(&self.charset));
        self.text.push_str(&decoded.text);
        self.bytes.clear();
    }

    fn end(&mut self, found: &mut Vec<Stretch<'_>>) {
        if !self.is_empty() {
            self.read();
            found.push(Stretch::Decoded(std::mem::take(&mut self.text)));
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_decoded_and_neighbours_joined() {
        for (value, expected) in [
            ("plain =? text", "plain =? text"),
            ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
            ("=?UTF-8?B?R3LDvMOfZQ==?= an alle", "Grüße an alle"),
            (
                "Re: =?iso-8859-1?Q?Gr=FC=DFe_und?= mehr",
                "Re: Grüße und mehr",
            ),
            ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
            ("=?utf-8?q?a?=\r\n\t=?utf-8?q?b?=", "ab"),
            ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
            ("=?utf-8?q?Gr=C3?= =?UTF-8?Q?=BC?=", "Grü"),
            ("=?utf-8?b?w7w=?= =?iso-8859-1?q?=FC?=", "üü"),
            ("=?iso-2022-jp?B?GyRCJU8lbSE8GyhC?=", "ハロー"),
            (
                "=?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?= =?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=",
                "テストテスト",
            ),
            ("=?utf-8*de?q?ja?=", "ja"),
            ("=?NONE?B?VEVTVA=?=", "TEST"),
            ("=?utf-8?q??=", ""),
            ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
            ("=?utf-8?q?never ends", "=?utf-8?q?never ends"),
            ("=?utf-8?Q?=41=3F?=", "A?"),
            ("=?utf-8?q?two words?=", "two words"),
            ("=?utf-8?q?end_?= =?utf-8?q?=?=", "end ="),
            ("=?a=?utf-8?q?b?=", "=?ab"),
        ] {
            assert_eq!(decode(value), expected, "{value}");
        }
    }

    #[test]
    fn words_of_a_structured_header_stay_words() {
        let written = rejoin("=?utf-8?q?a=2C?= =?utf-8?q?b?= <a@b.example>");
        assert_eq!(written, "=?utf-8?B?YSxi?= <a@b.example>");
        let unended = "=?aa?q?x ".repeat(100_000);
        assert!(!rejoin(&unended).contains("=?"));
    }
}
