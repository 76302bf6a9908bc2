//! Blocking: records that share the value of a key meet.

use super::prepared::Symbol;

/// A value under which records meet. Keys are tried in the order of their kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) kind: KeyKind,
    pub(super) one: u32,
    pub(super) two: u32,
}

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
        }
    }

    /// Says whether the key is only worth its pairs where few records share it.
    fn is_weak(self) -> bool {
        matches!(self, Self::Surname | Self::FirstWord | Self::MailboxName)
    }
}

/// Records by key. A record is named by its index.
#[derive(Debug, Default)]
pub(super) struct Keys {
    entries: Vec<(Key, usize)>,
}

impl Keys {
    /// Puts a record under a key, unless a part of the key is missing.
    pub(super) fn put(&mut self, kind: KeyKind, values: (Symbol, Symbol), index: usize) {
        if !values.0.is_empty() && !values.1.is_empty() {
            self.entries.push((
                Key {
                    kind,
                    one: values.0.number(),
                    two: values.1.number(),
                },
                index,
            ));
        }
    }

    /// Puts a record under a key with a number for its second part.
    pub(super) fn put_numbered(
        &mut self,
        kind: KeyKind,
        (value, number): (Symbol, u32),
        index: usize,
    ) {
        if !value.is_empty() {
            self.entries.push((
                Key {
                    kind,
                    one: value.number(),
                    two: number,
                },
                index,
            ));
        }
    }

    /// Puts a record under a key that is a number.
    pub(super) fn put_number(&mut self, kind: KeyKind, number: u32, index: usize) {
        self.entries.push((
            Key {
                kind,
                one: number,
                two: 0,
            },
            index,
        ));
    }

    /// Groups the records by key, in the order of keys.
    pub(super) fn into_blocks(mut self) -> Vec<(Key, Vec<usize>)> {
        self.entries.sort_unstable();
        self.entries.dedup();
        let chunks = self.entries.chunk_by(|one, other| one.0 == other.0);
        chunks
            .filter(|chunk| chunk.len() > 1)
            .filter_map(|chunk| {
                Some((
                    chunk.first()?.0,
                    chunk.iter().map(|(_, index)| *index).collect(),
                ))
            })
            .collect()
    }
}

/// The pairs that met, each once with the first key in which it did.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// Smaller index, greater index, key.
    pub(super) pairs: Vec<(usize, usize, KeyKind)>,
    /// Blocks over the cap.
    pub(super) capped: usize,
}

/// Over this many records a weak key says nothing.
const WEAK_CAP: usize = 24;

/// Lets the records of each block meet: all of them, or the neighbours in the order of `sort_key` where there are
/// more than `cap`.
pub(super) fn pairs<S: Ord>(
    blocks: &[(Key, Vec<usize>)],
    (cap, window): (usize, usize),
    sort_key: impl Fn(usize) -> [S; 2],
) -> Pairs {
    let mut met = Pairs::default();
    for (key, members) in blocks {
        let kind = key.kind;
        let mut meet =
            |one: usize, other: usize| met.pairs.push((one.min(other), one.max(other), kind));
        if members.len() <= cap && !(kind.is_weak() && members.len() > WEAK_CAP) {
            for (at, one) in members.iter().enumerate() {
                for other in members.iter().skip(at + 1) {
                    meet(*one, *other);
                }
            }
            continue;
        }
        // Once by surname and once by given name, so that an error in one does not part the neighbours.
        for order in 0..2 {
            let mut sorted = members.clone();
            sorted.sort_by_cached_key(|index| {
                let [one, two] = sort_key(*index);
                (if order == 0 { (one, two) } else { (two, one) }, *index)
            });
            for (at, one) in sorted.iter().enumerate() {
                for other in sorted.iter().skip(at + 1).take(window) {
                    meet(*one, *other);
                }
            }
        }
        met.capped += 1;
    }
    met.pairs.sort_unstable();
    met.pairs
        .dedup_by(|later, first| (later.0, later.1) == (first.0, first.1));
    met
}
