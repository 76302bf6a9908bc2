//! Brings what records say into its one spelling.

mod absorb;
mod companies;

use twox_hash::XxHash3_64;

use super::identity::{EntityKind, Said};
use super::index::numbered_in;
use super::learnt::Learnt;
use super::prepared::{
    Label, Mailbox, Name, NameOrigin, PersonRow, Place, Prepared, Rank, Source, Span, Symbol,
    Texts, Version, number,
};
use super::sketch::Sketch;
use crate::normalise::address;
use crate::normalise::company;
use crate::normalise::domain::{self, DomainClass};
use crate::normalise::email::{self, EmailClass, NormalEmail};
use crate::normalise::name::{self, NameShape, Nickname, NormalName};
use crate::normalise::phone;
use crate::normalise::{country, date, text};
use companies::CompanyName;

/// Takes records in, one after another.
#[derive(Debug, Default)]
pub(super) struct Preparation {
    prepared: Prepared,
    default_country: Option<String>,
    domains: Memo<Option<Domain>>,
    /// Plain words of names; nothing for those that are none.
    words: Memo<Option<Word>>,
    companies: Memo<CompanyName>,
    cities: Memo<Symbol>,
    countries: Memo<Option<&'static str>>,
    /// Room for one record's text.
    line: String,
    /// Room for one record's lists.
    mailboxes: Vec<Mailbox>,
    symbols: Vec<Symbol>,
}

/// A domain that was looked at.
#[derive(Debug, Clone, Copy)]
struct Domain {
    registrable: Symbol,
    core: Symbol,
    class: DomainClass,
}

/// A part of a name that was looked at.
#[derive(Debug, Clone, Copy)]
struct Word {
    text: Symbol,
    sketch: Sketch,
    forms: Nickname,
}

impl Word {
    fn of(texts: &mut Texts, word: &str) -> Self {
        let plain = text::skeleton(word);
        Self {
            text: texts.intern(&plain),
            sketch: Sketch::of(&plain),
            forms: Nickname::of(word),
        }
    }
}

/// What spellings that came before have become.
#[derive(Debug)]
struct Memo<V> {
    raws: Texts,
    /// One for each of them, and one before them.
    values: Vec<V>,
}

impl<V: Default> Default for Memo<V> {
    fn default() -> Self {
        Self {
            raws: Texts::default(),
            values: vec![V::default()],
        }
    }
}

impl<V: Copy + Default> Memo<V> {
    /// Over so many spellings it starts anew.
    const MOST: usize = 1 << 18;

    /// Returns what a spelling becomes.
    fn of(&mut self, raw: &str, make: impl FnOnce(&str) -> V) -> V {
        if let Some(known) = self.raws.find(raw) {
            return known.of(&self.values);
        }
        let made = make(raw);
        if !raw.is_empty() {
            if self.values.len() > Self::MOST {
                *self = Self::default();
            }
            self.raws.intern(raw);
            self.values.push(made);
        }
        made
    }
}

impl Preparation {
    /// Starts without records. `default_country` is the country of phone numbers on records that name none.
    pub(super) fn new(default_country: Option<String>) -> Self {
        Self {
            default_country,
            ..Self::default()
        }
    }

    /// Returns how many records were taken in.
    pub(super) fn count(&self) -> usize {
        self.prepared.sources.len()
    }

    /// Takes a record in.
    pub(super) fn add(&mut self, said: &Said<'_>) {
        let order = self.note_source(said);
        let rank = Rank {
            order,
            arrival: number(self.prepared.sources.len() - 1),
            ..Rank::default()
        };
        match said.kind {
            EntityKind::Person => {
                let row = self.person(rank, said);
                self.prepared.people.push(row);
            }
            EntityKind::Company => {
                let row = self.company(rank, said);
                self.prepared.companies.push(row);
            }
        }
    }

    /// Returns the records as they are, in the order in which they came.
    pub(super) fn raw(self) -> Prepared {
        self.prepared
    }

    /// Returns the records, with what can only be said when all are known.
    /// Tells what names were completed by where it is asked for.
    pub(super) fn finish(self, learnt: Option<&mut Learnt>) -> (Prepared, Vec<(u32, u32)>) {
        let mut prepared = self.prepared;
        let left_out = prepared.keep_newest();
        super::naming::complete(&mut prepared, learnt);
        prepared.sort();
        (prepared, left_out)
    }

    /// Writes down where a record is from and returns its order.
    fn note_source(&mut self, said: &Said<'_>) -> u64 {
        let record = [said.source, said.stream, &said.id];
        let order = numbered_in(&mut self.line, said.kind, record);
        let said_once = [
            said.full_name,
            said.first_name,
            said.middle_name,
            said.last_name,
            said.company,
            said.other_company,
            said.street.as_deref(),
            said.city,
            said.postal_code,
            said.country,
            said.birth_date,
        ];
        let lists = [&said.emails, &said.phones, &said.websites];
        let lists = lists.into_iter().flatten().map(|it| Some(*it));
        for value in said_once.into_iter().chain(lists) {
            self.line.push_str(value.unwrap_or_default());
            self.line.push('\u{1f}');
        }
        let digest = XxHash3_64::oneshot(self.line.as_bytes());
        let prepared = &mut self.prepared;
        prepared.ids.push_str(&said.id);
        prepared.sources.push(Source {
            source: prepared.texts.intern(said.source),
            stream: prepared.texts.intern(said.stream),
            id_end: prepared.ids.len(),
        });
        prepared.versions.push(Version {
            changed_at: said.changed_at,
            digest,
        });
        order
    }

    /// Normalises one person's record.
    fn person(&mut self, rank: Rank, said: &Said<'_>) -> PersonRow {
        let mut row = PersonRow {
            rank,
            ..PersonRow::default()
        };
        (row.mailboxes, row.role_mailboxes) = self.mailboxes(said);
        let is_function = said
            .full_name
            .is_some_and(|name| names_function(name, !self.symbols.is_empty()));
        if !is_function {
            row.name = self.name(said);
            row.label = self.label(said.full_name);
        }
        row.phones = self.phones(said);
        row.company = said
            .company
            .map_or(Symbol::EMPTY, |raw| self.company_name(raw).compact);
        let mut sites = said.websites.iter().map(|site| self.own_domain(site).0);
        row.site = sites.find(|site| !site.is_empty()).unwrap_or_default();
        row.place = self.place(said);
        let texts = &mut self.prepared.texts;
        let birth = said.birth_date.and_then(date::normalise);
        row.birth = birth.map_or(Symbol::EMPTY, |birth| texts.intern(&birth));
        row.employer = said.employer.map_or(Symbol::EMPTY, |record| {
            texts.intern(&Prepared::link([
                &record.source,
                &record.stream,
                &record.id,
            ]))
        });
        row
    }

    /// Normalises a person's name.
    fn name(&mut self, said: &Said<'_>) -> Name {
        let texts = &mut self.prepared.texts;
        let mut plain = |raw: &str| {
            let made = |raw: &str| Some(Word::of(texts, &name::plain_word(raw)?));
            self.words.of(raw, made)
        };
        // Most names are a plain given name and a plain surname, and what these become is known.
        let words = two_words(said).and_then(|(first, last)| plain(first).zip(plain(last)));
        match words {
            Some((first, last)) => named([first, last], Symbol::EMPTY, 0, NameOrigin::Fields),
            None => spelt(texts, &person_name(said)),
        }
    }

    /// Normalises a person's mailboxes; those of functions come apart, and stay in `self.symbols`.
    fn mailboxes(&mut self, said: &Said<'_>) -> (Span, Span) {
        self.mailboxes.clear();
        self.symbols.clear();
        let Self {
            prepared, domains, ..
        } = self;
        for raw in &said.emails {
            let Some((email, named)) = email_with_domain(prepared, domains, raw) else {
                continue;
            };
            let address = prepared.texts.intern(&email.address);
            match email.class {
                EmailClass::Role => push_new(&mut self.symbols, address),
                EmailClass::Free | EmailClass::Work => {
                    // Every Googlemail address is one of Gmail.
                    let domain = if email.domain == "gmail.com" {
                        prepared.texts.intern(&email.domain)
                    } else {
                        named.registrable
                    };
                    let mailbox = Mailbox {
                        address,
                        domain,
                        local: local_number(&email.local),
                        local_len: u8::try_from(email.local.len()).unwrap_or(u8::MAX),
                        class: email.class,
                    };
                    push_new(&mut self.mailboxes, mailbox);
                }
                EmailClass::Placeholder | EmailClass::System => {}
            }
        }
        (
            Span::push(&mut prepared.mailboxes, self.mailboxes.iter().copied()),
            Span::push(&mut prepared.symbols, self.symbols.iter().copied()),
        )
    }

    /// Reads a whole name as one of a company.
    fn label(&mut self, full_name: Option<&str>) -> Label {
        let Some(full_name) = full_name else {
            return Label::default();
        };
        let Some(company) = company::normalise(full_name) else {
            return Label::default();
        };
        Label {
            compact: self.prepared.texts.intern(&company.compact),
            has_legal_form: !company.legal_form.is_empty(),
            in_capitals: !full_name.chars().any(char::is_lowercase),
        }
    }

    /// Normalises phones: national numbers that somebody could have.
    fn phones(&mut self, said: &Said<'_>) -> Span {
        if said.phones.is_empty() {
            return Span::default();
        }
        let named = said.country.and_then(|raw| self.country(raw));
        let country = named.or(self.default_country.as_deref());
        self.symbols.clear();
        for raw in &said.phones {
            if let Some(national) = phone::national(raw, country) {
                let national = self.prepared.texts.intern(&national);
                push_new(&mut self.symbols, national);
            }
        }
        Span::push(&mut self.prepared.symbols, self.symbols.iter().copied())
    }

    /// Returns the code of a country, where it is known.
    fn country(&mut self, raw: &str) -> Option<&'static str> {
        self.countries.of(raw, country::normalise)
    }

    /// Normalises an address.
    fn place(&mut self, said: &Said<'_>) -> Place {
        let country = said.country.and_then(|raw| self.country(raw));
        let country = country.and_then(|code| code.as_bytes().try_into().ok());
        let country = country.unwrap_or_default();
        let texts = &mut self.prepared.texts;
        let city = said.city.map_or(Symbol::EMPTY, |raw| {
            self.cities.of(raw, |raw| {
                texts.intern(&address::normalise("", raw, "").city)
            })
        });
        let (street, postal_code) = (said.street.as_deref(), said.postal_code);
        if street.is_none() && postal_code.is_none() {
            return Place {
                city,
                country,
                ..Place::default()
            };
        }
        let address = address::normalise(
            street.unwrap_or_default(),
            "",
            postal_code.unwrap_or_default(),
        );
        Place {
            number: texts.intern(&address.number),
            street: texts.intern(&address.street),
            building: texts.intern(&address.building),
            postal_code: texts.intern(&address.postal_code),
            city,
            country,
        }
    }

    /// Returns a domain and its core if it is one organisation's own.
    fn own_domain(&mut self, raw: &str) -> (Symbol, Symbol) {
        let prepared = &mut self.prepared;
        own(self.domains.of(raw, |raw| look_up(prepared, raw)))
    }
}

/// Returns a domain and its core if it is one organisation's own.
fn own(domain: Option<Domain>) -> (Symbol, Symbol) {
    match domain {
        Some(domain) if domain.class == DomainClass::Own => (domain.registrable, domain.core),
        _ => (Symbol::EMPTY, Symbol::EMPTY),
    }
}

/// Normalises an address, with its domain.
fn email_with_domain(
    prepared: &mut Prepared,
    domains: &mut Memo<Option<Domain>>,
    raw: &str,
) -> Option<(NormalEmail, Domain)> {
    let mut named = None;
    let email = email::normalise_with(raw, |host| {
        named = domains.of(host, |host| look_up(prepared, host));
        named.map(|domain| domain.class)
    })?;
    Some((email, named?))
}

/// Returns the number of a mailbox's name.
pub(super) fn local_number(local: &str) -> u32 {
    let [one, two, three, four, ..] = XxHash3_64::oneshot(local.as_bytes()).to_be_bytes();
    u32::from_be_bytes([one, two, three, four])
}

/// Normalises a domain.
fn look_up(prepared: &mut Prepared, raw: &str) -> Option<Domain> {
    let normal = domain::normalise(raw)?;
    Some(Domain {
        registrable: prepared.texts.intern(&normal.registrable),
        core: prepared.texts.intern(&normal.core),
        class: normal.class,
    })
}

/// Interns a person's name.
pub(super) fn spelt(texts: &mut Texts, name: &NormalName) -> Name {
    let origin = match name.shape {
        NameShape::Missing | NameShape::Placeholder => return Name::default(),
        NameShape::Real => NameOrigin::Fields,
        NameShape::CallerId => NameOrigin::CallerId,
    };
    let words = [&name.first, &name.last].map(|word| Word::of(texts, word));
    named(words, texts.intern(&name.middle), name.generation, origin)
}

/// Puts a name together.
fn named([first, last]: [Word; 2], middle: Symbol, generation: u8, origin: NameOrigin) -> Name {
    Name {
        first: first.text,
        middle,
        last: last.text,
        first_sketch: first.sketch,
        last_sketch: last.sketch,
        generation,
        origin,
        first_forms: first.forms,
        last_forms: last.forms,
    }
}

/// Appends a value that is not there yet.
fn push_new<T: PartialEq>(values: &mut Vec<T>, value: T) {
    if !values.contains(&value) {
        values.push(value);
    }
}

/// Normalises a person's name fields: parts before the whole, unless the parts say nothing.
fn person_name(said: &Said<'_>) -> NormalName {
    let parts = name::normalise_parts(
        said.first_name.unwrap_or_default(),
        said.middle_name.unwrap_or_default(),
        said.last_name.unwrap_or_default(),
    );
    match (said.full_name, parts.shape) {
        (Some(full_name), NameShape::Missing | NameShape::Placeholder) => {
            name::normalise(full_name)
        }
        _ => parts,
    }
}

/// Returns the words of a name that is in two of them, whether in fields of their own or in one. What they become
/// is [`person_name`] if both are plain.
fn two_words<'a>(said: &Said<'a>) -> Option<(&'a str, &'a str)> {
    let some = |field: Option<&'a str>| field.filter(|value| !value.is_empty());
    let parts = [said.first_name, said.middle_name, said.last_name].map(some);
    match parts {
        [Some(first), None, Some(last)] => Some((first, last)),
        [None, None, None] => said.full_name.and_then(name::two_words),
        _ => None,
    }
}

/// Says whether a name is that of a function (`Sales`, and `Acme Info` on a function's mailbox).
fn names_function(full_name: &str, has_role_mailbox: bool) -> bool {
    let last = full_name.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let mut words = last.rsplit(|letter: char| !letter.is_ascii_alphanumeric());
    let last = words.next().unwrap_or_default();
    let is_plain = full_name.len() <= text::MAX_CHARS
        && full_name.is_ascii()
        && !full_name.contains(['\'', '.', '`']);
    if is_plain && !email::is_role_word(&last.to_ascii_lowercase()) {
        return false;
    }
    let words = text::words(&text::fold(full_name));
    let is_role = words.last().is_some_and(|word| email::is_role_word(word));
    is_role && (has_role_mailbox || words.len() == 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::identity::{Identity, RecordRef};
    use super::*;

    /// What a field about a name may hold.
    fn field() -> impl Strategy<Value = Option<String>> {
        const WORDS: &[&str] = &[
            "Ada",
            "ADA",
            "Jörg",
            "Dr",
            "Jr",
            "de la Cruz",
            "O'Hare",
            "A",
            "n/a",
            "Unknown",
            "",
            " ",
            "Maria Luz",
            "Luz, Maria",
            "MARIA LUZ",
            "Maria Luz via Acme",
            "Info",
            "Acme Sales",
            "Bob",
        ];
        proptest::option::of(prop_oneof![
            proptest::sample::select(WORDS).prop_map(str::to_owned),
            "[A-Za-z]{1,8}( [A-Za-z]{1,8})?",
            "[a-zA-Z.'` -]{0,14}(info|sales|team)?",
        ])
    }

    /// Returns all that is compared of a name, its texts in letters.
    fn written(texts: &Texts, name: Name) -> ([String; 3], Name) {
        let parts = [name.first, name.middle, name.last].map(|part| texts.text(part).to_owned());
        (parts, name)
    }

    proptest! {
        #[test]
        fn the_short_way_to_a_name_finds_what_the_long_way_finds(fields in [field(), field(), field(), field()]) {
            let record = RecordRef::new("crm", "contacts", "1");
            let mut identity = Identity::new(record, EntityKind::Person);
            let [full, first, middle, last] = fields;
            (identity.full_name, identity.first_name) = (full, first);
            (identity.middle_name, identity.last_name) = (middle, last);
            let said = identity.said();
            let mut preparation = Preparation::new(None);
            let short = preparation.name(&said);
            let texts = &mut preparation.prepared.texts;
            let long = spelt(texts, &person_name(&said));
            let [short, long] = [short, long].map(|name| format!("{:?}", written(texts, name)));
            prop_assert_eq!(short, long);
        }

        #[test]
        fn the_short_way_to_a_function_finds_what_the_long_way_finds(name in field(), has_role: bool) {
            let name = name.unwrap_or_default();
            let words = text::words(&text::fold(&name));
            let is_role = words.last().is_some_and(|word| email::is_role_word(word));
            prop_assert_eq!(names_function(&name, has_role), is_role && (has_role || words.len() == 1));
        }
    }
}
