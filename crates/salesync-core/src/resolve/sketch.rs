//! What a short word looks like from afar: enough to tell most pairs of words apart without reading them.

/// The letters that a word has, and how many letters it is long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sketch(u32);

/// The bit of words that hold anything but small letters, or are too long: nothing is known of these.
const UNKNOWN: u32 = 1 << 26;

/// Where the length starts.
const LENGTH: u32 = 27;

impl Sketch {
    /// Looks at a word.
    pub(super) fn of(word: &str) -> Self {
        let letters = word.bytes().fold(0, |letters, byte| match byte {
            b'a'..=b'z' => letters | 1 << (byte - b'a'),
            _ => letters | UNKNOWN,
        });
        match u32::try_from(word.len()) {
            Ok(length) if length < 32 => Self(letters | length << LENGTH),
            _ => Self(UNKNOWN),
        }
    }

    /// Says whether two different words can be anything but different in the sense of
    /// [`Likeness`](super::compare::Likeness). False is certain, true is not.
    pub(super) fn may_be_like(self, other: Self) -> bool {
        let (short, long) = if self.length() <= other.length() {
            (self, other)
        } else {
            (other, self)
        };
        if (short.0 | long.0) & UNKNOWN != 0 {
            return true;
        }
        // Letters that only one word has can't be matched by any of the other's.
        let (only_short, only_long) = (short.without(long), long.without(short));
        if only_short == 0 {
            return true; // perhaps an initial, or the other's beginning
        }
        let (short, long) = (short.length(), long.length());
        let edits = if short >= 5 { 2 } else { 1 };
        if only_short <= edits && only_long <= edits && long - short <= edits {
            return true;
        }
        // Jaro is at most a third of (m/short + m/long + 1); Winkler adds at most four tenths of what is missing.
        // 0.88 by both takes at least 0.8 by the first.
        let matched = (short - only_short).min(long.saturating_sub(only_long));
        10 * matched * (short + long) >= 14 * short * long
    }

    fn length(self) -> u32 {
        self.0 >> LENGTH
    }

    /// Counts the letters that the other does not have.
    fn without(self, other: Self) -> u32 {
        (self.0 & !other.0 & (UNKNOWN - 1)).count_ones()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::compare::{Likeness, likeness};
    use super::*;

    /// Makes a typing error: another letter, one more, one less, or two that change places.
    fn mistyped(word: &str, (kind, at, letter): (u8, usize, char)) -> String {
        let mut letters: Vec<char> = word.chars().collect();
        let at = at % letters.len().max(1);
        match kind {
            0 => letters.insert(at, letter),
            _ if at + 1 >= letters.len() => letters.push(letter),
            1 => letters[at] = letter,
            2 => drop(letters.remove(at)),
            _ => letters.swap(at, at + 1),
        }
        letters.into_iter().collect()
    }

    proptest! {
        #[test]
        fn words_with_typing_errors_are_not_told_apart_from_afar(
            word in "[a-z]{1,14}",
            slips in proptest::collection::vec((0..4u8, 0..14usize, proptest::char::range('a', 'z')), 1..4),
        ) {
            let other = slips.into_iter().fold(word.clone(), |word, slip| mistyped(&word, slip));
            let apart = !Sketch::of(&word).may_be_like(Sketch::of(&other));
            if apart && word != other {
                prop_assert_eq!(likeness(&word, &other), Likeness::Different);
            }
        }

        #[test]
        fn words_told_apart_from_afar_are_different(one in "[a-e]{1,14}", other in "[a-e ]{1,14}", far in "[a-z]{1,20}") {
            for other in [other, far] {
                let apart = !Sketch::of(&one).may_be_like(Sketch::of(&other));
                if apart {
                    prop_assert_eq!(likeness(&one, &other), Likeness::Different);
                }
            }
        }
    }

    #[test]
    fn most_names_are_told_apart_and_their_forms_are_not() {
        for (one, other, like) in [
            ("smith", "okafor", false),
            ("johnson", "lindqvist", false),
            ("clayton", "clayiton", true),
            ("m", "maria", true),
            ("o brien", "xyz", true),
        ] {
            let (one, other) = (Sketch::of(one), Sketch::of(other));
            assert_eq!(one.may_be_like(other), like);
            assert_eq!(other.may_be_like(one), like);
        }
    }
}
