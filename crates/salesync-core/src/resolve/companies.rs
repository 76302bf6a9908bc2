//! Finds which records are one company.

use hashbrown::HashMap;

use super::cluster::{self, Clustering};
use super::compare::{self, CONFLICT, Likeness, MISSING, PlaceScale, finding};
use super::evidence::FieldEvidence;
use super::frequency::{Frequency, Rarity, count_of, log2};
use super::identity::EntityKind;
use super::keys::{Blocks, KeyKind, KeyValue, Pairs};
use super::learnt::{FactField, Learnt};
use super::model::Model;
use super::prepared::{Company, CompanyRow, PerText, Prepared, Symbol, Texts, place};
use super::records::Asked;

/// Clusters the records about companies; as `asked`. Returns how many use each domain and phone beside it. Tells what it
/// went by where that is asked for.
pub(super) fn cluster(
    prepared: &Prepared,
    asked: &Asked<'_>,
    learnt: Option<&mut Learnt>,
) -> (Clustering, PerText<u8>) {
    let model = &asked.settings.model;
    let mut scale = Scale::new(prepared, model, Known::count(prepared));
    let mut met = Pairs::new(model.block_cap, model.block_window);
    let mut blocks = Blocks::default();
    for kind in KINDS {
        blocks.clear();
        for (index, company) in (0..).zip(prepared.companies()) {
            put_keys(kind, &company, |value| blocks.put(value, index));
        }
        blocks.sort();
        if matches!(kind, KeyKind::Domain | KeyKind::Phone) {
            scale.count_users(&blocks);
        }
        met.meet(kind, &blocks, |index| names(prepared, index));
    }
    let records = (EntityKind::Company, prepared.companies.len());
    let wanted = asked.of(prepared, EntityKind::Company);
    let found = cluster::find(records, met, &wanted, &mut scale);
    if let Some(learnt) = learnt {
        scale.known.tell(&prepared.texts, learnt);
    }
    (found, scale.users)
}

/// Returns the names that tell those apart that share much else.
pub(super) fn names(prepared: &Prepared, index: u32) -> [Symbol; 2] {
    let company = prepared.company(place(index));
    let first = |symbols: &[Symbol]| symbols.first().copied().unwrap_or_default();
    company.map_or([Symbol::EMPTY; 2], |company| {
        [first(company.compact_names), first(company.domains)]
    })
}

/// The kinds of keys under which companies meet, in the order in which they count.
pub(super) const KINDS: [KeyKind; 5] = [
    KeyKind::Domain,
    KeyKind::Phone,
    KeyKind::House,
    KeyKind::CompanyName,
    KeyKind::FirstWord,
];

/// Tells the values of a record's keys of a kind.
pub(super) fn put_keys(kind: KeyKind, company: &Company<'_>, mut put: impl FnMut(KeyValue)) {
    let mut each = |symbols: &[Symbol]| {
        let values = symbols.iter().copied().filter_map(KeyValue::text);
        values.for_each(&mut put);
    };
    match kind {
        KeyKind::Domain => each(company.domains),
        KeyKind::Phone => each(company.phones),
        KeyKind::House => {
            let house = KeyValue::both(company.place.number, company.place.street);
            house.into_iter().for_each(put);
        }
        KeyKind::CompanyName => {
            each(company.compact_names);
            each(company.domain_cores);
        }
        KeyKind::FirstWord => each(company.first_words),
        _ => {}
    }
}

/// Returns how many companies there are, more or less, by how many names.
pub(super) fn population(names: usize) -> u32 {
    count_of(names).max(FEWEST_COMPANIES)
}

/// Returns the facts that tell how rare is what a company's record says; texts may be missing.
pub(super) fn rarities_of<'a>(
    row: &CompanyRow,
    company: &Company<'a>,
) -> impl Iterator<Item = (FactField, Symbol)> + use<'a> {
    let names = company.compact_names.iter();
    let names = names.map(|name| (FactField::CompanyName, *name));
    let words = company.first_words.iter();
    let words = words.map(|word| (FactField::FirstWord, *word));
    let place = [
        (FactField::CompanyPostalCode, row.place.postal_code),
        (FactField::CompanyCity, row.place.city),
    ];
    names.chain(words).chain(place)
}

/// What pairs of companies are weighed with.
pub(super) struct Scale<'a> {
    prepared: &'a Prepared,
    model: &'a Model,
    texts: &'a Texts,
    known: Known,
    /// How many companies use a domain or phone; 0 where they were not counted.
    pub(super) users: PerText<u8>,
    prior: f32,
}

/// One name of a company.
struct CompanyName {
    words: Symbol,
    first_word: Symbol,
    /// Without spaces.
    compact: Symbol,
}

/// Returns a company's names.
fn each_name(company: &Company<'_>) -> impl Iterator<Item = CompanyName> {
    let names = company.names.iter().zip(company.first_words);
    let names = names.zip(company.compact_names);
    names.map(|((words, first_word), compact)| CompanyName {
        words: *words,
        first_word: *first_word,
        compact: *compact,
    })
}

/// The fewest companies that a set stands for.
const FEWEST_COMPANIES: u32 = 200;

/// Names as long as this are one in spite of a typing error.
const LONG_NAME: usize = 7;

impl cluster::Scale<5> for Scale<'_> {
    fn prior(&self) -> f32 {
        self.prior
    }

    fn weigh(&self, left: u32, right: u32) -> Option<[FieldEvidence; 5]> {
        let prepared = self.prepared;
        let one = prepared.company(place(left))?;
        let other = prepared.company(place(right))?;
        let name = self.name(&one, &other);
        let domain = self.domain(&one, &other);
        let mut phone = self.phone(&one, &other);
        if domain.level == "shared" && phone.level == "shared" {
            phone.bits = 2.0;
        }
        let address = compare::places(
            self.texts,
            (&self.known.places, &self.model.companies.address),
            &one.place,
            &other.place,
        );
        let country = match (one.place.country, other.place.country) {
            ([0, 0], _) | (_, [0, 0]) => finding("country", MISSING, 0.0),
            (one, other) if one == other => finding("country", "equal", 0.0),
            _ => finding("country", CONFLICT, self.model.companies.country_conflict),
        };
        Some([name, domain, phone, address, country])
    }

    fn contradict(&self, left: u32, right: u32) -> bool {
        let Some(fields) = self.weigh(left, right) else {
            return false;
        };
        let [name, domain, ..] = fields;
        (name.level == CONFLICT || domain.level == CONFLICT)
            && self.total(&fields) < self.model.contradiction_bits
    }

    fn is_reason(field: &FieldEvidence) -> bool {
        field.level != MISSING
    }
}

/// What is known of all records about companies: how rare names and places are.
#[derive(Debug)]
pub(super) struct Known {
    places: PlaceScale,
    /// How many companies bear a name, where it is more than one: as many as it has domains; phones where it has none.
    bearers: HashMap<Symbol, f32>,
    /// How many different names start with a word.
    starts: Rarity<Symbol>,
    population: u32,
}

impl Known {
    /// Counts names and places.
    fn count(prepared: &Prepared) -> Self {
        let mut words: HashMap<Symbol, Symbol> = HashMap::new();
        let mut contacts: HashMap<Symbol, [Vec<Symbol>; 2]> = HashMap::new();
        for company in prepared.companies() {
            words.extend(company.names.iter().zip(company.first_words));
            for name in company.compact_names {
                let known = contacts.entry(*name).or_default();
                for (known, values) in known.iter_mut().zip([company.domains, company.phones]) {
                    known.extend(values.first().filter(|value| !known.contains(value)));
                }
            }
        }
        let population = population(contacts.len());
        let bearers = contacts.into_iter().map(|(name, [domains, phones])| {
            let told_by = if domains.is_empty() { phones } else { domains };
            (name, count_of(told_by.len()) as f32)
        });
        Self {
            places: PlaceScale::count(prepared.companies.iter().map(|row| row.place)),
            bearers: bearers.filter(|(_, count)| *count > 1.0).collect(),
            starts: Frequency::of(words.into_values()).rarity(1),
            population,
        }
    }

    /// Takes what was learnt before for what is known.
    pub(super) fn recall(prepared: &Prepared, learnt: &Learnt) -> Self {
        let texts = &prepared.texts;
        let bearers = learnt.known(FactField::CompanyName, texts);
        Self {
            places: PlaceScale {
                postal_codes: learnt.rarity(FactField::CompanyPostalCode, texts),
                cities: learnt.rarity(FactField::CompanyCity, texts),
            },
            bearers: bearers.collect(),
            starts: learnt.rarity(FactField::FirstWord, texts),
            population: learnt.companies,
        }
    }

    /// Writes down what is known, for records that come later.
    pub(super) fn tell(&self, texts: &Texts, learnt: &mut Learnt) {
        learnt.companies = self.population;
        let bearers = self.bearers.iter().map(|(name, count)| (*name, *count));
        learnt.tell_numbers(FactField::CompanyName, texts, bearers);
        learnt.tell(FactField::FirstWord, texts, &self.starts);
        learnt.tell(
            FactField::CompanyPostalCode,
            texts,
            &self.places.postal_codes,
        );
        learnt.tell(FactField::CompanyCity, texts, &self.places.cities);
    }
}

impl<'a> Scale<'a> {
    /// Weighs with what is known of all records.
    pub(super) fn new(prepared: &'a Prepared, model: &'a Model, known: Known) -> Self {
        Self {
            prepared,
            model,
            texts: &prepared.texts,
            prior: model.companies.prior_offset - log2(known.population),
            known,
            users: PerText::of(&prepared.texts),
        }
    }

    /// Counts the companies on every domain or phone: names that contradict each other are several.
    pub(super) fn count_users(&mut self, blocks: &Blocks) {
        let named = |index| {
            let company = self.prepared.company(place(index));
            company.filter(|company| !company.names.is_empty())
        };
        let counts = blocks.users(named, |one, other| self.name(one, other).level != CONFLICT);
        counts.for_each(|(text, count)| self.users.set(text, count));
    }

    fn likeness(&self, one: Symbol, other: Symbol) -> Likeness {
        compare::likeness(self.texts.text(one), self.texts.text(other))
    }

    /// Weighs names: the best pair of them.
    fn name(&self, one: &Company<'_>, other: &Company<'_>) -> FieldEvidence {
        let mut best = finding("name", MISSING, 0.0);
        for left in each_name(one) {
            for right in each_name(other) {
                let found = if left.compact == right.compact {
                    finding("name", "equal", self.rarity(left.compact))
                } else {
                    self.two_names(&left, &right)
                };
                if best.level == MISSING || found.bits > best.bits {
                    best = found;
                }
            }
        }
        best
    }

    /// Returns how many bits a name gives that both records bear.
    fn rarity(&self, compact: Symbol) -> f32 {
        let bearers = self.known.bearers.get(&compact).copied().unwrap_or(1.0);
        self.replaces_prior(bearers, self.model.companies.name_slack)
    }

    /// Weighs two names that differ.
    fn two_names(&self, one: &CompanyName, other: &CompanyName) -> FieldEvidence {
        let weights = &self.model.companies;
        let (left, right) = (self.texts.text(one.words), self.texts.text(other.words));
        let (short, long) = if left.len() <= right.len() {
            (left, right)
        } else {
            (right, left)
        };
        let contained = short
            .split(' ')
            .all(|word| long.split(' ').any(|other| other == word));
        let same_start = one.first_word == other.first_word;
        let start_bits = self
            .known
            .starts
            .bits(&one.first_word)
            .min(log2(self.known.population))
            .min(weights.name_cap);
        if contained && same_start {
            return finding(
                "name",
                "contained",
                (start_bits - weights.name_contained_off).max(0.3),
            );
        }
        match self.likeness(one.compact, other.compact) {
            Likeness::OneEdit if short.len() >= LONG_NAME => {
                let rarity = self.rarity(one.compact).min(self.rarity(other.compact));
                finding(
                    "name",
                    "one_edit",
                    (rarity - weights.name_one_edit_off).max(0.3),
                )
            }
            Likeness::OneEdit => finding("name", "similar", weights.name_similar),
            _ if same_start => finding(
                "name",
                "first_word",
                (start_bits - weights.name_first_word_off).max(-1.0),
            ),
            _ if contained => finding("name", "contained", weights.name_similar),
            Likeness::Similar | Likeness::Prefix => {
                finding("name", "similar", weights.name_similar)
            }
            _ => finding("name", CONFLICT, weights.name_conflict),
        }
    }

    /// Weighs domains.
    fn domain(&self, one: &Company<'_>, other: &Company<'_>) -> FieldEvidence {
        let weights = &self.model.companies;
        if one.domains.is_empty() || other.domains.is_empty() {
            return finding("domain", MISSING, 0.0);
        }
        let shared = one
            .domains
            .iter()
            .filter(|domain| other.domains.contains(domain));
        if let Some(users) = shared
            .map(|domain| self.users_of(*domain))
            .min_by(f32::total_cmp)
        {
            return finding(
                "domain",
                "shared",
                self.replaces_prior(users, weights.domain_slack),
            );
        }
        let mut cores = one.domain_cores.iter();
        let core_of_both = cores.find(|core| other.domain_cores.contains(core));
        if core_of_both.is_some() {
            // Namesakes have the domains of their name too.
            let named = core_of_both.is_some_and(|core| {
                let bears = |company: &Company<'_>| company.compact_names.contains(core);
                bears(one) || bears(other)
            });
            return if named {
                finding("domain", "core_of_name", weights.domain_core_of_name)
            } else {
                finding("domain", "core", weights.domain_core)
            };
        }
        let mut typo = false;
        for left in one.domains {
            for right in other.domains {
                typo |= self.likeness(*left, *right) == Likeness::OneEdit;
            }
        }
        if typo {
            return finding("domain", "typo", weights.domain_typo);
        }
        finding("domain", CONFLICT, weights.domain_conflict)
    }

    /// Weighs phones.
    fn phone(&self, one: &Company<'_>, other: &Company<'_>) -> FieldEvidence {
        if one.phones.is_empty() || other.phones.is_empty() {
            return finding("phone", MISSING, 0.0);
        }
        let shared = one
            .phones
            .iter()
            .filter(|phone| other.phones.contains(phone));
        match shared
            .map(|phone| self.users_of(*phone))
            .min_by(f32::total_cmp)
        {
            Some(users) => {
                let bits = self
                    .replaces_prior(users, self.model.companies.phone_slack)
                    .max(0.0);
                finding("phone", "shared", bits)
            }
            None => finding("phone", "different", self.model.companies.phone_different),
        }
    }

    /// Returns the bits of a shared value that stands in for the prior: one in as many as use it.
    fn replaces_prior(&self, users: f32, slack: f32) -> f32 {
        -self.prior - ((users - 1.0).max(0.0) + slack).log2()
    }

    /// Returns how many companies use a domain or phone.
    fn users_of(&self, value: Symbol) -> f32 {
        f32::from(self.users.get(value).max(1))
    }
}
