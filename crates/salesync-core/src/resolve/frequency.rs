//! How rare a value is: a rare one that two records share says more.

use std::hash::Hash;

use hashbrown::HashMap;

use super::prepared::{PerText, Symbol, Texts};

/// How often values occur.
#[derive(Debug)]
pub(super) struct Frequency<K> {
    counts: HashMap<K, u32>,
    total: u32,
}

impl<K: Eq + Hash> Default for Frequency<K> {
    fn default() -> Self {
        Self {
            counts: HashMap::new(),
            total: 0,
        }
    }
}

impl<K: Eq + Hash> Frequency<K> {
    /// Counts values, each as often as it comes.
    pub(super) fn of(values: impl Iterator<Item = K>) -> Self {
        let mut frequency = Self::default();
        for value in values {
            *frequency.counts.entry(value).or_default() += 1;
            frequency.total += 1;
        }
        frequency
    }

    /// Returns how rare each value is, as part of at least so many.
    pub(super) fn rarity(self, least: u32) -> Rarity<K> {
        let most = log2(self.total.max(least));
        let counts = self.counts.into_iter();
        let shared = counts.filter(|(_, count)| *count > 1);
        Rarity {
            bits: shared
                .map(|(value, count)| (value, most - log2(count)))
                .collect(),
            most,
        }
    }

    /// Returns every value with how often it occurs, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, u32)> {
        self.counts.iter().map(|(value, count)| (value, *count))
    }

    /// Returns how often the value occurs.
    pub(super) fn count(&self, value: &K) -> u32 {
        self.counts.get(value).copied().unwrap_or(0)
    }
}

/// How many bits it takes to tell each value from all others: log2 of one over its share.
#[derive(Debug, Clone)]
pub(super) struct Rarity<K> {
    /// Of the values that came more than once.
    bits: HashMap<K, f32>,
    most: f32,
}

impl<K: Eq + Hash> Rarity<K> {
    /// Says how rare some values are; all others are as rare as can be, which is `most` bits.
    pub(super) fn of(most: f32, bits: impl Iterator<Item = (K, f32)>) -> Self {
        Self {
            bits: bits.collect(),
            most,
        }
    }

    /// Returns how many bits it takes to tell the value.
    pub(super) fn bits(&self, value: &K) -> f32 {
        self.bits.get(value).copied().unwrap_or(self.most)
    }

    /// Returns the bits of a value that came once.
    pub(super) fn most(&self) -> f32 {
        self.most
    }

    /// Returns the values that came more than once with their bits, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, f32)> {
        self.bits.iter().map(|(value, bits)| (value, *bits))
    }
}

/// The bits of every text, as [`Rarity`] has them.
#[derive(Debug)]
pub(super) struct TextRarity {
    bits: PerText<f32>,
    most: f32,
}

impl TextRarity {
    /// Counts texts, as part of at least so many.
    pub(super) fn count(texts: &Texts, values: impl Iterator<Item = Symbol>, least: u32) -> Self {
        let mut counts: PerText<u32> = PerText::of(texts);
        let mut total = 0u32;
        for value in values {
            counts.set(value, counts.get(value) + 1);
            total += 1;
        }
        let most = log2(total.max(least));
        Self {
            bits: counts.map(|count| most - log2(count)),
            most,
        }
    }

    /// Says how rare some texts are; all others are as rare as can be, which is `most` bits.
    pub(super) fn of(texts: &Texts, most: f32, bits: impl Iterator<Item = (Symbol, f32)>) -> Self {
        let mut known = PerText::of(texts).map(|(): ()| most);
        bits.for_each(|(text, bits)| known.set(text, bits));
        Self { bits: known, most }
    }

    /// Returns how many bits it takes to tell the text.
    pub(super) fn bits(&self, text: Symbol) -> f32 {
        self.bits.get(text)
    }

    /// Returns the bits of a text that came once.
    pub(super) fn most(&self) -> f32 {
        self.most
    }
}

/// Returns log2 of a count; a count of 0 is taken as 1.
pub(super) fn log2(count: u32) -> f32 {
    // A count over 2^24 loses its last digits, which a logarithm does not show.
    (count.max(1) as f32).log2()
}

/// Returns a length as a count.
pub(super) fn count_of(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Returns the probability that belongs to odds in bits.
pub(super) fn probability(bits: f32) -> f32 {
    1.0 / (1.0 + (-bits).exp2())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_values_carry_more_bits() {
        let frequency = Frequency::of(["a", "a", "a", "b"].into_iter());
        assert_eq!(frequency.count(&"z"), 0);
        let rarity = frequency.rarity(1);
        assert!(rarity.bits(&"b") > rarity.bits(&"a"));
        assert!((rarity.bits(&"b") - 2.0).abs() < 1e-6);
        assert!((probability(0.0) - 0.5).abs() < 1e-6);
    }
}
