//! Blocking: records that share the value of a key meet.

use super::prepared::Symbol;

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
    NameAndPlace,
    NameAndBirthYear,
    Surname,
    CompanyName,
    FirstWord,
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
            Self::NameAndPlace => "name_and_place",
            Self::NameAndBirthYear => "name_and_birth_year",
            Self::Surname => "surname",
            Self::CompanyName => "company_name",
            Self::FirstWord => "first_word",
            Self::Override => "override",
        }
    }

    /// Says whether the key is only worth its pairs where few records share it.
    fn is_weak(self) -> bool {
        matches!(self, Self::Surname | Self::FirstWord | Self::MailboxName)
    }
}

/// Returns the value of a key of two texts, unless one is missing.
pub(super) fn both(one: Symbol, two: Symbol) -> Option<u64> {
    (!one.is_empty() && !two.is_empty()).then(|| value(one, two.number()))
}

/// Returns the value of a key of a text and a number, unless the text is missing.
pub(super) fn numbered(one: Symbol, two: u32) -> Option<u64> {
    (!one.is_empty()).then(|| value(one, two))
}

/// Returns the text that a key's value starts with.
pub(super) fn text_of(value: u64) -> Symbol {
    Symbol::of_number(u32::try_from(value >> 32).unwrap_or_default())
}

fn value(one: Symbol, two: u32) -> u64 {
    u64::from(one.number()) << 32 | u64::from(two)
}

/// The records under the values of one kind of key. A record is named by its index.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    entries: Vec<(u64, u32)>,
}

impl Blocks {
    /// Puts a record under a value.
    pub(super) fn put(&mut self, value: Option<u64>, index: u32) {
        self.entries.extend(value.map(|value| (value, index)));
    }

    /// Takes all records out.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Brings the records of each value together, each once. What is put after that is not.
    pub(super) fn sort(&mut self) {
        self.entries.sort_unstable();
        self.entries.dedup();
    }

    /// Returns the values that several records share, with these in their order.
    pub(super) fn shared(&self) -> impl Iterator<Item = &[(u64, u32)]> {
        let blocks = self.entries.chunk_by(|one, other| one.0 == other.0);
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
        user_of: impl Fn(u32) -> Option<U>,
        may_be_one: impl Fn(&U, &U) -> bool,
    ) -> std::vec::IntoIter<(Symbol, u8)> {
        let mut counts = Vec::new();
        let mut users: Vec<U> = Vec::new();
        for block in self.shared() {
            users.clear();
            for user in block.iter().filter_map(|(_, index)| user_of(*index)) {
                if !users.iter().any(|known| may_be_one(known, &user)) {
                    users.push(user);
                }
                if users.len() >= MANY_USERS {
                    break;
                }
            }
            let count = u8::try_from(users.len()).unwrap_or(u8::MAX).max(1);
            counts.extend(block.first().map(|(value, _)| (text_of(*value), count)));
        }
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
    /// Starts without pairs. In a block of more than `cap` records only the next `window` neighbours meet.
    pub(super) fn new(cap: usize, window: usize) -> Self {
        Self {
            pairs: Vec::new(),
            kinds: Vec::new(),
            cap,
            window,
            capped: 0,
        }
    }

    /// Lets the records of each block meet: all of them, or the neighbours in the order of `names` where there
    /// are more than the cap.
    pub(super) fn meet<N: Ord>(
        &mut self,
        kind: KeyKind,
        blocks: &Blocks,
        names: impl Fn(u32) -> [N; 2],
    ) {
        let number = u8::try_from(self.kinds.len()).unwrap_or(u8::MAX);
        self.kinds.push(kind);
        for block in blocks.shared() {
            if kind.is_weak() && block.len() > WEAK_CAP {
                continue;
            }
            if block.len() <= self.cap {
                for (at, (_, one)) in block.iter().enumerate() {
                    let others = block.get(at + 1..).unwrap_or_default().iter();
                    self.pairs
                        .extend(others.map(|(_, other)| Pair::new(*one, *other, number)));
                }
                continue;
            }
            // Once by surname and once by given name, so that an error in one does not part the neighbours.
            for turn in 0..2 {
                let mut sorted: Vec<([N; 2], u32)> = block
                    .iter()
                    .map(|(_, index)| {
                        let [one, two] = names(*index);
                        (if turn == 0 { [one, two] } else { [two, one] }, *index)
                    })
                    .collect();
                sorted.sort_unstable();
                for (at, (_, one)) in sorted.iter().enumerate() {
                    let others = sorted.iter().skip(at + 1).take(self.window);
                    self.pairs
                        .extend(others.map(|(_, other)| Pair::new(*one, *other, number)));
                }
            }
            self.capped += 1;
        }
    }

    /// Returns every pair once, the smaller index first, in order.
    pub(super) fn into_sorted(mut self) -> Met {
        self.pairs.sort_unstable();
        self.pairs
            .dedup_by(|later, first| later.records() == first.records());
        Met {
            pairs: self.pairs,
            kinds: self.kinds,
        }
    }
}

/// The pairs that met, each once.
#[derive(Debug)]
pub(super) struct Met {
    pairs: Vec<Pair>,
    kinds: Vec<KeyKind>,
}

impl Met {
    /// Returns how many pairs there are.
    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Returns the pairs with the first kind of key in which each met.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32, KeyKind)> {
        self.pairs.iter().filter_map(|pair| {
            let (left, right) = pair.records();
            let kind = self.kinds.get(usize::from(pair.kind()))?;
            Some((left, right, *kind))
        })
    }
}
