//! Blocking: records that share the value of a key meet.

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};
use twox_hash::XxHash3_64;

use super::frequency::count_of;
use super::identity::EntityKind;
use super::prepared::{Symbol, Texts};

/// What a key is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum KeyKind {
    Mailbox,
    RoleMailbox,
    Domain,
    Phone,
    MailboxName,
    NameAtOrganisation,
    FullName,
    NicknameAndSurname,
    Birth,
    House,
    Address,
    NameAndPlace,
    NameAndBirthYear,
    Surname,
    CompanyName,
    /// A company's name where all calls have one code.
    NameAndZone,
    FirstWord,
    /// The organisation that a person belongs to: nobody meets by it, but those who belong to one are found.
    Organisation,
    /// A person's decision.
    Override,
}

impl KeyKind {
    /// Returns the word that evidence carries.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Mailbox => "mailbox",
            Self::RoleMailbox => "role_mailbox",
            Self::Domain => "domain",
            Self::Phone => "phone",
            Self::MailboxName => "mailbox_name",
            Self::NameAtOrganisation => "name_at_organisation",
            Self::FullName => "full_name",
            Self::NicknameAndSurname => "nickname_and_surname",
            Self::Birth => "birth_date",
            Self::House => "house",
            Self::Address => "address",
            Self::NameAndPlace => "name_and_place",
            Self::NameAndBirthYear => "name_and_birth_year",
            Self::Surname => "surname",
            Self::CompanyName => "company_name",
            Self::NameAndZone => "name_and_zone",
            Self::FirstWord => "first_word",
            Self::Organisation => "organisation",
            Self::Override => "override",
        }
    }

    /// Reads the word that evidence carries.
    pub(super) fn parse(word: &str) -> Option<Self> {
        ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Returns what sets the values of this kind of key apart from those of others.
    pub(super) fn seed(self, entity: EntityKind) -> KeySeed {
        KeySeed {
            seed: XxHash3_64::oneshot(self.as_str().as_bytes()),
            entity,
        }
    }

    /// Returns how many records may share the key for all of them to meet, where `cap` is what keys have in general: some
    /// are only worth their pairs where few records share them.
    pub(super) fn cap(self, cap: usize) -> usize {
        match self {
            Self::Surname | Self::FirstWord | Self::MailboxName => cap.min(WEAK_CAP),
            _ => cap,
        }
    }

    /// Says whether records that share a value meet.
    pub(super) fn lets_meet(self) -> bool {
        self != Self::Organisation
    }

    /// Says whether the key is no more than names.
    pub(super) fn is_of_names(self) -> bool {
        matches!(
            self,
            Self::Surname
                | Self::FirstWord
                | Self::MailboxName
                | Self::FullName
                | Self::NicknameAndSurname
                | Self::CompanyName
                | Self::NameAndZone
        )
    }
}

/// Every kind of key.
const ALL: [KeyKind; 19] = [
    KeyKind::Mailbox,
    KeyKind::RoleMailbox,
    KeyKind::Domain,
    KeyKind::Phone,
    KeyKind::MailboxName,
    KeyKind::NameAtOrganisation,
    KeyKind::FullName,
    KeyKind::NicknameAndSurname,
    KeyKind::Birth,
    KeyKind::House,
    KeyKind::Address,
    KeyKind::NameAndPlace,
    KeyKind::NameAndBirthYear,
    KeyKind::Surname,
    KeyKind::CompanyName,
    KeyKind::NameAndZone,
    KeyKind::FirstWord,
    KeyKind::Organisation,
    KeyKind::Override,
];

/// What sets the values of one kind of key apart from those of others.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeySeed {
    seed: u64,
    entity: EntityKind,
}

/// What records that meet share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyValue {
    /// A text.
    Text(Symbol),
    /// Two texts, whichever comes first.
    Both(Symbol, Symbol),
    /// A text and a number.
    Numbered(Symbol, u32),
    /// A number.
    Number(u32),
}

impl KeyValue {
    /// Returns the value of a text, unless it is missing.
    pub(super) fn text(text: Symbol) -> Option<Self> {
        (!text.is_empty()).then_some(Self::Text(text))
    }

    /// Returns the value of two texts, unless one is missing.
    pub(super) fn both(one: Symbol, two: Symbol) -> Option<Self> {
        (!one.is_empty() && !two.is_empty()).then_some(Self::Both(one, two))
    }

    /// Returns the value of a text and a number, unless the text is missing.
    pub(super) fn numbered(text: Symbol, number: u32) -> Option<Self> {
        (!text.is_empty()).then_some(Self::Numbered(text, number))
    }

    /// Returns a number that the value has in every run, by the seed of its kind of key. Keys of companies have the larger
    /// half of all numbers, so that a store finds these few without looking at those of people.
    pub(super) fn lasting(self, KeySeed { seed, entity }: KeySeed, texts: &Texts) -> u64 {
        const COMPANY: u64 = 1 << 63;
        let hash = |text| XxHash3_64::oneshot(texts.text(text).as_bytes());
        let (one, two) = match self {
            Self::Text(text) => (hash(text), 0),
            Self::Both(one, two) => {
                let (one, two) = (hash(one), hash(two));
                (one.min(two), one.max(two))
            }
            Self::Numbered(text, number) => (hash(text), u64::from(number)),
            Self::Number(number) => (0, u64::from(number)),
        };
        let both = u128::from(one) << 64 | u128::from(two);
        let number = XxHash3_64::oneshot_with_seed(seed, &both.to_be_bytes());
        match entity {
            EntityKind::Person => number & !COMPANY,
            EntityKind::Company => number | COMPANY,
        }
    }

    /// Returns a number for the value: equal ones of a kind of key have equal numbers, and others have others.
    fn number(self) -> u64 {
        let (high, low) = match self {
            Self::Text(text) => (text.number(), 0),
            Self::Both(one, two) => (one.max(two).number(), one.min(two).number()),
            Self::Numbered(text, number) => (text.number(), number),
            Self::Number(number) => (0, number),
        };
        u64::from(high) << 32 | u64::from(low)
    }
}

/// Returns the text that is all of a key's value.
pub(super) fn text_of(value: u64) -> Symbol {
    Symbol::of_number(u32::try_from(value >> 32).unwrap_or_default())
}

/// The records under the values of one kind of key. A record is named by its index.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    entries: Vec<(u64, u32)>,
}

impl Blocks {
    /// Puts a record under a value.
    pub(super) fn put(&mut self, value: KeyValue, index: u32) {
        self.entries.push((value.number(), index));
    }

    /// Puts so many records under their values in the place of those that are there, and brings those of each value together.
    /// `put_keys` tells the values of a record.
    pub(super) fn fill(
        &mut self,
        count: usize,
        put_keys: impl Fn(u32, &mut dyn FnMut(KeyValue)) + Sync,
    ) {
        self.entries.clear();
        let records = (0..count_of(count)).into_par_iter();
        let parts = records.fold(Vec::new, |mut part, index| {
            put_keys(index, &mut |value| part.push((value.number(), index)));
            part
        });
        let parts: Vec<Vec<(u64, u32)>> = parts.collect();
        self.entries.reserve(parts.iter().map(Vec::len).sum());
        parts.into_iter().for_each(|part| self.entries.extend(part));
        self.sort();
    }

    /// Brings the records of each value together, each once. What is put after that is not.
    pub(super) fn sort(&mut self) {
        self.entries.par_sort_unstable();
        self.entries.dedup();
    }

    /// Returns the values that several records share, with these in their order.
    pub(super) fn shared(&self) -> impl Iterator<Item = &[(u64, u32)]> {
        let blocks = self.entries.chunk_by(|one, other| one.0 == other.0);
        blocks.filter(|block| block.len() > 1)
    }

    /// Returns the same for several threads, in no order.
    pub(super) fn par_shared(&self) -> impl ParallelIterator<Item = &[(u64, u32)]> {
        let blocks = self.entries.par_chunk_by(|one, other| one.0 == other.0);
        blocks.filter(|block| block.len() > 1)
    }
}

/// Over this many users of a value the exact number does not matter.
const MANY_USERS: usize = 24;

impl Blocks {
    /// Counts who uses each value that several records share: at least 1, at most 24. `user_of` tells who a record
    /// stands for, `may_be_one` whether two of them can be one.
    pub(super) fn users<U>(
        &self,
        user_of: impl Fn(u32) -> Option<U> + Sync,
        may_be_one: impl Fn(&U, &U) -> bool + Sync,
    ) -> std::vec::IntoIter<(Symbol, u8)> {
        let counts = self.par_shared().filter_map(|block| {
            let mut users: Vec<U> = Vec::new();
            for user in block.iter().filter_map(|(_, index)| user_of(*index)) {
                if !users.iter().any(|known| may_be_one(known, &user)) {
                    users.push(user);
                }
                if users.len() >= MANY_USERS {
                    break;
                }
            }
            let count = u8::try_from(users.len()).unwrap_or(u8::MAX).max(1);
            block.first().map(|(value, _)| (text_of(*value), count))
        });
        let counts: Vec<(Symbol, u8)> = counts.collect();
        counts.into_iter()
    }
}

/// Two records and the first kind of key in which they met, in one number: by it pairs are in the order of the
/// smaller index, then of the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pair(u64);

/// How many bits an index has: more records than that are not compared.
const INDEX_BITS: u32 = 28;

/// How many bits the kind of key has.
const KIND_BITS: u32 = 8;

impl Pair {
    fn new(one: u32, other: u32, kind: u8) -> Self {
        let (left, right) = (u64::from(one.min(other)), u64::from(one.max(other)));
        Self(left << (INDEX_BITS + KIND_BITS) | right << KIND_BITS | u64::from(kind))
    }

    fn records(self) -> (u32, u32) {
        let index = |bits: u64| u32::try_from(bits & ((1 << INDEX_BITS) - 1)).unwrap_or_default();
        (
            index(self.0 >> (INDEX_BITS + KIND_BITS)),
            index(self.0 >> KIND_BITS),
        )
    }

    fn kind(self) -> u8 {
        u8::try_from(self.0 & ((1 << KIND_BITS) - 1)).unwrap_or_default()
    }
}

/// The pairs that met.
#[derive(Debug)]
pub(super) struct Pairs {
    pairs: Vec<Pair>,
    /// The kinds of keys, in the order in which they were met.
    kinds: Vec<KeyKind>,
    cap: usize,
    window: usize,
    /// Blocks over the cap.
    pub(super) capped: usize,
}

/// Over this many records a weak key says nothing.
const WEAK_CAP: usize = 24;

impl Pairs {
    /// Starts without pairs. Where more than `cap` records share a value and a name, only the next `window` neighbours meet.
    pub(super) fn new(cap: usize, window: usize) -> Self {
        Self {
            pairs: Vec::new(),
            kinds: Vec::new(),
            cap,
            window,
            capped: 0,
        }
    }

    /// Lets the records of each block meet: all of them, up to the cap. Where more share a value, those meet that share
    /// one of two `names` as well; where more share a name, its bearers are too many to look at.
    pub(super) fn meet(
        &mut self,
        kind: KeyKind,
        blocks: &Blocks,
        names: impl Fn(u32) -> [Symbol; 2] + Sync,
    ) {
        let meeting = Meeting {
            kind,
            number: u8::try_from(self.kinds.len()).unwrap_or(u8::MAX),
            cap: kind.cap(self.cap),
            window: self.window,
        };
        self.kinds.push(kind);
        let parts = blocks.par_shared().fold(Part::default, |mut part, block| {
            meeting.meet(block, &names, &mut part);
            part
        });
        let parts: Vec<Part> = parts.collect();
        self.pairs
            .reserve(parts.iter().map(|part| part.pairs.len()).sum());
        for part in parts {
            self.pairs.extend(part.pairs);
            self.capped += part.capped;
        }
    }

    /// Returns every pair once, the smaller index first, in order.
    pub(super) fn into_sorted(mut self) -> Met {
        self.pairs.par_sort_unstable();
        self.pairs
            .dedup_by(|later, first| later.records() == first.records());
        Met {
            pairs: self.pairs,
            kinds: self.kinds,
        }
    }
}

/// Pairs that met in some blocks.
#[derive(Debug, Default)]
struct Part {
    pairs: Vec<Pair>,
    /// Blocks over the cap.
    capped: usize,
}

/// Who meets under the values of one kind of key.
struct Meeting {
    kind: KeyKind,
    /// The kind's place in the order in which they were met.
    number: u8,
    cap: usize,
    window: usize,
}

impl Meeting {
    fn meet(&self, block: &[(u64, u32)], names: impl Fn(u32) -> [Symbol; 2], part: &mut Part) {
        if block.len() <= self.cap {
            self.neighbours_meet(block, block.len(), part);
            return;
        }
        part.capped += 1;
        if self.kind.is_of_names() {
            return;
        }
        for which in 0..2 {
            let named = block.iter().map(|(_, index)| (names(*index), *index));
            let named = named.filter_map(|(names, index)| Some((*names.get(which)?, index)));
            let mut bearers: Vec<(Symbol, u32)> = named.collect();
            bearers.sort_unstable();
            for bearers in bearers.chunk_by(|one, other| one.0 == other.0) {
                let all = bearers.len() <= self.cap;
                let window = if all { bearers.len() } else { self.window };
                self.neighbours_meet(bearers, window, part);
            }
        }
    }

    /// Lets each record meet so many that follow it.
    fn neighbours_meet<V>(&self, records: &[(V, u32)], window: usize, part: &mut Part) {
        for (at, (_, one)) in records.iter().enumerate() {
            let others = records.iter().skip(at + 1).take(window);
            let pairs = others.map(|(_, other)| Pair::new(*one, *other, self.number));
            part.pairs.extend(pairs);
        }
    }
}

/// How many pairs one thread takes at a time; few in tests, so that several have work.
const PART: usize = if cfg!(test) { 64 } else { 1 << 14 };

/// How many parts a batch has.
const PARTS: usize = 64;

/// The pairs that met, each once.
#[derive(Debug)]
pub(super) struct Met {
    pairs: Vec<Pair>,
    kinds: Vec<KeyKind>,
}

impl Met {
    /// Keeps the pairs that are wanted.
    pub(super) fn retain(&mut self, wanted: impl Fn(u32, u32) -> bool) {
        self.pairs.retain(|pair| {
            let (left, right) = pair.records();
            wanted(left, right)
        });
    }

    /// Returns how many pairs there are.
    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Returns the pairs with the first kind of key in which each met.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32, KeyKind)> {
        self.of(&self.pairs)
    }

    /// Returns the same in batches that follow one another, each in parts for several threads: what comes of a batch is
    /// put away before the next is looked at.
    pub(super) fn batches(
        &self,
    ) -> impl Iterator<
        Item = impl IndexedParallelIterator<Item = impl Iterator<Item = (u32, u32, KeyKind)>>,
    > {
        let batches = self.pairs.chunks(PART * PARTS);
        batches.map(|batch| batch.par_chunks(PART).map(|pairs| self.of(pairs)))
    }

    fn of<'a>(&'a self, pairs: &'a [Pair]) -> impl Iterator<Item = (u32, u32, KeyKind)> + 'a {
        pairs.iter().filter_map(|pair| {
            let (left, right) = pair.records();
            let kind = self.kinds.get(usize::from(pair.kind()))?;
            Some((left, right, *kind))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets the records of one value meet, of whom each has one of these names; returns the pairs and how many blocks were
    /// over the cap.
    fn met(kind: KeyKind, names: &[u32]) -> (Vec<(u32, u32)>, usize) {
        let mut blocks = Blocks::default();
        blocks.fill(names.len(), |_, put| put(KeyValue::Number(7)));
        let mut pairs = Pairs::new(4, 1);
        pairs.meet(kind, &blocks, |index| {
            let name = names.get(super::super::prepared::place(index));
            // Nobody shares the other one.
            [index + 100, name.copied().unwrap_or_default()].map(Symbol::of_number)
        });
        let capped = pairs.capped;
        let met = pairs.into_sorted();
        (
            met.iter().map(|(one, other, _)| (one, other)).collect(),
            capped,
        )
    }

    #[test]
    fn a_key_lets_no_more_meet_than_its_cap_but_those_who_share_a_name_too() {
        let all = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
        assert_eq!(met(KeyKind::Mailbox, &[1, 2, 3, 4]), (all.to_vec(), 0));
        let two_names = [1, 2, 1, 3, 2];
        let same = [(0, 2), (1, 4)];
        assert_eq!(met(KeyKind::Mailbox, &two_names), (same.to_vec(), 1));
        let neighbours = [(0, 1), (1, 2), (2, 3), (3, 4)];
        assert_eq!(met(KeyKind::Mailbox, &[1; 5]), (neighbours.to_vec(), 1));
        assert_eq!(met(KeyKind::FullName, &two_names), (Vec::new(), 1));
    }
}
