//! Lists of words that are asked about for every record.

use std::sync::OnceLock;

use hashbrown::HashSet;

/// A list of words, as a set from the first question on.
#[derive(Debug)]
pub(super) struct WordSet {
    list: &'static [&'static str],
    lines: &'static str,
    set: OnceLock<HashSet<&'static str>>,
}

impl WordSet {
    /// Takes a list.
    pub(super) const fn of(list: &'static [&'static str]) -> Self {
        Self::with_lines(list, "")
    }

    /// Takes a list, and a text of which each line is one word more.
    pub(super) const fn with_lines(list: &'static [&'static str], lines: &'static str) -> Self {
        Self {
            list,
            lines,
            set: OnceLock::new(),
        }
    }

    /// Returns the words in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.list.iter().copied().chain(self.lines.lines())
    }

    /// Says whether a word is on the list.
    pub(super) fn contains(&self, word: &str) -> bool {
        self.set
            .get_or_init(|| self.iter().collect())
            .contains(word)
    }
}
