//! What is kept of a resolve so that the next one need only look at what changed: the records, under which keys they
//! meet, and the pairs that came of it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use hashbrown::HashMap;
use rayon::slice::ParallelSliceMut;
use twox_hash::XxHash3_64;

use super::cluster::Edge;
use super::derived::Derived;
use super::entity::EntityId;
use super::identity::{EntityKind, Identity, RecordRef};
use super::keys::{KeyKind, KeyValue};
use super::learnt::{Fact, Learnt};
use super::people;
use super::prepared::{PerText, Prepared, Symbol, place};
use super::records::Matched;
use super::union::Union;
use super::{Resolution, companies};
use crate::error::Result;

/// A number that a record or key has in every run.
pub type Number = u64;

/// A record as it was read last.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexedRecord {
    /// The record's number.
    pub number: Number,
    /// What it says.
    pub identity: Identity,
    /// What was found out about it in the light of others.
    pub derived: Derived,
}

/// Where a record is in the answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The record.
    pub record: Number,
    /// The records that pairs tie to it, one way or another, have the same number here.
    pub component: Number,
    /// Its entity.
    pub entity_id: EntityId,
}

/// A key that several records share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyUse {
    /// The key.
    pub key: Number,
    /// How many records share it.
    pub records: u32,
    /// How many different entities these are, as far as names tell, of a mailbox, phone or domain; 1 of other keys.
    pub users: u8,
}

/// Two records that speak for being one, or nearly do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IndexedEdge {
    /// The record that comes first in the order of names.
    pub left: Number,
    /// The other.
    pub right: Number,
    /// The first kind of key in which they met.
    pub(super) met_by: KeyKind,
    /// What speaks for it, in bits.
    pub bits: f32,
}

impl IndexedEdge {
    /// Reads an edge as it is kept; `None` where `met_by` is no kind of key.
    pub fn new((left, right): (Number, Number), met_by: &str, bits: f32) -> Option<Self> {
        Some(Self {
            left,
            right,
            met_by: KeyKind::parse(met_by)?,
            bits,
        })
    }

    /// Returns the kind of key in which the records met first, as a word.
    pub fn met_by(&self) -> &'static str {
        self.met_by.as_str()
    }
}

/// Looks up what an earlier resolve kept. Lists come in any order; what is asked for and not kept is left out.
#[async_trait]
pub trait IndexReader: Send + Sync {
    /// Returns the facts that are kept under these numbers.
    ///
    /// # Errors
    /// What the store says; so of all others.
    async fn facts(&self, places: &[Number]) -> Result<Vec<Fact>>;

    /// Returns these records.
    async fn records(&self, numbers: &[Number]) -> Result<Vec<IndexedRecord>>;

    /// Returns where these records are.
    async fn places(&self, records: &[Number]) -> Result<Vec<Place>>;

    /// Returns where the records of these components are.
    async fn members(&self, components: &[Number]) -> Result<Vec<Place>>;

    /// Returns the records under these keys, as key and record.
    async fn blocks(&self, keys: &[Number]) -> Result<Vec<(Number, Number)>>;

    /// Returns those of these keys that several records share.
    async fn uses(&self, keys: &[Number]) -> Result<Vec<KeyUse>>;

    /// Returns the pairs in which one of these records is.
    async fn edges(&self, records: &[Number]) -> Result<Vec<IndexedEdge>>;

    /// Returns when those of these ids that were ever given were created: an older one has a smaller number.
    async fn ages(&self, ids: &[EntityId]) -> Result<BTreeMap<EntityId, u64>>;
}

/// What the index keeps of one or more records, to be put in the place of what it kept of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IndexChange {
    /// Records of which nothing that was kept holds: no row of theirs, no key.
    pub changed: BTreeSet<Number>,
    /// The records that are there now.
    pub records: Vec<IndexedRecord>,
    /// Their keys, as key and record.
    pub keys: Vec<(Number, Number)>,
    /// Keys of whose use nothing that was kept holds.
    pub touched_keys: BTreeSet<Number>,
    /// Those of them that several records share.
    pub uses: Vec<KeyUse>,
    /// Records of whose pairs nothing that was kept holds.
    pub weighed: BTreeSet<Number>,
    /// Their pairs.
    pub edges: Vec<IndexedEdge>,
    /// Records of whose place nothing that was kept holds.
    pub moved: BTreeSet<Number>,
    /// Their places.
    pub places: Vec<Place>,
}

/// Returns a record's number.
pub fn number_of(kind: EntityKind, record: &RecordRef) -> Number {
    numbered(kind, [&record.source, &record.stream, &record.id])
}

/// Returns the number of a record of a source, its stream, and the record's id there.
pub fn numbered(kind: EntityKind, record: [&str; 3]) -> Number {
    numbered_in(&mut String::new(), kind, record)
}

/// Does the same, and leaves what the number is made of in `line`.
pub(super) fn numbered_in(
    line: &mut String,
    kind: EntityKind,
    [source, stream, id]: [&str; 3],
) -> Number {
    line.clear();
    for part in [kind.as_str(), source, stream, id] {
        line.push_str(part);
        line.push('\u{1f}');
    }
    XxHash3_64::oneshot(line.as_bytes())
}

/// A key of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) index: u32,
    pub(super) kind: KeyKind,
    pub(super) value: KeyValue,
    pub(super) number: Number,
}

/// Returns the kinds of keys that records of a kind have, in the order in which they count, and by which some are only
/// found.
pub(super) fn kinds_of_keys(kind: EntityKind) -> impl Iterator<Item = KeyKind> {
    let (kinds, found_by): (&[KeyKind], &[KeyKind]) = match kind {
        EntityKind::Person => (&people::KINDS, &[KeyKind::Organisation]),
        EntityKind::Company => (&companies::KINDS, &[]),
    };
    kinds.iter().chain(found_by).copied()
}

/// Calls for every key of the records of a kind, one kind of key after another.
pub(super) fn each_key(prepared: &Prepared, entity: EntityKind, mut each: impl FnMut(Key)) {
    for kind in kinds_of_keys(entity) {
        let seed = kind.seed(entity);
        let mut put = |index, value: KeyValue| {
            each(Key {
                index,
                kind,
                value,
                number: value.lasting(seed, &prepared.texts),
            });
        };
        match entity {
            EntityKind::Person => {
                for (index, person) in (0..).zip(prepared.people()) {
                    people::put_keys(kind, &person, &prepared.texts, |value| put(index, value));
                }
            }
            EntityKind::Company => {
                for (index, company) in (0..).zip(prepared.companies()) {
                    companies::put_keys(kind, &company, |value| put(index, value));
                }
            }
        }
    }
}

/// Returns the number of a key that is a text.
pub(super) fn text_key(entity: EntityKind, kind: KeyKind, text: &str) -> Number {
    let mut texts = super::prepared::Texts::default();
    let value = KeyValue::Text(texts.intern(text));
    value.lasting(kind.seed(entity), &texts)
}

/// Says whether it is counted how many use the values of a kind of key.
pub(super) fn has_users(entity: EntityKind, kind: KeyKind) -> bool {
    match entity {
        EntityKind::Person => matches!(kind, KeyKind::Mailbox | KeyKind::Phone),
        EntityKind::Company => matches!(kind, KeyKind::Domain | KeyKind::Phone),
    }
}

/// Returns the component of each record: the smallest number of all that edges tie to it.
pub(super) fn components(numbers: &[Number], ties: &[(u32, u32)]) -> Vec<Number> {
    let mut union = Union::new(numbers.len());
    for (left, right) in ties {
        let (left, right) = (union.root(*left), union.root(*right));
        if left != right {
            union.join(left, right, 0.0);
        }
    }
    let count = super::prepared::number(numbers.len());
    let roots: Vec<u32> = (0..count).map(|index| union.root(index)).collect();
    let mut smallest = numbers.to_vec();
    for (root, number) in roots.iter().zip(numbers) {
        if let Some(known) = smallest.get_mut(place(*root)) {
            *known = (*known).min(*number);
        }
    }
    let smallest = roots.iter().map(|root| smallest.get(place(*root)));
    smallest.flatten().copied().collect()
}

/// Returns the number of each record of a kind, in their order.
pub(super) fn numbers(prepared: &Prepared, kind: EntityKind) -> Vec<Number> {
    match kind {
        EntityKind::Person => prepared.people.iter().map(|row| row.rank.order).collect(),
        EntityKind::Company => {
            let rows = prepared.companies.iter();
            rows.map(|row| row.rank.order).collect()
        }
    }
}

/// Returns all that is to be kept of a whole resolve, with what it learnt. `take` gives the identity that came as the how
/// many-eth.
pub(super) fn of(
    mut matched: Matched,
    mut take: impl FnMut(usize) -> Option<Identity>,
    resolution: &Resolution,
) -> (IndexChange, Learnt) {
    let mut change = IndexChange::default();
    let prepared = &matched.prepared;
    for (clustering, users) in [
        (&matched.companies, &matched.company_users),
        (&matched.people, &matched.users),
    ] {
        let kind = clustering.kind;
        let numbers = numbers(prepared, kind);
        keep_keys(&mut change, prepared, (kind, users), &numbers);
        let number = |index: u32| numbers.get(place(index)).copied();
        let edge = |edge: &Edge| {
            Some(IndexedEdge {
                left: number(edge.left)?,
                right: number(edge.right)?,
                met_by: edge.key,
                bits: edge.total,
            })
        };
        change
            .edges
            .extend(clustering.all_edges.iter().filter_map(edge));
        let components = components(&numbers, &clustering.ties);
        let members = resolution.memberships.iter();
        let entities: HashMap<Number, EntityId> = members
            .filter(|member| member.kind == kind)
            .map(|member| (number_of(kind, &member.record), member.entity_id))
            .collect();
        for (record, component) in numbers.iter().zip(components) {
            change
                .places
                .extend(entities.get(record).map(|entity| Place {
                    record: *record,
                    component,
                    entity_id: *entity,
                }));
        }
    }
    let people = prepared.derived().map(|(row, derived)| (row.rank, derived));
    let companies = prepared.companies.iter();
    let companies = companies.map(|row| (row.rank, Derived::default()));
    for (rank, derived) in people.chain(companies) {
        let identity = take(place(rank.arrival));
        change
            .records
            .extend(identity.map(|identity| IndexedRecord {
                number: rank.order,
                identity,
                derived,
            }));
    }
    let learnt = std::mem::take(&mut matched.learnt);
    (change, learnt)
}

/// Keeps the keys of the records of a kind, and how they are used.
fn keep_keys(
    change: &mut IndexChange,
    prepared: &Prepared,
    (kind, users): (EntityKind, &PerText<u8>),
    numbers: &[Number],
) {
    let mut users_of: HashMap<Number, u8> = HashMap::new();
    let (mut kept, mut found_by) = (Vec::new(), Vec::new());
    each_key(prepared, kind, |key| {
        let record = numbers.get(place(key.index)).copied();
        let keys = if key.kind.lets_meet() {
            &mut kept
        } else {
            &mut found_by
        };
        keys.extend(record.map(|record| (key.number, record)));
        let used = users.get(text_of(&key));
        if has_users(kind, key.kind) && used > 1 {
            users_of.insert(key.number, used);
        }
    });
    for keys in [&mut kept, &mut found_by] {
        keys.par_sort_unstable();
        keys.dedup();
    }
    let blocks = kept.chunk_by(|one, other| one.0 == other.0);
    let shared = blocks.filter(|block| block.len() > 1);
    change.uses.extend(shared.filter_map(|block| {
        let (key, _) = *block.first()?;
        Some(KeyUse {
            key,
            records: super::frequency::count_of(block.len()),
            users: users_of.get(&key).copied().unwrap_or(1),
        })
    }));
    change.keys.extend(kept);
    change.keys.extend(found_by);
}

/// The text of a key that is a text.
pub(super) fn text_of(key: &Key) -> Symbol {
    match key.value {
        KeyValue::Text(text) => text,
        _ => Symbol::EMPTY,
    }
}
