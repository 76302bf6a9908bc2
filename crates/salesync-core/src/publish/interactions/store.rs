//! Interactions while they are gathered: some 200 bytes for each, some 30 for each that took part, some 50 for each row of
//! which several can tell of the same, and each address and name once.

use std::collections::HashMap;
use std::mem;

use sha2::{Digest, Sha256};
use ulid::Ulid;

use super::register::{At, Register, Who};
use crate::interaction::{Direction, InteractionKind, Role};
use crate::texts::{Symbol, Texts};

/// An unknown time.
pub(super) const NEVER: i64 = i64::MAX;
/// Characters of a subject that are kept.
const SUBJECT_CHARS: usize = 1_000;

/// What makes an interaction that interaction: the same from run to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct InteractionId(u128);

impl InteractionId {
    /// Derives the id from what names the interaction.
    pub(super) fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let digest = hash.finalize();
        let number = digest
            .iter()
            .take(16)
            .fold(0u128, |number, byte| (number << 8) | u128::from(*byte));
        Self(number)
    }

    /// Returns the id as tables have it.
    pub(super) fn text(self) -> String {
        format!("int_{}", Ulid(self.0))
    }

    /// Reads an id as tables have it; `None` where it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let ulid = Ulid::from_string(text.strip_prefix("int_")?).ok()?;
        Some(Self(ulid.0))
    }
}

/// A row's key, its thread and its subject, in one text.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Words {
    text: Box<str>,
    key_length: usize,
    thread_length: usize,
}

impl Words {
    pub(super) fn new(key: &str, thread: &str, subject: &str) -> Self {
        let subject = subject
            .char_indices()
            .nth(SUBJECT_CHARS)
            .and_then(|(end, _)| subject.get(..end))
            .unwrap_or(subject);
        Self {
            text: [key, thread, subject].concat().into(),
            key_length: key.len(),
            thread_length: thread.len(),
        }
    }

    /// Returns key, thread and subject; what is not there is empty.
    pub(super) fn split(&self) -> [&str; 3] {
        let (key, rest) = self
            .text
            .split_at_checked(self.key_length)
            .unwrap_or_default();
        let (thread, subject) = rest
            .split_at_checked(self.thread_length)
            .unwrap_or_default();
        [key, thread, subject]
    }
}

/// One interaction, as the rows that tell of it say.
#[derive(Debug)]
pub(super) struct Interaction {
    pub(super) id: InteractionId,
    pub(super) kind: InteractionKind,
    pub(super) direction: Option<Direction>,
    /// Which declared stream the row that speaks is of.
    pub(super) told_by: u16,
    /// Whether that row speaks before others: the less, the sooner.
    pub(super) rank: u8,
    /// When it happened by the row that speaks.
    pub(super) spoken_at: i64,
    /// When it happened by the earliest row.
    pub(super) happened_at: i64,
    pub(super) duration_ms: Option<i64>,
    pub(super) part: Symbol,
    pub(super) our_user: Symbol,
    pub(super) record_count: u32,
    pub(super) words: Words,
}

impl Interaction {
    /// Takes in what another row says of the same interaction.
    fn merge(&mut self, mut other: Self, parts: &Texts) {
        let order = |it: &Self| (it.rank, it.spoken_at, it.told_by);
        let tie = |it: &Self| {
            (
                parts.text(it.part).to_owned(),
                it.words.split().map(str::to_owned),
            )
        };
        let other_speaks = order(&other)
            .cmp(&order(self))
            .then_with(|| tie(&other).cmp(&tie(self)))
            .is_lt();
        if other_speaks {
            mem::swap(self, &mut other);
        }
        self.direction = self.direction.or(other.direction);
        self.happened_at = self.happened_at.min(other.happened_at);
        self.duration_ms = self.duration_ms.or(other.duration_ms);
        if self.our_user.is_empty() {
            self.our_user = other.our_user;
        }
        let ([key, thread, subject], [_, other_thread, other_subject]) =
            (self.words.split(), other.words.split());
        if (thread.is_empty() && !other_thread.is_empty())
            || (subject.is_empty() && !other_subject.is_empty())
        {
            let filled = |own, other| if str::is_empty(own) { other } else { own };
            self.words = Words::new(
                key,
                filled(thread, other_thread),
                filled(subject, other_subject),
            );
        }
        self.record_count = self.record_count.saturating_add(other.record_count);
    }
}

/// Somebody who took part in an interaction, or whom it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Party {
    /// Which interaction.
    pub(super) interaction: u32,
    pub(super) role: Role,
    /// The place among those of the same role.
    pub(super) place: u16,
    pub(super) address: Symbol,
    pub(super) phone: Symbol,
    pub(super) name: Symbol,
    /// Who it is by a record.
    pub(super) person: Option<At>,
    pub(super) company: Option<At>,
}

/// A row that tells of an interaction of which others can tell too.
#[derive(Debug)]
pub(super) struct Teller {
    /// Which interaction.
    pub(super) interaction: u32,
    /// Which declared stream the row is of.
    pub(super) told_by: u16,
    pub(super) part: Symbol,
    pub(super) id: Box<str>,
}

/// Addresses or numbers, each once, with whose they are.
#[derive(Debug, Default)]
pub(super) struct Contacts {
    texts: Texts,
    known: Vec<Who>,
}

impl Contacts {
    fn intern(&mut self, text: &str, who: Who) -> Symbol {
        let symbol = self.texts.intern(text);
        if usize::try_from(symbol.number()).is_ok_and(|number| number > self.known.len()) {
            self.known.push(who);
        }
        symbol
    }

    pub(super) fn text(&self, symbol: Symbol) -> &str {
        self.texts.text(symbol)
    }

    pub(super) fn who(&self, symbol: Symbol) -> Who {
        let index = usize::try_from(symbol.number())
            .ok()
            .and_then(|number| number.checked_sub(1));
        let known = index.and_then(|index| self.known.get(index));
        known.copied().unwrap_or_default()
    }
}

/// Everything that was gathered.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) register: Register,
    pub(super) interactions: Vec<Interaction>,
    /// Those of which several rows can tell.
    shared: HashMap<InteractionId, u32>,
    pub(super) parties: Vec<Party>,
    pub(super) tellers: Vec<Teller>,
    /// Addresses as they are written, with their one spelling.
    spellings: HashMap<Box<str>, Symbol>,
    pub(super) addresses: Contacts,
    pub(super) numbers: Contacts,
    /// Names, parts and our users.
    pub(super) texts: Texts,
}

impl Store {
    pub(super) fn new(register: Register) -> Self {
        Self {
            register,
            interactions: Vec::new(),
            shared: HashMap::new(),
            parties: Vec::new(),
            tellers: Vec::new(),
            spellings: HashMap::new(),
            addresses: Contacts::default(),
            numbers: Contacts::default(),
            texts: Texts::default(),
        }
    }

    /// Takes in an interaction of which no other row tells, and returns its number.
    pub(super) fn add(&mut self, interaction: Interaction) -> u32 {
        let number = u32::try_from(self.interactions.len()).unwrap_or(u32::MAX);
        self.interactions.push(interaction);
        number
    }

    /// Takes in what one of several rows says of an interaction, and returns its number.
    pub(super) fn tell(&mut self, interaction: Interaction) -> u32 {
        let known = self.shared.get(&interaction.id).copied();
        let found = known
            .and_then(|number| usize::try_from(number).ok())
            .and_then(|index| self.interactions.get_mut(index));
        match (known, found) {
            (Some(number), Some(found)) => {
                found.merge(interaction, &self.texts);
                number
            }
            _ => {
                let id = interaction.id;
                let number = self.add(interaction);
                self.shared.insert(id, number);
                number
            }
        }
    }

    /// Returns an address in its one spelling.
    pub(super) fn address(&mut self, raw: &str) -> Symbol {
        if let Some(known) = self.spellings.get(raw) {
            return *known;
        }
        let (address, who) = self.register.of_address(raw);
        let symbol = self.addresses.intern(&address, who);
        self.spellings.insert(raw.into(), symbol);
        symbol
    }

    /// Returns a phone number.
    pub(super) fn number(&mut self, raw: &str) -> Symbol {
        if let Some(known) = self.numbers.texts.find(raw) {
            return known;
        }
        let who = self.register.of_number(raw);
        self.numbers.intern(raw, who)
    }

    /// Returns those who took part in an interaction.
    pub(super) fn parties_of(&self, interaction: u32) -> &[Party] {
        let start = self
            .parties
            .partition_point(|it| it.interaction < interaction);
        let own = self.parties.get(start..).unwrap_or_default();
        let end = own.partition_point(|it| it.interaction == interaction);
        own.get(..end).unwrap_or_default()
    }

    /// Puts those who took part in the order in which they are published, and lets go of what was only needed
    /// until here.
    pub(super) fn finish(&mut self) {
        self.shared = HashMap::new();
        self.spellings = HashMap::new();
        let (addresses, numbers, texts) = (&self.addresses, &self.numbers, &self.texts);
        self.parties.sort_by(|a, b| {
            (a.interaction, a.role, a.place)
                .cmp(&(b.interaction, b.role, b.place))
                .then_with(|| addresses.text(a.address).cmp(addresses.text(b.address)))
                .then_with(|| numbers.text(a.phone).cmp(numbers.text(b.phone)))
                .then_with(|| texts.text(b.name).cmp(texts.text(a.name)))
                .then_with(|| (a.person, a.company).cmp(&(b.person, b.company)))
        });
    }
}
