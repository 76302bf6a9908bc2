//! Seeded chance.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// Seeded chance.
#[derive(Debug)]
pub(crate) struct Chance {
    rng: SmallRng,
}

impl Chance {
    /// The same seed gives the same throws.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: SmallRng::seed_from_u64(seed),
        }
    }

    /// Says yes in so many of a hundred cases.
    pub(crate) fn percent(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100_u32) < percent
    }

    /// A number below `end`; 0 if there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        if end == 0 {
            0
        } else {
            self.rng.random_range(0..end)
        }
    }

    /// A number from `low` up to and without `high`.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            low
        } else {
            self.rng.random_range(low..high)
        }
    }

    /// One of a list.
    pub(crate) fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        let at = self.below(list.len());
        list.get(at).copied().unwrap_or_default()
    }

    /// Brings a list into a random order.
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            let other = self.below(at.saturating_add(1));
            list.swap(at, other);
        }
    }

    /// Fills the `#` of a pattern with digits.
    pub(crate) fn digits(&mut self, pattern: &str) -> String {
        pattern
            .chars()
            .map(|sign| match sign {
                '#' => char::from_digit(self.rng.random_range(0..10), 10).unwrap_or('0'),
                other => other,
            })
            .collect()
    }
}
