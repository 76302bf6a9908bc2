//! Why two records were joined, or kept apart although a pair spoke for joining.

use super::entity::EntityId;
use super::identity::{EntityKind, RecordRef};

/// What a compared pair led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The pair joined two clusters.
    Joined,
    /// The pair was strong enough, and both records were in one cluster already.
    Confirmed,
    /// The pair was strong enough, but the clusters contradict each other.
    Refused,
    /// The pair was strong enough, but a person said that the clusters are two.
    Forbidden,
    /// The pair was strong enough, if barely, but nothing else ties the two clusters together.
    Bridge,
    /// The pair was not strong enough, if barely.
    NearMiss,
}

impl Outcome {
    /// Returns the word that tables carry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Confirmed => "confirmed",
            Self::Refused => "refused",
            Self::Forbidden => "forbidden",
            Self::Bridge => "bridge",
            Self::NearMiss => "near_miss",
        }
    }
}

/// What one field of a pair added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldEvidence {
    /// The compared field, such as `first_name` or `mailbox`.
    pub field: &'static str,
    /// How far the two values agree, such as `equal`, `nickname` or `conflict`.
    pub level: &'static str,
    /// The weight in bits: above 0 for one entity, below 0 against it.
    pub bits: f32,
}

/// One pair of records and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// What the records are about.
    pub kind: EntityKind,
    /// One record.
    pub left: RecordRef,
    /// The other.
    pub right: RecordRef,
    /// The entity that the left record ended up in.
    pub entity_id: EntityId,
    /// The kind of key in which the two met first.
    pub key: &'static str,
    /// Field by field; the fields' bits and the prior add up to `total_bits`.
    pub fields: Vec<FieldEvidence>,
    /// Bits before any field is looked at: how rare a match is among random pairs.
    pub prior_bits: f32,
    /// The sum.
    pub total_bits: f32,
    /// The probability that both are one entity, from `total_bits`.
    pub probability: f32,
    /// What it led to.
    pub outcome: Outcome,
}

/// Two entities that might be one, for a person to decide.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// The strongest pair of records between the two, with why it did not join them. It names the left record's
    /// entity.
    pub evidence: Evidence,
    /// The right record's entity.
    pub other_entity_id: EntityId,
    /// How many records each of the two entities has, the left one first.
    pub record_counts: [usize; 2],
}

impl Review {
    /// Returns how many pairs of records a decision is likely to change: what makes it worth taking first.
    pub fn expected_pairs(&self) -> f64 {
        let [left, right] = self
            .record_counts
            .map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        f64::from(self.evidence.probability) * f64::from(left) * f64::from(right)
    }
}
