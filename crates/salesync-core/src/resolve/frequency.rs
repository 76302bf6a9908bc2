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

    /// Returns how many bits it takes to tell the value from all others: log2 of one over its share.
    pub(super) fn bits(&self, value: &K) -> f32 {
        let count = self.counts.get(value).copied().unwrap_or(1);
        log2(self.total.max(1)) - log2(count)
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

/// Returns how many bits it takes to tell each text from all others, as [`Frequency::bits`] does: of texts that come
/// as often as they do, as part of at least so many.
pub(super) fn rarities(
    texts: &Texts,
    values: impl Iterator<Item = Symbol>,
    least: u32,
) -> PerText<f32> {
    let mut counts: PerText<u32> = PerText::of(texts);
    let mut total = 0u32;
    for value in values {
        counts.set(value, counts.get(value) + 1);
        total += 1;
    }
    let most = log2(total.max(least));
    counts.map(|count| most - log2(count))
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
        assert!(frequency.bits(&"b") > frequency.bits(&"a"));
        assert!((frequency.bits(&"b") - 2.0).abs() < 1e-6);
        assert_eq!(frequency.count(&"z"), 0);
        assert!((probability(0.0) - 0.5).abs() < 1e-6);
    }
}
