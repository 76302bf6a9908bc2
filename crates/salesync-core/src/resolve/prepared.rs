//! Records in their one spelling, every text a number, in as little room as they take.

use hashbrown::HashSet;
use rayon::slice::ParallelSliceMut;

use super::identity::{EntityKind, RecordRef};
use super::records::RecordIds;
use super::sketch::Sketch;
use crate::normalise::email::EmailClass;
use crate::normalise::name::Nickname;
pub(super) use crate::texts::{PerText, Symbol, Texts};

/// Where a person's name is from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum NameOrigin {
    /// There is none.
    #[default]
    None,
    /// The record's name fields.
    Fields,
    /// The record's name fields, as a caller id that may be cut off.
    CallerId,
    /// The local part of a mailbox.
    Mailbox,
}

/// A person's name.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Name {
    pub(super) first: Symbol,
    pub(super) middle: Symbol,
    pub(super) last: Symbol,
    pub(super) generation: u8,
    pub(super) origin: NameOrigin,
    /// The short forms of the given name, and of the surname in case they are swapped.
    pub(super) first_forms: Nickname,
    pub(super) last_forms: Nickname,
    pub(super) first_sketch: Sketch,
    pub(super) last_sketch: Sketch,
}

impl Name {
    /// Says whether the record names a person at all.
    pub(super) fn is_given(&self) -> bool {
        matches!(self.origin, NameOrigin::Fields | NameOrigin::CallerId)
    }

    /// Says whether it has a given name and a surname, both from the record's name fields.
    pub(super) fn is_whole(&self) -> bool {
        self.is_given() && !self.first.is_empty() && !self.last.is_empty()
    }
}

/// A mailbox that one person reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub(super) address: Symbol,
    /// The registrable domain.
    pub(super) domain: Symbol,
    /// A number made of what stands before the `@`.
    pub(super) local: u32,
    /// How long that is.
    pub(super) local_len: u8,
    pub(super) class: EmailClass,
}

/// A place.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) number: Symbol,
    pub(super) street: Symbol,
    /// What stands in a line beside that of the street.
    pub(super) building: Symbol,
    pub(super) postal_code: Symbol,
    pub(super) city: Symbol,
    /// Two letters; zeros where it is not known.
    pub(super) country: [u8; 2],
}

/// How a person's whole name would read as that of a company.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Label {
    /// The name without spaces and legal form; empty where the record has no whole name.
    pub(super) compact: Symbol,
    pub(super) has_legal_form: bool,
    /// Whether it has no small letter, as a caller id shows names.
    pub(super) in_capitals: bool,
}

/// A run of values in a list that many records share.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// Puts values at the end of a list.
    pub(super) fn push<T>(list: &mut Vec<T>, values: impl IntoIterator<Item = T>) -> Self {
        let start = list.len();
        list.extend(values);
        Self {
            start: number(start),
            len: number(list.len() - start),
        }
    }

    /// Returns the same run in a list that has so many values before those of its own.
    pub(super) fn moved(self, by: u32) -> Self {
        Self {
            start: self.start.saturating_add(by),
            ..self
        }
    }

    /// Returns the values.
    pub(super) fn of<T>(self, list: &[T]) -> &[T] {
        let start = place(self.start);
        list.get(start..start + place(self.len)).unwrap_or_default()
    }
}

/// Returns a place in a list as a number.
pub(super) fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// Returns a number as a place in a list.
pub(super) fn place(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A record's place among all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rank {
    /// The places of a person's surname and given name in the order of letters.
    pub(super) letters: [u32; 2],
    /// A number made of kind, source, stream and id: by it records are in one order, however they came.
    pub(super) order: u64,
    /// The how many-eth record it was to come.
    pub(super) arrival: u32,
}

impl Rank {
    /// Returns that by which records are in order.
    fn key(&self) -> ([u32; 2], u64) {
        (self.letters, self.order)
    }
}

/// One record about a person, as it is kept.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PersonRow {
    pub(super) rank: Rank,
    pub(super) name: Name,
    pub(super) label: Label,
    pub(super) mailboxes: Span,
    pub(super) role_mailboxes: Span,
    pub(super) phones: Span,
    pub(super) organisations: Span,
    pub(super) company: Symbol,
    pub(super) site: Symbol,
    pub(super) place: Place,
    pub(super) birth: Symbol,
    pub(super) employer: Symbol,
}

/// One record about a person.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person<'a> {
    pub(super) name: Name,
    pub(super) mailboxes: &'a [Mailbox],
    /// Mailboxes of functions.
    pub(super) role_mailboxes: &'a [Symbol],
    /// National numbers.
    pub(super) phones: &'a [Symbol],
    /// The organisations it belongs to, filled in by `organisation`.
    pub(super) organisations: &'a [Symbol],
    /// The employer's name without spaces and legal form.
    pub(super) company: Symbol,
    /// The employer's domain, from the web site field.
    pub(super) site: Symbol,
    pub(super) place: Place,
    pub(super) birth: Symbol,
    /// The record of the employer, as [`Prepared::link`] writes it.
    pub(super) employer: Symbol,
}

/// One record about a company, as it is kept.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CompanyRow {
    pub(super) rank: Rank,
    pub(super) names: Span,
    pub(super) first_words: Span,
    pub(super) compact_names: Span,
    pub(super) names_at: Span,
    pub(super) legal_forms: Span,
    pub(super) domains: Span,
    pub(super) domain_cores: Span,
    /// The domain that people lend it who share its phone, and the domain's core; empty where they lend none.
    pub(super) lent: [Symbol; 2],
    pub(super) phones: Span,
    pub(super) place: Place,
}

impl CompanyRow {
    /// Returns all its lists.
    pub(super) fn spans_mut(&mut self) -> [&mut Span; 8] {
        [
            &mut self.names,
            &mut self.first_words,
            &mut self.compact_names,
            &mut self.names_at,
            &mut self.legal_forms,
            &mut self.domains,
            &mut self.domain_cores,
            &mut self.phones,
        ]
    }
}

/// One record about a company.
#[derive(Debug, Clone, Copy)]
pub(super) struct Company<'a> {
    /// Names without legal form, as words.
    pub(super) names: &'a [Symbol],
    /// The names' first words, in the same order.
    pub(super) first_words: &'a [Symbol],
    /// The same names without spaces, in the same order.
    pub(super) compact_names: &'a [Symbol],
    /// Each of the names in the city, then in the zone of calling, two for each name; empty where these are not known.
    pub(super) names_at: &'a [Symbol],
    /// The names' legal forms, in the same order; empty where a name has none.
    pub(super) legal_forms: &'a [Symbol],
    /// Domains of its own.
    pub(super) domains: &'a [Symbol],
    /// The domains' cores, in the same order.
    pub(super) domain_cores: &'a [Symbol],
    /// The domain that people lend it who share its phone, and the domain's core; empty where they lend none.
    pub(super) lent: [Symbol; 2],
    pub(super) phones: &'a [Symbol],
    pub(super) place: Place,
}

/// Whose a record is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) source: Symbol,
    pub(super) stream: Symbol,
    /// Where its id ends in the list of ids.
    pub(super) id_end: usize,
}

/// Of two versions of a record, the greater counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub(super) changed_at: i64,
    /// A number made of all that it says.
    pub(super) digest: u64,
}

/// Everything that is compared.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub(super) texts: Texts,
    pub(super) people: Vec<PersonRow>,
    pub(super) companies: Vec<CompanyRow>,
    pub(super) mailboxes: Vec<Mailbox>,
    pub(super) symbols: Vec<Symbol>,
    pub(super) organisations: Vec<Symbol>,
    /// By arrival.
    pub(super) sources: Vec<Source>,
    /// By arrival, until of each record the newest version is chosen.
    pub(super) versions: Vec<Version>,
    pub(super) ids: String,
    /// The people, by arrival, whose name was no person's.
    pub(super) unnamed: Vec<u32>,
    /// The people, by arrival, whose mailbox spells a name, with that.
    pub(super) spelt: Vec<(u32, [Symbol; 2])>,
}

impl Prepared {
    /// Returns a person's record.
    pub(super) fn person(&self, index: usize) -> Option<Person<'_>> {
        let row = self.people.get(index)?;
        Some(self.person_of(row))
    }

    /// Returns the records about people in their order.
    pub(super) fn people(&self) -> impl Iterator<Item = Person<'_>> + Clone {
        self.people.iter().map(|row| self.person_of(row))
    }

    pub(super) fn person_of(&self, row: &PersonRow) -> Person<'_> {
        Person {
            name: row.name,
            mailboxes: row.mailboxes.of(&self.mailboxes),
            role_mailboxes: row.role_mailboxes.of(&self.symbols),
            phones: row.phones.of(&self.symbols),
            organisations: row.organisations.of(&self.organisations),
            company: row.company,
            site: row.site,
            place: row.place,
            birth: row.birth,
            employer: row.employer,
        }
    }

    /// Returns what stands before the `@` of a mailbox.
    pub(super) fn local(&self, mailbox: &Mailbox) -> &str {
        let address = self.texts.text(mailbox.address);
        address
            .get(..usize::from(mailbox.local_len))
            .unwrap_or_default()
    }

    /// Returns a company's record.
    pub(super) fn company(&self, index: usize) -> Option<Company<'_>> {
        let row = self.companies.get(index)?;
        Some(self.company_of(row))
    }

    /// Returns the records about companies in their order.
    pub(super) fn companies(&self) -> impl Iterator<Item = Company<'_>> + Clone {
        self.companies.iter().map(|row| self.company_of(row))
    }

    pub(super) fn company_of(&self, row: &CompanyRow) -> Company<'_> {
        Company {
            names: row.names.of(&self.symbols),
            first_words: row.first_words.of(&self.symbols),
            compact_names: row.compact_names.of(&self.symbols),
            names_at: row.names_at.of(&self.symbols),
            legal_forms: row.legal_forms.of(&self.symbols),
            domains: row.domains.of(&self.symbols),
            domain_cores: row.domain_cores.of(&self.symbols),
            lent: row.lent,
            phones: row.phones.of(&self.symbols),
            place: row.place,
        }
    }

    /// Returns the how many-eth record a person or company was to come.
    pub(super) fn arrival(&self, kind: EntityKind, index: usize) -> Option<u32> {
        match kind {
            EntityKind::Person => self.people.get(index).map(|row| row.rank.arrival),
            EntityKind::Company => self.companies.get(index).map(|row| row.rank.arrival),
        }
    }

    /// Returns the source, stream and id of the record that came as the how many-eth.
    pub(super) fn named(&self, arrival: u32) -> Option<[&str; 3]> {
        let at = place(arrival);
        let found = self.sources.get(at)?;
        let before = at.checked_sub(1).and_then(|at| self.sources.get(at));
        let id = self
            .ids
            .get(before.map_or(0, |before| before.id_end)..found.id_end)?;
        Some([
            self.texts.text(found.source),
            self.texts.text(found.stream),
            id,
        ])
    }

    /// Returns the record behind a person or company.
    pub(super) fn record(&self, kind: EntityKind, index: usize) -> Option<RecordRef> {
        let [source, stream, id] = self.named(self.arrival(kind, index)?)?;
        Some(RecordRef::new(source, stream, id))
    }

    /// Returns the records' ids, by arrival.
    pub(super) fn into_ids(self) -> RecordIds {
        RecordIds {
            ids: self.ids,
            ends: self.sources.iter().map(|source| source.id_end).collect(),
        }
    }

    /// Writes a record as people's links to their employers are kept.
    pub(super) fn link([source, stream, id]: [&str; 3]) -> String {
        format!("{source}\u{1f}{stream}\u{1f}{id}")
    }

    /// Reads a record that is written as a link; nothing where the text is none.
    pub(super) fn linked(link: &str) -> Option<[&str; 3]> {
        let (source, rest) = link.split_once('\u{1f}')?;
        let (stream, id) = rest.split_once('\u{1f}')?;
        Some([source, stream, id])
    }

    /// Keeps of the records that name the same one the newest, whatever their order.
    ///
    /// Returns for each record that was left out the one that was kept, by arrival.
    pub(super) fn keep_newest(&mut self) -> Vec<(u32, u32)> {
        let people = self.people.iter().map(|row| row.rank);
        let mut left_out = self.older(people.collect());
        let companies = self.companies.iter().map(|row| row.rank);
        left_out.extend(self.older(companies.collect()));
        self.versions = Vec::new();
        if !left_out.is_empty() {
            let older: HashSet<u32> = left_out.iter().map(|(older, _)| *older).collect();
            self.people.retain(|row| !older.contains(&row.rank.arrival));
            self.companies
                .retain(|row| !older.contains(&row.rank.arrival));
        }
        left_out
    }

    /// Returns those of some records of a kind of which there is a newer version, with the newest.
    fn older(&self, mut ranks: Vec<Rank>) -> Vec<(u32, u32)> {
        let version = |rank: &Rank| std::cmp::Reverse(self.versions.get(place(rank.arrival)));
        ranks.sort_unstable_by_key(|rank| rank.order);
        let mut older = Vec::new();
        for same in ranks.chunk_by_mut(|one, other| one.order == other.order) {
            if same.len() < 2 {
                continue;
            }
            same.sort_unstable_by(|one, other| {
                let named = self.named(one.arrival).cmp(&self.named(other.arrival));
                named.then_with(|| version(one).cmp(&version(other)))
            });
            for versions in same.chunk_by(|a, b| self.named(a.arrival) == self.named(b.arrival)) {
                if let Some((newest, rest)) = versions.split_first() {
                    older.extend(rest.iter().map(|old| (old.arrival, newest.arrival)));
                }
            }
        }
        older
    }

    /// Puts the records in their one order, people by name, so that those which are compared lie together.
    pub(super) fn sort(&mut self) {
        let names = self.people.iter();
        let names = names.flat_map(|row| [row.name.last, row.name.first]);
        let alphabet = alphabet(&self.texts, names);
        for row in &mut self.people {
            row.rank.letters = [row.name.last, row.name.first].map(|part| alphabet.get(part));
        }
        self.people.par_sort_unstable_by_key(|row| row.rank.key());
        self.companies
            .par_sort_unstable_by_key(|row| row.rank.key());
        let (mailboxes, symbols) = (
            std::mem::take(&mut self.mailboxes),
            std::mem::take(&mut self.symbols),
        );
        self.mailboxes.reserve_exact(mailboxes.len());
        self.symbols.reserve_exact(symbols.len());
        for row in &mut self.people {
            let list = row.mailboxes.of(&mailboxes).iter().copied();
            row.mailboxes = Span::push(&mut self.mailboxes, list);
            for span in [&mut row.role_mailboxes, &mut row.phones] {
                let list = span.of(&symbols).iter().copied();
                *span = Span::push(&mut self.symbols, list);
            }
        }
        for row in &mut self.companies {
            for span in row.spans_mut() {
                let list = span.of(&symbols).iter().copied();
                *span = Span::push(&mut self.symbols, list);
            }
        }
    }
}

/// Returns the places of some texts in the order of letters, from 1.
fn alphabet(texts: &Texts, symbols: impl Iterator<Item = Symbol>) -> PerText<u32> {
    let mut places = PerText::of(texts);
    let mut sorted: Vec<(&str, Symbol)> = Vec::new();
    for symbol in symbols {
        if places.get(symbol) == 0 {
            places.set(symbol, 1);
            sorted.push((texts.text(symbol), symbol));
        }
    }
    sorted.par_sort_unstable();
    for (number, (_, symbol)) in (1..).zip(sorted) {
        places.set(symbol, number);
    }
    places
}
