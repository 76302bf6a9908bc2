//! Texts that are kept once and known by a number.

use std::collections::HashMap;
use std::sync::Arc;

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
}

/// All texts, each once.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    numbers: HashMap<Arc<str>, Symbol>,
    texts: Vec<Arc<str>>,
}

impl Texts {
    /// Returns the number of a text.
    pub(crate) fn intern(&mut self, text: &str) -> Symbol {
        if text.is_empty() {
            return Symbol::EMPTY;
        }
        if let Some(symbol) = self.numbers.get(text) {
            return *symbol;
        }
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        let symbol = Symbol(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        self.numbers.insert(text, symbol);
        symbol
    }

    /// Returns a text by its number.
    pub(crate) fn text(&self, symbol: Symbol) -> &str {
        let at = usize::try_from(symbol.0)
            .ok()
            .and_then(|number| number.checked_sub(1));
        at.and_then(|at| self.texts.get(at))
            .map_or("", AsRef::as_ref)
    }

    /// Returns the number of a text that is known.
    pub(crate) fn find(&self, text: &str) -> Option<Symbol> {
        self.numbers.get(text).copied()
    }
}
