//! Transfer encodings, read leniently: what can't be read is passed over, and said.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Repair, Repairs};

/// What a part holds.
#[derive(Debug)]
pub(super) enum Content<'a> {
    /// Nothing: only headers, or only parts.
    Absent,
    /// It has to be asked for by itself; so long is it.
    Elsewhere(u64),
    /// In the service's base64, which is the one for URLs, and its length as the service says it.
    Web(Cow<'a, str>, Option<u64>),
    /// As it was sent.
    Wire(&'a [u8], Transfer),
}

/// How a part's bytes were made fit for the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transfer {
    /// Not at all.
    Identity,
    /// Base64.
    Base64,
    /// Quoted-printable.
    QuotedPrintable,
}

impl Transfer {
    /// Returns the encoding of that name. Names that are none mean that nothing was done, as they do for
    /// most readers of mail.
    pub(super) fn named(name: &str) -> Self {
        if name.eq_ignore_ascii_case("base64") {
            Self::Base64
        } else if name.eq_ignore_ascii_case("quoted-printable") {
            Self::QuotedPrintable
        } else {
            Self::Identity
        }
    }
}

impl Content<'_> {
    /// Says whether it has to be asked for by itself.
    pub(super) fn is_elsewhere(&self) -> bool {
        matches!(self, Self::Elsewhere(_))
    }

    /// Returns the bytes; nothing where they are not here.
    pub(super) fn bytes(&self, repairs: &mut Repairs) -> Option<Cow<'_, [u8]>> {
        let (bytes, broken) = match self {
            Self::Absent | Self::Elsewhere(_) => return None,
            Self::Web(text, _) => {
                let (bytes, broken) = base64(text.as_bytes(), Alphabet::Web);
                (Cow::Owned(bytes), broken)
            }
            Self::Wire(bytes, Transfer::Identity) => (Cow::Borrowed(*bytes), false),
            Self::Wire(bytes, Transfer::Base64) => {
                let (bytes, broken) = base64(bytes, Alphabet::Mail);
                (Cow::Owned(bytes), broken)
            }
            Self::Wire(bytes, Transfer::QuotedPrintable) => {
                let (bytes, broken) = quoted_printable(bytes);
                (Cow::Owned(bytes), broken)
            }
        };
        if broken {
            repairs.note(Repair::Encoding);
        }
        Some(bytes)
    }

    /// Returns the length, decoded.
    pub(super) fn size_bytes(&self) -> u64 {
        match self {
            Self::Absent => 0,
            Self::Elsewhere(size) | Self::Web(_, Some(size)) => *size,
            Self::Web(..) | Self::Wire(..) => {
                let bytes = self.bytes(&mut Repairs::default());
                bytes.map_or(0, |bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            }
        }
    }
}

/// Missing padding is no fault, nor are bits that are left over.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Which characters are base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// Those of mail.
    Mail,
    /// Those of the service, and those of mail.
    Web,
}

/// Reads base64, and says whether characters were passed over or are missing. White space counts for neither.
pub(super) fn base64(text: &[u8], alphabet: Alphabet) -> (Vec<u8>, bool) {
    let mut kept = Vec::with_capacity(text.len());
    let mut broken = false;
    let mut padded = false;
    for byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => kept.push(*byte),
            b'-' if alphabet == Alphabet::Web => kept.push(b'+'),
            b'_' if alphabet == Alphabet::Web => kept.push(b'/'),
            b'=' => {
                padded = true;
                continue;
            }
            byte if byte.is_ascii_whitespace() => continue,
            _ => broken = true,
        }
        // What follows padding is another text that was put behind the first, or rubbish.
        broken |= padded;
    }
    if kept.len() % 4 == 1 {
        kept.pop();
        broken = true;
    }
    match LENIENT.decode(&kept) {
        Ok(bytes) => (bytes, broken),
        Err(_) => (Vec::new(), true),
    }
}

/// Reads quoted-printable, and says whether an escape was none; such a one stays as it is.
pub(super) fn quoted_printable(text: &[u8]) -> (Vec<u8>, bool) {
    let mut bytes = Vec::with_capacity(text.len());
    let mut broken = false;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        // White space before the end of a line was added on the way.
        let content = line.trim_ascii_end();
        let white = line.get(content.len()..).unwrap_or_default();
        let soft = content.last() == Some(&b'=');
        let content = content.strip_suffix(b"=").unwrap_or(content);
        broken |= escapes(content, &mut bytes);
        if !soft {
            let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
            let end = white.iter().position(is_end).and_then(|at| white.get(at..));
            bytes.extend_from_slice(end.unwrap_or_default());
        }
    }
    (bytes, broken)
}

/// Reads the escapes of one line, and says whether one was none.
pub(super) fn escapes(line: &[u8], bytes: &mut Vec<u8>) -> bool {
    let mut broken = false;
    let mut rest = line;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'=' {
            bytes.push(*first);
        } else if let [high, low, after @ ..] = tail
            && let (Some(high), Some(low)) = (nibble(*high), nibble(*low))
        {
            bytes.push(high << 4 | low);
            rest = after;
        } else {
            bytes.push(b'=');
            broken = true;
        }
    }
    broken
}

/// Returns what a hexadecimal digit stands for.
fn nibble(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_padded_or_not_in_either_alphabet_and_through_rubbish() {
        for (text, expected, broken) in [
            ("aGk=", "hi", false),
            ("aGk", "hi", false),
            ("_-8-", "\u{fffd}\u{fffd}>", false),
            ("a G\r\nk", "hi", false),
            ("a!G*k", "hi", true),
            ("aGkxa", "hi1", true),
            ("a", "", true),
            ("aGk=!!", "hi", true),
            ("", "", false),
        ] {
            let (bytes, found) = base64(text.as_bytes(), Alphabet::Web);
            let read = String::from_utf8_lossy(&bytes).into_owned();
            assert_eq!((read.as_str(), found), (expected, broken), "{text}");
        }
        assert_eq!(base64(b"aG-k", Alphabet::Mail), (b"hi".to_vec(), true));
    }

    #[test]
    fn quoted_printable_is_read_line_by_line() {
        for (text, expected, broken) in [
            ("a=20b=3D", "a b=", false),
            ("one=\r\ntwo", "onetwo", false),
            ("one= \ntwo", "onetwo", false),
            ("one  \r\ntwo", "one\r\ntwo", false),
            ("100=%", "100=%", true),
            ("end=", "end", false),
            ("=e4=C3", "\u{e4}\u{c3}", false),
        ] {
            let (bytes, found) = quoted_printable(text.as_bytes());
            let read: String = bytes.iter().map(|byte| char::from(*byte)).collect();
            assert_eq!((read.as_str(), found), (expected, broken), "{text}");
        }
    }
}
