//! People's names: parts, generation, nickname groups.

use std::borrow::Cow;
use std::sync::LazyLock;

use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use super::name_words::{CREDENTIALS, GENERATIONS, PARTICLES, PLACEHOLDERS, TITLES};
use super::nicknames::GROUPS;
use super::text;
use super::word_set::WordSet;

/// What a name field holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameShape {
    /// Nothing.
    #[default]
    Missing,
    /// Words that stand for "no name".
    Placeholder,
    /// At least one part of a name.
    Real,
    /// A name in capitals as a caller id shows it: surname first, the end perhaps cut off.
    CallerId,
}

/// A person's name in its one spelling: lower-case ASCII, words parted by single spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NormalName {
    /// The first given name; may be an initial, and may be empty.
    pub first: String,
    /// Further given names and initials; may be empty.
    pub middle: String,
    /// The surname without particles; may be an initial, and may be empty.
    pub last: String,
    /// 1 for a senior, 2 for a junior, 3 and 4 after that; 0 where the name does not say.
    pub generation: u8,
    /// What the field holds.
    pub shape: NameShape,
}

/// The longest name a caller id shows; one of that length may be cut off.
const CALLER_ID_LEN: usize = 15;

/// Normalises a name that is in one field: `First Last`, `Last, First`, with titles, degrees and remarks.
pub fn normalise(raw: &str) -> NormalName {
    if let Some((first, last)) = two_words(raw)
        && let Some(name) = plain_name(first, last)
    {
        return name;
    }
    normalise_any(raw)
}

/// Normalises a name that may be written in any way.
fn normalise_any(raw: &str) -> NormalName {
    if let Some(shape) = empty_shape(&text::fold(raw)) {
        return NormalName {
            shape,
            ..NormalName::default()
        };
    }
    let folded = text::fold(&without_remarks(raw));
    if let Some((head, tail)) = folded.split_once(',') {
        let tail_words = name_words(tail);
        let credential = |word: &String| CREDENTIALS.contains(word);
        let only_credentials = tail_words.words.iter().all(credential);
        if !only_credentials && !name_words(head).words.is_empty() {
            return parts(&tail_words.words.join(" "), "", head, tail_words.generation);
        }
        return normalise_words(head, raw, tail_words.generation);
    }
    normalise_words(&folded, raw, 0)
}

/// Normalises a name that is in fields of its own. A field that holds a placeholder counts as empty.
pub fn normalise_parts(first: &str, middle: &str, last: &str) -> NormalName {
    if middle.is_empty()
        && let Some(name) = plain_name(first, last)
    {
        return name;
    }
    normalise_any_parts(first, middle, last)
}

/// Normalises a name whose parts may be written in any way.
fn normalise_any_parts(first: &str, middle: &str, last: &str) -> NormalName {
    let whole = text::fold(&format!("{first} {middle} {last}"));
    if let Some(shape) = empty_shape(&whole) {
        return NormalName {
            shape,
            ..NormalName::default()
        };
    }
    let [first, middle, last] = [first, middle, last].map(|part| {
        let folded = text::fold(&without_remarks(part));
        if is_placeholder(&folded) {
            String::new()
        } else {
            folded
        }
    });
    if first.is_empty() && middle.is_empty() && last.is_empty() {
        return NormalName {
            shape: NameShape::Placeholder,
            ..NormalName::default()
        };
    }
    if last.is_empty() && (first.contains(',') || first.contains(' ')) {
        return normalise(&first);
    }
    if first.is_empty() && middle.is_empty() && last.contains(',') {
        return normalise(&last);
    }
    parts(&first, &middle, &last, 0)
}

/// Returns every word that is no part of a name, and every value that is none.
fn listed() -> impl Iterator<Item = &'static str> {
    let lists: [&'static WordSet; 4] = [&TITLES, &CREDENTIALS, &PARTICLES, &PLACEHOLDERS];
    let generations = GENERATIONS.iter().map(|(word, _)| *word);
    lists
        .into_iter()
        .flat_map(|list| list.iter())
        .chain(generations)
}

/// Returns a name of two ASCII words that are a given name and a surname and nothing else, as most are. It is
/// what the long way would find.
fn plain_name(first: &str, last: &str) -> Option<NormalName> {
    Some(NormalName {
        first: plain_word(first)?,
        last: plain_word(last)?,
        shape: NameShape::Real,
        ..NormalName::default()
    })
}

/// Returns an ASCII word in small letters that can be nothing but a part of a name.
pub(crate) fn plain_word(raw: &str) -> Option<String> {
    static NO_NAMES: LazyLock<HashSet<&'static str>> =
        LazyLock::new(|| listed().flat_map(|words| words.split([' ', '/'])).collect());
    let letters = (2..=40).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_alphabetic());
    let lower = letters.then(|| raw.to_ascii_lowercase())?;
    (!NO_NAMES.contains(lower.as_str())).then_some(lower)
}

/// Returns the words before and after the first space of a whole name, which are its given name and surname if both are
/// [plain](plain_word); nothing where it may be a caller id, which has the surname first.
pub(crate) fn two_words(raw: &str) -> Option<(&str, &str)> {
    let words = raw.split_once(' ')?;
    raw.bytes()
        .any(|byte| byte.is_ascii_lowercase())
        .then_some(words)
}

/// A given name that has short or foreign forms, by number; by default one that has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Nickname(u16);

/// Given names with the groups they are in.
#[derive(Default)]
struct Nicknames {
    numbers: HashMap<&'static str, Nickname>,
    /// By number; the first is that of a name in no group.
    groups: Vec<Vec<u16>>,
}

static NICKNAMES: LazyLock<Nicknames> = LazyLock::new(|| {
    let mut known = Nicknames {
        groups: vec![Vec::new()],
        ..Nicknames::default()
    };
    for (group, names) in (0u16..).zip(GROUPS) {
        for name in names.split(' ') {
            let next = u16::try_from(known.groups.len()).unwrap_or(0);
            let number = *known.numbers.entry(name).or_insert(Nickname(next));
            if number == Nickname(next) {
                known.groups.push(Vec::new());
            }
            if let Some(groups) = known.groups.get_mut(usize::from(number.0))
                && groups.last() != Some(&group)
            {
                groups.push(group);
            }
        }
    }
    known
});

impl Nickname {
    /// Looks a folded given name up.
    pub(crate) fn of(first: &str) -> Self {
        NICKNAMES.numbers.get(first).copied().unwrap_or_default()
    }

    /// Returns the name's groups. Two names that share a group may be one person's.
    pub(crate) fn groups(self) -> &'static [u16] {
        let groups = NICKNAMES.groups.get(usize::from(self.0));
        groups.map_or(&[], Vec::as_slice)
    }

    /// Says whether two names share a group.
    pub(crate) fn meets(self, other: Self) -> bool {
        let groups = other.groups();
        self.groups().iter().any(|group| groups.contains(group))
    }
}

/// Says whether two given names are forms of one.
pub fn are_nicknames(one: &str, other: &str) -> bool {
    one == other || Nickname::of(one).meets(Nickname::of(other))
}

/// Says whether a value of any field stands for "nothing", such as `n/a` or `not provided`.
pub(crate) fn says_nothing(raw: &str) -> bool {
    static WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
        PLACEHOLDERS
            .iter()
            .flat_map(|words| words.split(' '))
            .collect()
    });
    // A first word that is on no list says something.
    let mut words = raw.split(|letter: char| !letter.is_ascii_alphanumeric());
    let first = words.find(|word| !word.is_empty()).unwrap_or_default();
    let has_letter = first.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_plain =
        raw.is_ascii() && first.len() > 1 && has_letter && !raw.contains(['\'', '.', '`']);
    if is_plain && !WORDS.contains(first.to_ascii_lowercase().as_str()) {
        return false;
    }
    is_placeholder(&text::fold(raw))
}

/// Returns the shape of a folded text that holds no name.
fn empty_shape(folded: &str) -> Option<NameShape> {
    if folded.is_empty() {
        Some(NameShape::Missing)
    } else if is_placeholder(folded) {
        Some(NameShape::Placeholder)
    } else {
        None
    }
}

/// Says whether a folded text, whole or word by word, stands for "no name".
fn is_placeholder(folded: &str) -> bool {
    let plain = text::words(folded);
    let joined = plain.join(" ");
    let letters = joined
        .chars()
        .any(|character| character.is_ascii_alphabetic());
    !letters
        || PLACEHOLDERS.contains(&joined)
        || plain.iter().all(|word| PLACEHOLDERS.contains(word))
}

/// Words after which no name follows.
const REMARK_FOLLOWS: [&str; 6] = ["via", "-", "–", "at", "@", "from"];

/// Drops what stands in brackets, after a bar, after ` via `, and after ` - `.
fn without_remarks(raw: &str) -> Cow<'_, str> {
    let inner = |character| !"()[]{}<>|/\"“”".contains(character);
    if raw.len() <= 1_024
        && raw.chars().all(inner)
        && !raw.split(' ').any(|word| REMARK_FOLLOWS.contains(&word))
    {
        return Cow::Borrowed(raw);
    }
    let mut kept = String::with_capacity(raw.len().min(1_024));
    let mut depth = 0usize;
    for character in raw.chars().take(1_024) {
        match character {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' | '>' => depth = depth.saturating_sub(1),
            '|' | '/' if !kept.trim().is_empty() => break,
            '"' | '“' | '”' => kept.push(' '),
            _ if depth == 0 => kept.push(character),
            _ => {}
        }
    }
    for mark in REMARK_FOLLOWS.map(|word| format!(" {word} ")) {
        if let Some((head, _)) = kept.split_once(&mark)
            && !head.trim().is_empty()
        {
            kept = head.to_owned();
        }
    }
    Cow::Owned(if kept.trim().is_empty() {
        raw.chars().take(1_024).collect()
    } else {
        kept
    })
}

/// A field's words without titles, degrees and generation. What a hyphen joins is one word, with a space in it.
struct NameWords {
    words: Vec<String>,
    generation: u8,
}

/// Splits a folded field into words and takes off what is no name.
fn name_words(folded: &str) -> NameWords {
    let inner = |character: char| character.is_ascii_alphanumeric() || "'`.-".contains(character);
    let mut words: Vec<String> = folded
        .split(|character| !inner(character))
        .map(|word| text::words(word).join(" "))
        .filter(|word| {
            word.chars()
                .any(|character| character.is_ascii_alphabetic())
        })
        .collect();
    let mut generation = 0;
    while let Some(last) = words.last() {
        let found = GENERATIONS.iter().find(|(word, _)| word == last);
        let single_initial = found.is_some() && last == "i" && words.len() < 2;
        match found {
            Some((_, number)) if !single_initial => generation = *number,
            _ if words.len() > 1 && CREDENTIALS.contains(last) => {}
            _ => break,
        }
        words.pop();
    }
    while words.len() > 1 && words.first().is_some_and(|word| TITLES.contains(word)) {
        words.remove(0);
    }
    NameWords { words, generation }
}

/// Normalises a folded name without comma.
fn normalise_words(folded: &str, raw: &str, generation: u8) -> NormalName {
    let NameWords {
        words,
        generation: own,
    } = name_words(folded);
    let generation = generation.max(own);
    let capitals = !raw.chars().any(char::is_lowercase) && raw.chars().any(char::is_uppercase);
    let [head, middle @ .., tail] = words.as_slice() else {
        let first = words.concat();
        let shape = if first.is_empty() {
            NameShape::Missing
        } else {
            NameShape::Real
        };
        return NormalName {
            first,
            generation,
            shape,
            ..NormalName::default()
        };
    };
    if capitals {
        let given: Vec<&str> = middle.iter().chain([tail]).map(String::as_str).collect();
        let mut name = parts(&given.join(" "), "", head, generation);
        if raw.trim().chars().count() >= CALLER_ID_LEN
            || raw.trim().chars().count() + 1 == CALLER_ID_LEN
        {
            name.shape = NameShape::CallerId;
        }
        return name;
    }
    let particle = middle
        .iter()
        .position(|word| PARTICLES.contains(word) && word.len() > 1);
    let (given, surname) = middle.split_at(particle.unwrap_or(middle.len()));
    let surname: Vec<&str> = surname.iter().chain([tail]).map(String::as_str).collect();
    let middle = given.join(" ");
    parts(head, &middle, &surname.join(" "), generation)
}

/// Puts a name together from folded parts.
fn parts(first: &str, middle: &str, last: &str, generation: u8) -> NormalName {
    let given = name_words(first);
    let surname = name_words(last);
    let generation = generation.max(given.generation).max(surname.generation);
    let given = given.words.join(" ");
    let mut given = given.split(' ').map(str::to_owned);
    let first = given.next().unwrap_or_default();
    let mut middles: Vec<String> = given.collect();
    middles.extend(name_words(middle).words);
    let mut surnames = surname.words;
    while surnames.len() > 1
        && surnames
            .first()
            .is_some_and(|word| PARTICLES.contains(word))
    {
        surnames.remove(0);
    }
    if surnames.len() > 1 {
        // One letter beside a surname is a middle initial in the wrong field.
        surnames.retain(|word| word.len() > 1);
    }
    let last = surnames.join(" ");
    let shape = if first.is_empty() && last.is_empty() {
        NameShape::Missing
    } else {
        NameShape::Real
    };
    NormalName {
        first,
        middle: middles.join(" "),
        last,
        generation,
        shape,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_fall_into_their_parts() {
        for (raw, first, middle, last) in [
            ("Maria Luz", "maria", "", "luz"),
            ("Luz, Maria", "maria", "", "luz"),
            ("Luz-Gómez, Maria", "maria", "", "luz gomez"),
            ("LUZ, MARIA A.", "maria", "a", "luz"),
            ("Dr. Maria A. Luz, PhD", "maria", "a", "luz"),
            ("María  Luz-Gómez", "maria", "", "luz gomez"),
            ("Jean-Luc Roux", "jean", "luc", "roux"),
            ("Ludwig van Beethoven", "ludwig", "", "beethoven"),
            ("Maria Luz (Acme)", "maria", "", "luz"),
            ("Maria Luz via DocuSign", "maria", "", "luz"),
            ("Maria Luz | Acme", "maria", "", "luz"),
            ("O'Hare, Ellie", "ellie", "", "ohare"),
            ("LUZ MARIA", "maria", "", "luz"),
            ("Maria", "maria", "", ""),
            ("M. Luz", "m", "", "luz"),
            ("Ivan Петров", "ivan", "", "petrov"),
        ] {
            let name = normalise(raw);
            assert_eq!(
                (
                    name.first.as_str(),
                    name.middle.as_str(),
                    name.last.as_str()
                ),
                (first, middle, last),
                "{raw}"
            );
        }
    }

    #[test]
    fn parts_in_fields_of_their_own() {
        for (fields, first, last) in [
            (["Juan F.", "", "Ruiz"], "juan", "ruiz"),
            (["Juan", "", "de la Cruz"], "juan", "cruz"),
            (["", "", "Luz, Maria"], "maria", "luz"),
            (["Maria Luz", "", ""], "maria", "luz"),
            (["Maria", "", "Unknown"], "maria", ""),
            (["Luz", "", "Maria T."], "luz", "maria"),
        ] {
            let [one, two, three] = fields;
            let name = normalise_parts(one, two, three);
            assert_eq!(
                (name.first.as_str(), name.last.as_str()),
                (first, last),
                "{fields:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_short_way_finds_what_the_long_way_finds(first in word(), last in word()) {
            let raw = format!("{first} {last}");
            prop_assert_eq!(normalise(&raw), normalise_any(&raw));
            let parts = normalise_any_parts(&first, "", &last);
            prop_assert_eq!(normalise_parts(&first, "", &last), parts);
        }
    }

    /// A word of letters, or one that is no name.
    fn word() -> impl Strategy<Value = String> {
        let listed: Vec<&str> = listed().collect();
        prop_oneof![
            "[A-Za-z]{1,12}",
            "[A-Z]{1,12}",
            proptest::sample::select(listed).prop_map(str::to_owned),
        ]
    }

    #[test]
    fn placeholders_are_no_names() {
        for raw in [
            "Not Provided",
            "WIRELESS CALLER",
            "n/a",
            "Unknown",
            "-",
            "test test",
            "...",
            "[not provided]",
        ] {
            assert_eq!(normalise(raw).shape, NameShape::Placeholder, "{raw}");
            assert!(says_nothing(raw), "{raw}");
        }
        assert_eq!(
            normalise_parts("Not", "", "Provided").shape,
            NameShape::Placeholder
        );
        assert_eq!(
            normalise_parts("Test", "", "Unknown").shape,
            NameShape::Placeholder
        );
        assert_eq!(normalise(" ").shape, NameShape::Missing);
        assert_eq!(normalise("THOMPSON-HAYWARD J").shape, NameShape::CallerId);
    }

    #[test]
    fn a_junior_is_not_the_senior() {
        for (raw, generation) in [
            ("David Dobbins Jr", 2),
            ("Dobbins Jr., David", 2),
            ("Morris Klein II", 2),
            ("Robert E Smith Sr", 1),
            ("Ann Lee", 0),
        ] {
            assert_eq!(normalise(raw).generation, generation, "{raw}");
        }
    }

    #[test]
    fn nicknames_meet_in_their_groups() {
        for (one, other) in [
            ("bob", "robert"),
            ("peggy", "margaret"),
            ("kate", "cathy"),
            ("bill", "will"),
            ("mhd", "mohamed"),
        ] {
            assert!(are_nicknames(one, other), "{one} {other}");
        }
        assert!(!are_nicknames("bob", "bill"));
        assert!(!are_nicknames("zzz", "yyy"));
    }
}
