//! Record ids: of one record there is one spelling, the one with 18 characters.

use std::borrow::Cow;

/// What the three last characters are made of.
const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// Returns the 18-character spelling of an id with 15 or 18 characters; `None` where the text is no id.
///
/// Ids of 15 characters tell upper from lower case. The 18-character form adds, for each five of them, one
/// character whose number in A–Z, 0–5 has bit `i` set where the `i`-th of the five is upper case (Salesforce
/// help, "Salesforce IDs: 15 and 18 characters"; the rule is public since 2006).
pub(crate) fn full(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    match text.len() {
        18 => Some(Cow::Borrowed(text)),
        15 => {
            let mut id = String::with_capacity(18);
            id.push_str(text);
            id.extend(text.as_bytes().chunks(5).map(suffix));
            Some(Cow::Owned(id))
        }
        _ => None,
    }
}

/// Returns whether two ids, in whichever spelling, name one record.
pub(crate) fn same(left: &str, right: &str) -> bool {
    match (left.get(..15), right.get(..15)) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}

fn suffix(five: &[u8]) -> char {
    let number = five
        .iter()
        .enumerate()
        .filter(|(_, byte)| byte.is_ascii_uppercase())
        .fold(0_usize, |bits, (index, _)| bits | (1 << index));
    char::from(SUFFIX.get(number).copied().unwrap_or(b'A'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_15_characters_gets_its_suffix_and_one_of_18_stays() {
        let cases = [
            ("0015000000Gv7qJ", Some("0015000000Gv7qJAAR")),
            ("0015000000Gv7qJAAR", Some("0015000000Gv7qJAAR")),
            ("000000000000000", Some("000000000000000AAA")),
            ("AAAAAAAAAAAAAAA", Some("AAAAAAAAAAAAAAA555")),
            ("", None),
            ("0015000000Gv7q", None),
            ("0015000000Gv7qJAA", None),
            ("0015000000Gv7q'", None),
            ("0015000000Gv7\u{e9}", None),
        ];
        for (text, expected) in cases {
            assert_eq!(full(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn ids_are_compared_by_their_first_15_characters() {
        assert!(same("0015000000Gv7qJ", "0015000000Gv7qJAAR"));
        assert!(!same("0015000000Gv7qj", "0015000000Gv7qJAAR"));
        assert!(!same("", ""));
    }
}
