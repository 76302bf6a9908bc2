//! Learns without labels what evidence is worth among these records: expectation and maximisation over pairs of
//! records that bear one name.
//!
//! Such pairs are one person's or two namesakes'. Which, their mailboxes, phones and organisations tell: how often
//! these agree depends on how rare the name is, and from that follows how rare a name must be to stand for itself.

use super::frequency::count_of;
use super::model::PeopleWeights;

/// What is known of a mailbox, phone or organisation of two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    /// One record has none.
    Missing,
    /// Both have the same.
    Same,
    /// They differ, and one could come of the other.
    Near,
    /// They differ.
    Different,
}

impl Agreement {
    /// Returns the word for it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Same => "same",
            Self::Near => "near",
            Self::Different => "different",
        }
    }

    /// Reads the word for it.
    pub(super) fn parse(word: &str) -> Option<Self> {
        let all = [Self::Missing, Self::Same, Self::Near, Self::Different];
        all.into_iter().find(|it| it.as_str() == word)
    }
}

/// The agreements that say something, in the order of the tables below.
const TELLING: [Agreement; 3] = [Agreement::Same, Agreement::Near, Agreement::Different];

/// Names are told apart by how many records bear them: 2 to 3, 4 to 7, and so on by doubling.
const SIZES: usize = 8;

/// Names are told apart by their rarity: less than 2 bits, less than 4, and so on.
const RARITIES: usize = 14;

/// How many bits a step of rarity has.
const STEP: f32 = 2.0;

/// How many records somebody has that sales keeps, more or less.
const RECORDS_EACH: f64 = 3.0;

/// The fields looked at: mailbox, phone, organisation.
const FIELDS: usize = 3;

/// Fewer pairs than this teach nothing.
const FEWEST_PAIRS: f64 = 2_000.0;

/// Turns after which nothing moves any more.
const TURNS: usize = 30;

/// How often namesakes agree by chance, by field: same, near, different.
const BY_CHANCE: [[f64; 3]; FIELDS] = [
    [0.0005, 0.02, 0.9795],
    [0.002, 0.0005, 0.9975],
    [0.004, 0.0005, 0.9955],
];

/// How many patterns of agreement there are: each field is missing or on one of three levels.
const PATTERNS: usize = 4 * 4 * 4;

/// How often records of one person agree, before anything is learnt.
const EXPECTED: [[f64; 3]; FIELDS] = [[0.55, 0.05, 0.4], [0.6, 0.01, 0.39], [0.8, 0.01, 0.19]];

/// What is believed beforehand, of names of one rarity or of dates of birth, counts as much as so many pairs.
pub(super) const BELIEF: f64 = 20.0;

/// Pairs of records that bear one name, counted by pattern.
#[derive(Debug)]
pub(super) struct Namesakes {
    /// Pairs by bucket and pattern, in parts: a sum of whole numbers is the same in any order.
    parts: Vec<u64>,
}

/// How many parts a pair has.
const PARTS: u64 = 256;

impl Namesakes {
    /// Starts without pairs.
    pub(super) fn new() -> Self {
        Self {
            parts: vec![0; SIZES * RARITIES * PATTERNS],
        }
    }

    /// Counts a pair whose name is in a bucket, as one of `looked_at` pairs that stand for `all` of that name.
    pub(super) fn count(
        &mut self,
        bucket: usize,
        agreements: [Agreement; FIELDS],
        weight: (u64, u64),
    ) {
        self.count_all(bucket, agreements, (weight, 1));
    }

    /// Counts as many such pairs as are given last.
    pub(super) fn count_all(
        &mut self,
        bucket: usize,
        agreements: [Agreement; FIELDS],
        ((looked_at, all), pairs): ((u64, u64), u64),
    ) {
        let pattern = agreements.iter().fold(bucket, |pattern, agreement| {
            let level = TELLING.iter().position(|telling| telling == agreement);
            pattern * 4 + level.map_or(0, |level| level + 1)
        });
        if let Some(parts) = self.parts.get_mut(pattern) {
            let each = all.saturating_mul(PARTS) / looked_at.max(1);
            *parts = parts.saturating_add(each.saturating_mul(pairs));
        }
    }

    /// Returns how many pairs there are by bucket and pattern.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share of pairs needs no more than its first digits"
    )]
    fn counts(&self) -> Vec<f64> {
        let parts = self.parts.iter();
        parts.map(|parts| *parts as f64 / PARTS as f64).collect()
    }

    /// Returns the weights with what these pairs teach, within bounds; as they were where there are too few.
    pub(super) fn teach(&self, prior: f32, weights: &PeopleWeights) -> PeopleWeights {
        let counts = self.counts();
        if counts.iter().sum::<f64>() < FEWEST_PAIRS {
            return weights.clone();
        }
        let off = weights.first_name.equal_off + weights.last_name.equal_off;
        let off = off + weights.correlation_off;
        let believed: Vec<f64> = (0..SIZES * RARITIES)
            .map(|bucket| {
                let (size, rarity) = (count_of(bucket / RARITIES), count_of(bucket % RARITIES));
                let rarity = f64::from(rarity) + 0.5;
                let by_rarity = f64::from(prior - off) + rarity * f64::from(STEP);
                // Each record of a name has as many others of its bearer, of all others of the name.
                let others = f64::from(3u32 << size) - RECORDS_EACH;
                by_rarity.min(((RECORDS_EACH - 1.0) / others.max(0.01)).log2())
            })
            .collect();
        let by_chance = patterns(&BY_CHANCE);
        let expected = patterns(&EXPECTED);
        let (mut odds, mut within) = (believed.clone(), expected.clone());
        for _ in 0..TURNS {
            let mut seen = expected.clone();
            let buckets = counts.chunks_exact(PATTERNS).zip(&believed);
            odds = buckets
                .zip(&odds)
                .map(|((counts, believed), odds)| {
                    let (mut ones, mut all) = (BELIEF * share(*believed), BELIEF);
                    let evidence = within.iter().zip(&by_chance);
                    for ((count, (within, chance)), seen) in
                        counts.iter().zip(evidence).zip(&mut seen)
                    {
                        let one = count * share(odds + (within / chance).log2());
                        ones += one;
                        all += count;
                        *seen += one;
                    }
                    (ones / (all - ones).max(1e-9)).log2()
                })
                .collect();
            within = shares(&seen);
        }
        let of_names = odds.chunks_exact(RARITIES).flat_map(|odds| {
            let mut least = f64::NEG_INFINITY;
            odds.iter().map(move |odds| {
                least = odds.max(least); // a rarer name never says less
                bounded(least - f64::from(prior), (0.0, 28.0))
            })
        });
        let namesakes = of_names.collect();
        let against = |field: usize| {
            let different = |table: &[f64]| {
                let (mut sum, mut all) = (0.0, 0.0);
                for (pattern, share) in table.iter().enumerate() {
                    match level(pattern, field) {
                        None => {}
                        Some(2) => (sum, all) = (sum + share, all + share),
                        Some(_) => all += share,
                    }
                }
                sum / all
            };
            (different(&within) / different(&by_chance)).log2()
        };
        PeopleWeights {
            namesakes,
            mailbox_different: bounded(against(0), (-2.0, 0.0)),
            phone_different: bounded(against(1), (-1.5, 0.0)),
            organisation_conflict: bounded(against(2), (-3.0, -1.5)),
            ..weights.clone()
        }
    }
}

/// Returns a field's level in a pattern; `None` where it is missing.
fn level(pattern: usize, field: usize) -> Option<usize> {
    let below = FIELDS.saturating_sub(field + 1);
    (pattern / 4usize.pow(u32::try_from(below).unwrap_or(0)) % 4).checked_sub(1)
}

/// Returns how often each pattern occurs among those with the same fields, if the fields know nothing of each other.
fn patterns(levels: &[[f64; 3]; FIELDS]) -> Vec<f64> {
    let one = |pattern| {
        let fields = levels.iter().enumerate();
        fields
            .filter_map(|(field, levels)| levels.get(level(pattern, field)?))
            .product()
    };
    (0..PATTERNS).map(one).collect()
}

/// Returns the share of each pattern among those with the same fields.
fn shares(counts: &[f64]) -> Vec<f64> {
    let fields = |pattern: usize| {
        (0..FIELDS).fold(0, |known, field| {
            known * 2 + usize::from(level(pattern, field).is_some())
        })
    };
    let mut sums = [0.0; 2 * 2 * 2];
    for (pattern, count) in counts.iter().enumerate() {
        if let Some(sum) = sums.get_mut(fields(pattern)) {
            *sum += count;
        }
    }
    let shared = counts.iter().enumerate().map(|(pattern, count)| {
        let sum = sums.get(fields(pattern)).copied().unwrap_or_default();
        if sum > 0.0 { count / sum } else { 0.0 }
    });
    shared.collect()
}

/// Returns the probability that belongs to odds in bits.
fn share(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp2())
}

/// Returns the bucket of a name of so many bits that so many records bear.
pub(super) fn bucket(name_bits: f32, records: u32) -> usize {
    let steps = (1u8..)
        .take(RARITIES - 1)
        .map(|step| f32::from(step) * STEP);
    let rarity = steps.take_while(|least| name_bits >= *least).count();
    size_class(records) * RARITIES + rarity
}

/// Returns which class of names one is in that so many records bear.
pub(super) fn size_class(records: u32) -> usize {
    let sizes = (1..SIZES).take_while(|size| records >> (size + 1) > 0);
    sizes.count()
}

/// Brings a weight within bounds.
pub(super) fn bounded(bits: f64, (least, most): (f64, f64)) -> f32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a weight needs no more than three digits"
    )]
    let bits = bits.clamp(least, most) as f32;
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE_PERSON: [Agreement; 3] = [Agreement::Same, Agreement::Missing, Agreement::Same];
    const NAMESAKES: [Agreement; 3] = [
        Agreement::Different,
        Agreement::Missing,
        Agreement::Different,
    ];

    fn taught(pairs: &[(usize, [Agreement; 3], u64)]) -> PeopleWeights {
        let mut namesakes = Namesakes::new();
        for (bucket, agreements, count) in pairs {
            for _ in 0..*count {
                namesakes.count(*bucket, *agreements, (1, 1));
            }
        }
        namesakes.teach(-18.0, &PeopleWeights::default())
    }

    #[test]
    fn a_name_whose_bearers_agree_in_nothing_else_says_little_and_one_whose_bearers_agree_says_much()
     {
        let (rare, common) = (bucket(24.0, 3), bucket(18.0, 90));
        let weights = taught(&[
            (rare, ONE_PERSON, 1_800),
            (rare, NAMESAKES, 200),
            (common, ONE_PERSON, 30),
            (common, NAMESAKES, 3_000),
        ]);
        let says = |bucket: usize| weights.namesakes[bucket] - 18.0;
        assert!(says(rare) > 1.5, "{}", says(rare));
        assert!(says(common) < -4.0, "{}", says(common));
        let rarer = bucket(27.0, 90);
        assert!(weights.namesakes[rarer] >= weights.namesakes[common]);
        for (learnt, (least, most)) in [
            (weights.mailbox_different, (-2.0, 0.0)),
            (weights.phone_different, (-1.5, 0.0)),
            (weights.organisation_conflict, (-3.0, -1.5)),
        ] {
            assert!((least..=most).contains(&learnt), "{learnt}");
        }
    }

    #[test]
    fn few_pairs_teach_nothing() {
        assert_eq!(
            taught(&[(bucket(24.0, 3), NAMESAKES, 1_999)]),
            PeopleWeights::default()
        );
    }
}
