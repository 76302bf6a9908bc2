//! What is counted over all records about people: who uses a mailbox or phone, who bears a name, how names are written.

use rayon::iter::ParallelIterator;

use super::super::compare::{self, CONFLICT, MISSING};
use super::super::frequency::count_of;
use super::super::keys::{self, Blocks};
use super::super::learn::{Agreement, Namesakes};
use super::super::lessons::{Forms, Households, Moves, PairLesson, PersonLevels};
use super::super::model::PeopleWeights;
use super::super::prepared::{Name, PersonRow, Symbol, place};
use super::scale::Scale;

/// How many users a phone has at least that a company's record carries.
pub(in super::super) const SWITCHBOARD_USERS: u8 = 5;

/// How many records of one name each is held against to learn from them.
pub(in super::super) const NEIGHBOURS: usize = 4;

/// How many pairs are looked at to learn from them.
const LEARNT_FROM: usize = 400_000;

/// With which of the records of a key the first is compared.
#[derive(Debug, Clone, Copy)]
enum Other {
    Next,
    Last,
}

impl Scale<'_> {
    /// Counts the people on every mailbox or phone: names that contradict each other are several.
    pub(in super::super) fn count_users(&mut self, blocks: &Blocks) {
        let people = self.prepared.people.as_slice();
        let named = |index| people.get(place(index)).map(|row| row.name);
        let counts = blocks.users(
            |index| named(index).filter(Name::is_given),
            |one, other| {
                !compare::names(self.texts, self.unlearnt_names(), one, other).contradicts()
            },
        );
        counts.for_each(|(text, count)| self.users.set(text, count));
    }

    /// Takes the phones on companies' records for those of many.
    pub(super) fn mark_switchboards(&mut self) {
        for phone in self.prepared.companies().flat_map(|company| company.phones) {
            self.mark_switchboard(*phone);
        }
    }

    /// Takes a phone for one of many.
    pub(in super::super) fn mark_switchboard(&mut self, phone: Symbol) {
        let users = self.users.get(phone).max(SWITCHBOARD_USERS);
        self.users.set(phone, users);
    }

    /// Learns from records with one mailbox, which one person uses, in how many forms a name is written.
    pub(super) fn learn_forms(&mut self, blocks: &Blocks) {
        let used_by_one = |value: u64| self.users.get(keys::text_of(value)) == 1;
        self.known.weights = self.taught::<Forms>(blocks, Other::Next, used_by_one);
    }

    /// Learns from records with one house what it says to share one, and from those of one person there how far dates of
    /// birth are apart.
    pub(super) fn learn_households(&mut self, blocks: &Blocks) {
        // In the order of names, the first and the last are the least alike.
        self.known.weights = self.taught::<Households>(blocks, Other::Last, |_| true);
    }

    /// Learns from records with one date of birth how often addresses of one person differ.
    pub(super) fn learn_moves(&mut self, blocks: &Blocks) {
        self.known.weights = self.taught::<Moves>(blocks, Other::Next, |_| true);
    }

    /// Returns the weights with what two records of each wanted value teach.
    fn taught<L: PairLesson>(
        &self,
        blocks: &Blocks,
        other: Other,
        is_wanted: impl Fn(u64) -> bool + Sync,
    ) -> PeopleWeights {
        let wanted = blocks
            .par_shared()
            .filter(|block| block.first().is_some_and(|(value, _)| is_wanted(*value)));
        let found = wanted.filter_map(|block| self.levels_in(block, other));
        let lesson = found.fold(L::default, |mut lesson, levels| {
            lesson.count(levels, 1.0);
            lesson
        });
        lesson.reduce(L::default, L::and).teach(&self.known.weights)
    }

    /// Returns the levels of the first of some records with whole names and of another.
    fn levels_in(&self, block: &[(u64, u32)], other: Other) -> Option<PersonLevels<'static>> {
        let people = self.prepared.people.as_slice();
        let rows = block
            .iter()
            .filter_map(|(_, index)| people.get(place(*index)));
        let mut whole = rows.filter(|row| row.name.is_whole());
        let first = whole.next()?;
        let other = match other {
            Other::Next => whole.next(),
            Other::Last => whole.next_back(),
        };
        Some(self.levels_of(first, other?))
    }

    /// Returns the levels of two records.
    fn levels_of(&self, one: &PersonRow, other: &PersonRow) -> PersonLevels<'static> {
        let names = compare::names(self.texts, self.names(), &one.name, &other.name);
        let address = self.address(&one.place, &other.place);
        let birth = self.birth(one.birth, other.birth);
        let [first, last] = [names.first.level, names.last.level];
        // Father and son may bear one name.
        let last = if names.contradicts() && first != CONFLICT {
            CONFLICT
        } else {
            last
        };
        [first, last, address.level, birth.level]
    }

    /// Returns the same by their places.
    pub(in super::super) fn levels(&self, left: u32, right: u32) -> Option<PersonLevels<'static>> {
        let people = self.prepared.people.as_slice();
        let (one, other) = (people.get(place(left))?, people.get(place(right))?);
        Some(self.levels_of(one, other))
    }

    /// Learns from records that bear one name what evidence is worth.
    pub(super) fn learn(&mut self, blocks: &Blocks) {
        for block in blocks.shared() {
            let size = u16::try_from(block.len()).unwrap_or(u16::MAX);
            for (_, index) in block {
                if let Some(bearers) = self.bearers.get_mut(place(*index)) {
                    *bearers = size;
                }
            }
        }
        let mut namesakes = Namesakes::new();
        let records: usize = blocks.shared().map(<[_]>::len).sum();
        let step = step(records);
        let people = self.prepared.people.as_slice();
        let order = |index: u32| people.get(place(index)).map(|row| row.rank.order);
        // The first record tells which names are looked at, whatever the order in which they came.
        let looked_at = blocks.par_shared().filter(|block| {
            let first = block.first().and_then(|(_, first)| order(*first));
            first.is_some_and(|first| first % step == 0)
        });
        let found = looked_at.flat_map_iter(|block| self.agreements_in(block));
        for (bucket, agreements, weight) in found.collect::<Vec<_>>() {
            namesakes.count(bucket, agreements, weight);
        }
        self.known.weights = namesakes.teach(self.known.prior, &self.known.weights);
    }

    /// Returns what agrees beside the whole name of records that bear it: the bucket, the agreements, and as one of how
    /// many pairs that stand for how many each counts.
    fn agreements_in<'a>(
        &'a self,
        block: &'a [(u64, u32)],
    ) -> impl Iterator<Item = (usize, [Agreement; 3], (u64, u64))> + 'a {
        // The order of records within a name is none: neighbours stand for all pairs.
        let near = |at: usize| {
            let rest = block.get(at + 1..).unwrap_or_default();
            rest.iter().take(NEIGHBOURS)
        };
        let looked_at: usize = (0..block.len()).map(|at| near(at).len()).sum();
        let all = block.len() * (block.len() - 1) / 2;
        let weight = (u64::from(count_of(looked_at)), u64::from(count_of(all)));
        let ones = block.iter().enumerate();
        let pairs = ones.flat_map(move |(at, one)| near(at).map(|other| (one.1, other.1)));
        pairs.filter_map(move |(one, other)| {
            let (bucket, agreements) = self.agreements(one, other)?;
            Some((bucket, agreements, weight))
        })
    }

    /// Returns the bucket of the whole name that two records bear, with what agrees beside it; nothing where the names
    /// differ after all.
    pub(in super::super) fn agreements(
        &self,
        left: u32,
        right: u32,
    ) -> Option<(usize, [Agreement; 3])> {
        let prepared = self.prepared;
        let (one, other) = (
            prepared.person(place(left))?,
            prepared.person(place(right))?,
        );
        let (name, same) = (&one.name, &other.name);
        let is_whole = name.is_whole() && same.is_whole();
        if !is_whole || (name.first, name.last) != (same.first, same.last) {
            return None;
        }
        let (mailbox, phone) = self.contacts(&one, &other);
        let fields = [mailbox, phone, self.organisation(&one, &other)];
        Some((
            self.bucket(left, name),
            fields.map(|field| match field.level {
                MISSING => Agreement::Missing,
                "shared" | "role" | "equal" | "second" => Agreement::Same,
                "domain_typo" | "same_local" | "local_typo" | "garbled" | "near" => Agreement::Near,
                _ => Agreement::Different,
            }),
        ))
    }
}

/// Returns the step in which names are looked at where so many records share one with others.
pub(in super::super) fn step(records: usize) -> u64 {
    u64::from(count_of((records * NEIGHBOURS).div_ceil(LEARNT_FROM))).max(1)
}
