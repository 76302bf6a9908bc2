//! Texts that are kept once and known by a number.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// A text's number. Equal texts have equal numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Symbol(u32);

impl Symbol {
    /// The empty text.
    pub(crate) const EMPTY: Self = Self(0);

    /// Says whether the text is empty.
    pub(crate) fn is_empty(self) -> bool {
        self == Self::EMPTY
    }

    /// Returns the number.
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// Returns the text that a number stands for.
    pub(crate) fn of_number(number: u32) -> Self {
        Self(number)
    }

    /// Returns what a list has for the text, which has one for each and one before them; the default where it has none.
    pub(crate) fn of<T: Copy + Default>(self, list: &[T]) -> T {
        list.get(self.place()).copied().unwrap_or_default()
    }

    /// Returns the number as a place in a list that has one for each text and one before them.
    fn place(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// All texts, each once, one after another.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// By hash, which is kept: a table that grows need not read the texts again.
    numbers: HashTable<(Hash, Symbol)>,
    hasher: DefaultHashBuilder,
    text: String,
    /// Where each text ends.
    ends: Ends,
}

/// Where texts end, in half the room as long as there are no more than 4 GiB of text.
#[derive(Debug)]
enum Ends {
    Near(Vec<u32>),
    Far(Vec<usize>),
}

impl Default for Ends {
    fn default() -> Self {
        Self::Near(Vec::new())
    }
}

impl Ends {
    /// Appends the end of another text.
    fn push(&mut self, end: usize) {
        match (&mut *self, u32::try_from(end)) {
            (Self::Near(ends), Ok(end)) => ends.push(end),
            (Self::Near(ends), Err(_)) => {
                let known = ends.iter();
                let known = known.map(|end| usize::try_from(*end).unwrap_or(usize::MAX));
                *self = Self::Far(known.chain([end]).collect());
            }
            (Self::Far(ends), _) => ends.push(end),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Near(ends) => ends.len(),
            Self::Far(ends) => ends.len(),
        }
    }

    fn get(&self, at: usize) -> Option<usize> {
        match self {
            Self::Near(ends) => usize::try_from(*ends.get(at)?).ok(),
            Self::Far(ends) => ends.get(at).copied(),
        }
    }
}

impl Texts {
    /// Returns the number of a text.
    pub(crate) fn intern(&mut self, text: &str) -> Symbol {
        if text.is_empty() {
            return Symbol::EMPTY;
        }
        let hash = self.hash(text);
        if let Some(symbol) = self.look_up(hash, text) {
            return symbol;
        }
        self.text.push_str(text);
        self.ends.push(self.text.len());
        let symbol = Symbol(u32::try_from(self.ends.len()).unwrap_or(u32::MAX));
        self.numbers
            .insert_unique(hash.spread(), (hash, symbol), |(hash, _)| hash.spread());
        symbol
    }

    /// Returns a text by its number.
    pub(crate) fn text(&self, symbol: Symbol) -> &str {
        let Some(at) = symbol.place().checked_sub(1) else {
            return "";
        };
        let start = at
            .checked_sub(1)
            .map_or(Some(0), |before| self.ends.get(before));
        let range = start.zip(self.ends.get(at));
        range
            .and_then(|(start, end)| self.text.get(start..end))
            .unwrap_or_default()
    }

    /// Returns the number of a text that is known.
    pub(crate) fn find(&self, text: &str) -> Option<Symbol> {
        self.look_up(self.hash(text), text)
    }

    /// Returns every text with its number.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (Symbol, &str)> {
        let numbers = 1..=u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        numbers.map(|number| (Symbol(number), self.text(Symbol(number))))
    }

    fn hash(&self, text: &str) -> Hash {
        let [one, two, three, four, ..] = self.hasher.hash_one(text).to_be_bytes();
        Hash(u32::from_be_bytes([one, two, three, four]))
    }

    fn look_up(&self, hash: Hash, text: &str) -> Option<Symbol> {
        let is_text =
            |(known, symbol): &(Hash, Symbol)| *known == hash && self.text(*symbol) == text;
        let found = self.numbers.find(hash.spread(), is_text)?;
        Some(found.1)
    }
}

/// Half of a text's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hash(u32);

impl Hash {
    /// Returns a hash of which both ends tell texts apart, as a table asks for.
    fn spread(self) -> u64 {
        u64::from(self.0) << 32 | u64::from(self.0)
    }
}

/// A value for each text that is known by now, found by its number at once.
#[derive(Debug)]
pub(crate) struct PerText<T>(Vec<T>);

impl<T: Copy + Default> PerText<T> {
    /// Starts with the default for every text.
    pub(crate) fn of(texts: &Texts) -> Self {
        Self(vec![T::default(); texts.ends.len() + 1])
    }

    /// Returns a text's value; the default for a text that was not known yet.
    pub(crate) fn get(&self, symbol: Symbol) -> T {
        symbol.of(&self.0)
    }

    /// Gives a text a value.
    pub(crate) fn set(&mut self, symbol: Symbol, value: T) {
        if let Some(place) = self.0.get_mut(symbol.place()) {
            *place = value;
        }
    }

    /// Makes another value of each.
    pub(crate) fn map<U>(self, make: impl FnMut(T) -> U) -> PerText<U> {
        PerText(self.0.into_iter().map(make).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number_and_is_found_by_it() {
        let mut texts = Texts::default();
        let words: Vec<String> = (0..1_000).map(|number| format!("é{number}")).collect();
        let numbers: Vec<Symbol> = words.iter().map(|word| texts.intern(word)).collect();
        for (word, number) in words.iter().zip(numbers) {
            assert_eq!(texts.text(number), word);
            assert_eq!(texts.intern(word), number);
            assert_eq!(texts.find(word), Some(number));
        }
        assert_eq!(texts.numbered().count(), 1_000);
        assert_eq!(texts.intern(""), Symbol::EMPTY);
        assert_eq!((texts.text(Symbol::EMPTY), texts.find("none")), ("", None));
    }

    #[test]
    fn ends_stay_where_they_are_beyond_four_gibibytes() {
        let mut ends = Ends::default();
        let far = [
            7,
            usize::try_from(u32::MAX).expect("usize"),
            1 << 33,
            1 << 34,
        ];
        far.into_iter().for_each(|end| ends.push(end));
        assert_eq!(ends.len(), far.len());
        assert_eq!([0, 1, 2, 3].map(|at| ends.get(at)), far.map(Some));
        assert_eq!(ends.get(4), None);
    }

    #[test]
    fn a_text_has_a_value_of_its_own_and_a_later_one_the_default() {
        let mut texts = Texts::default();
        let (one, other) = (texts.intern("one"), texts.intern("other"));
        let mut values = PerText::of(&texts);
        values.set(other, 7);
        let later = texts.intern("later");
        values.set(later, 9);
        assert_eq!([one, other, later].map(|text| values.get(text)), [0, 7, 0]);
        assert_eq!(values.map(|value| value + 1).get(other), 8);
    }
}
