//! Salesforce's record ids: 15 characters that tell cases apart, 18 that need not.

const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SUFFIX: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// Writes the 18-character id of a number; greater numbers have greater ids.
pub(crate) fn id_text(prefix: &str, number: u64) -> String {
    let mut tail = [b'0'; 7];
    let mut rest = number;
    for place in tail.iter_mut().rev() {
        let digit = usize::try_from(rest % 62).unwrap_or(0);
        *place = DIGITS.get(digit).copied().unwrap_or(b'0');
        rest /= 62;
    }
    let mut id = String::with_capacity(18);
    id.push_str(prefix);
    id.push_str("5fAA0");
    id.extend(tail.map(char::from));
    let suffix = checksum(&id);
    id.push_str(&suffix);
    id
}

/// Reads the number back out of a 15- or 18-character id; none for other texts and prefixes.
pub(crate) fn id_number(prefix: &str, text: &str) -> Option<u64> {
    let tail = text
        .get(..15)?
        .strip_prefix(prefix)?
        .strip_prefix("5fAA0")?;
    let valid =
        text.len() == 15 || (text.len() == 18 && text.get(15..)? == checksum(text.get(..15)?));
    if !valid {
        return None;
    }
    tail.bytes().try_fold(0_u64, |number, byte| {
        let digit = DIGITS.iter().position(|known| *known == byte)?;
        number
            .checked_mul(62)?
            .checked_add(u64::try_from(digit).ok()?)
    })
}

/// The three characters that record which of the 15 are capitals.
fn checksum(id: &str) -> String {
    id.as_bytes()
        .chunks(5)
        .map(|chunk| {
            let bits = chunk.iter().rev().fold(0_usize, |bits, byte| {
                bits * 2 + usize::from(byte.is_ascii_uppercase())
            });
            char::from(SUFFIX.get(bits).copied().unwrap_or(b'A'))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_is_the_vendors() {
        // A pair that is quoted widely in writing about 15- and 18-character ids.
        assert_eq!(checksum("0015000000Gv7qJ"), "AAR");
    }

    #[test]
    fn ids_sort_as_their_numbers_and_read_back() {
        let ids: Vec<String> = [1, 61, 62, 3_843, 916_132_832]
            .map(|number| id_text("003", number))
            .to_vec();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
        assert_eq!(id_number("003", &ids[2]), Some(62));
        assert_eq!(id_number("003", ids[2].get(..15).unwrap()), Some(62));
        assert_eq!(id_number("001", &ids[2]), None);
    }
}
