//! Finds which records are one company.

use std::collections::{BTreeSet, HashMap};

use super::cluster::{self, Clustering, Edge};
use super::compare::{self, CONFLICT, Comparer, Likeness, MISSING, PlaceScale, finding};
use super::evidence::{FieldEvidence, Outcome};
use super::frequency::{Frequency, count_of, log2};
use super::identity::EntityKind;
use super::keys::{self, Key, KeyKind, Keys};
use super::model::{Model, Settings};
use super::prepared::{Company, Prepared, Symbol, Texts};

/// Clusters the records about companies.
pub(super) fn cluster(prepared: &Prepared<'_>, settings: &Settings) -> Clustering {
    let model = &settings.model;
    let first_words = first_words(prepared);
    let mut scale = Scale::new(prepared, model, &first_words);
    let blocks = keys(prepared, &first_words).into_blocks();
    scale.count_users(&blocks);
    let met = keys::pairs(&blocks, (model.block_cap, model.block_window), |index| {
        let company = prepared.companies.get(index);
        let name = company
            .and_then(|company| company.names.first())
            .copied()
            .unwrap_or_default();
        let domain = company
            .and_then(|company| company.domains.first())
            .copied()
            .unwrap_or_default();
        [
            prepared.texts.text(name).to_owned(),
            prepared.texts.text(domain).to_owned(),
        ]
    });
    let mut edges = Vec::new();
    for (left, right, kind) in &met.pairs {
        let Some(fields) = scale.weigh(*left, *right) else {
            continue;
        };
        let total = scale.total(&fields);
        if total >= model.accept_bits {
            edges.push(Edge {
                left: *left,
                right: *right,
                key: kind.as_str(),
                fields: fields
                    .into_iter()
                    .filter(|field| field.level != MISSING)
                    .collect(),
                prior: scale.prior,
                total,
                outcome: Outcome::Joined,
            });
        }
    }
    let mut found = cluster::join(
        EntityKind::Company,
        prepared.companies.len(),
        edges,
        model,
        |one, other| scale.contradict(one, other),
    );
    found.candidate_pairs = met.pairs.len();
    found.capped_keys = met.capped;
    found
}

/// Returns the first word of every company's names, by name.
fn first_words(prepared: &Prepared<'_>) -> HashMap<Symbol, String> {
    let names = prepared
        .companies
        .iter()
        .flat_map(|company| company.names.iter().copied());
    let first = |name| {
        prepared
            .texts
            .text(name)
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    names.map(|name| (name, first(name))).collect()
}

/// Puts every record under its keys.
fn keys(prepared: &Prepared<'_>, first_words: &HashMap<Symbol, String>) -> Keys {
    let mut keys = Keys::default();
    let mut words: Vec<&str> = first_words.values().map(String::as_str).collect();
    words.sort_unstable();
    words.dedup();
    for (at, company) in prepared.companies.iter().enumerate() {
        company
            .domains
            .iter()
            .for_each(|domain| keys.put_numbered(KeyKind::Domain, (*domain, 0), at));
        company
            .phones
            .iter()
            .for_each(|phone| keys.put_numbered(KeyKind::Phone, (*phone, 0), at));
        for name in company.compact_names.iter().chain(&company.domain_cores) {
            keys.put_numbered(KeyKind::CompanyName, (*name, 0), at);
        }
        keys.put(
            KeyKind::House,
            (company.place.number, company.place.street),
            at,
        );
        for name in &company.names {
            let word = first_words.get(name).map_or("", String::as_str);
            if let Ok(number) = words.binary_search(&word) {
                keys.put_number(KeyKind::FirstWord, count_of(number), at);
            }
        }
    }
    keys
}

/// What pairs of companies are weighed with.
struct Scale<'a> {
    companies: &'a [Company],
    model: &'a Model,
    texts: &'a Texts,
    comparer: Comparer<'a>,
    places: PlaceScale<'a>,
    first_words: &'a HashMap<Symbol, String>,
    /// How many companies bear a name: as many as it has domains.
    bearers: HashMap<Symbol, u32>,
    /// How many different names start with a word.
    starts: Frequency<&'a str>,
    users: HashMap<(KeyKind, u32), u32>,
    population: u32,
    prior: f32,
}

/// The fewest companies that a set stands for.
const FEWEST_COMPANIES: u32 = 200;

/// Names as long as this are one in spite of a typing error.
const LONG_NAME: usize = 7;

/// Over this many users of a domain or phone the exact number does not matter.
const MANY_USERS: usize = 24;

impl<'a> Scale<'a> {
    /// Counts names and places.
    fn new(
        prepared: &'a Prepared<'_>,
        model: &'a Model,
        first_words: &'a HashMap<Symbol, String>,
    ) -> Self {
        let companies = prepared.companies.as_slice();
        let mut domains: HashMap<Symbol, BTreeSet<Symbol>> = HashMap::new();
        for company in companies {
            for name in &company.compact_names {
                domains
                    .entry(*name)
                    .or_default()
                    .extend(company.domains.first());
            }
        }
        let population = count_of(domains.len()).max(FEWEST_COMPANIES);
        let places = || companies.iter().map(|company| &company.place);
        Self {
            companies,
            model,
            texts: &prepared.texts,
            comparer: Comparer::new(&prepared.texts),
            places: PlaceScale {
                weights: &model.companies.address,
                postal_codes: Frequency::of(
                    places()
                        .map(|place| place.postal_code)
                        .filter(|code| !code.is_empty()),
                ),
                cities: Frequency::of(
                    places()
                        .map(|place| place.city)
                        .filter(|city| !city.is_empty()),
                ),
            },
            first_words,
            bearers: domains
                .into_iter()
                .map(|(name, domains)| (name, count_of(domains.len()).max(1)))
                .collect(),
            starts: Frequency::of(first_words.values().map(String::as_str)),
            users: HashMap::new(),
            population,
            prior: model.companies.prior_offset - log2(population),
        }
    }

    /// Counts the companies on every domain and phone: names that contradict each other are several.
    fn count_users(&mut self, blocks: &[(Key, Vec<usize>)]) {
        for (key, members) in blocks {
            if !matches!(key.kind, KeyKind::Domain | KeyKind::Phone) {
                continue;
            }
            let mut users: Vec<&Company> = Vec::new();
            for company in members
                .iter()
                .filter_map(|member| self.companies.get(*member))
            {
                let known = company.names.is_empty()
                    || users
                        .iter()
                        .any(|user| self.name(user, company).level != CONFLICT);
                if !known && users.len() < MANY_USERS {
                    users.push(company);
                }
            }
            self.users
                .insert((key.kind, key.one), count_of(users.len()).max(1));
        }
    }

    /// Weighs a pair field by field.
    fn weigh(&mut self, left: usize, right: usize) -> Option<[FieldEvidence; 5]> {
        let companies = self.companies;
        let (one, other) = (companies.get(left)?, companies.get(right)?);
        let name = self.name(one, other);
        let domain = self.domain(one, other);
        let mut phone = self.phone(one, other);
        if domain.level == "shared" && phone.level == "shared" {
            phone.bits = 2.0;
        }
        let address = compare::places(&mut self.comparer, &self.places, &one.place, &other.place);
        let country = match (one.place.country, other.place.country) {
            (Some(one), Some(other)) if one != other => {
                finding("country", CONFLICT, self.model.companies.country_conflict)
            }
            (Some(_), Some(_)) => finding("country", "equal", 0.0),
            _ => finding("country", MISSING, 0.0),
        };
        Some([name, domain, phone, address, country])
    }

    /// Adds a pair up.
    fn total(&self, fields: &[FieldEvidence; 5]) -> f32 {
        fields
            .iter()
            .fold(self.prior, |sum, field| sum + field.bits)
    }

    /// Says whether two records cannot be one company's.
    fn contradict(&mut self, left: usize, right: usize) -> bool {
        let Some(fields) = self.weigh(left, right) else {
            return false;
        };
        let [name, domain, ..] = fields;
        (name.level == CONFLICT || domain.level == CONFLICT)
            && self.total(&fields) < self.model.contradiction_bits
    }

    /// Weighs names: the best pair of them.
    fn name(&mut self, one: &Company, other: &Company) -> FieldEvidence {
        let mut best = finding("name", MISSING, 0.0);
        for (left, left_compact) in one.names.iter().zip(&one.compact_names) {
            for (right, right_compact) in other.names.iter().zip(&other.compact_names) {
                let found = if left_compact == right_compact {
                    finding("name", "equal", self.rarity(*left_compact))
                } else {
                    self.two_names((*left, *left_compact), (*right, *right_compact))
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
        let bearers = self.bearers.get(&compact).copied().unwrap_or(1);
        (log2(self.population) - log2(bearers)).min(self.model.companies.name_cap)
    }

    /// Weighs two names that differ, each as words and without spaces.
    fn two_names(&mut self, one: (Symbol, Symbol), other: (Symbol, Symbol)) -> FieldEvidence {
        let weights = &self.model.companies;
        let (left, right) = (self.texts.text(one.0), self.texts.text(other.0));
        let (short, long) = if left.len() <= right.len() {
            (left, right)
        } else {
            (right, left)
        };
        let contained = short
            .split(' ')
            .all(|word| long.split(' ').any(|other| other == word));
        let first = |name: &Symbol| self.first_words.get(name).map_or("", String::as_str);
        let same_start = first(&one.0) == first(&other.0);
        let start_bits = self
            .starts
            .bits(&first(&one.0))
            .min(log2(self.population))
            .min(weights.name_cap);
        if contained && same_start {
            return finding(
                "name",
                "contained",
                (start_bits - weights.name_contained_off).max(0.3),
            );
        }
        match self.comparer.likeness(one.1, other.1) {
            Likeness::OneEdit if short.len() >= LONG_NAME => {
                let rarity = self.rarity(one.1).min(self.rarity(other.1));
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
    fn domain(&mut self, one: &Company, other: &Company) -> FieldEvidence {
        let weights = &self.model.companies;
        if one.domains.is_empty() || other.domains.is_empty() {
            return finding("domain", MISSING, 0.0);
        }
        let shared = one
            .domains
            .iter()
            .filter(|domain| other.domains.contains(domain));
        if let Some(users) = shared
            .map(|domain| self.users_of(KeyKind::Domain, *domain))
            .min()
        {
            return finding(
                "domain",
                "shared",
                self.replaces_prior(users, weights.domain_slack),
            );
        }
        if one
            .domain_cores
            .iter()
            .any(|core| other.domain_cores.contains(core))
        {
            return finding("domain", "core", weights.domain_core);
        }
        let mut typo = false;
        for left in &one.domains {
            for right in &other.domains {
                typo |= self.comparer.likeness(*left, *right) == Likeness::OneEdit;
            }
        }
        if typo {
            return finding("domain", "typo", weights.domain_typo);
        }
        finding("domain", CONFLICT, weights.domain_conflict)
    }

    /// Weighs phones.
    fn phone(&self, one: &Company, other: &Company) -> FieldEvidence {
        if one.phones.is_empty() || other.phones.is_empty() {
            return finding("phone", MISSING, 0.0);
        }
        let shared = one
            .phones
            .iter()
            .filter(|phone| other.phones.contains(phone));
        match shared
            .map(|phone| self.users_of(KeyKind::Phone, *phone))
            .min()
        {
            Some(users) => {
                let bits = self
                    .replaces_prior(users, self.model.companies.phone_slack)
                    .max(0.0);
                finding("phone", "shared", bits)
            }
            None => finding("phone", "different", 0.0),
        }
    }

    /// Returns the bits of a shared value that stands in for the prior: one in as many as use it.
    fn replaces_prior(&self, users: u32, slack: f32) -> f32 {
        -self.prior - (users.saturating_sub(1) as f32 + slack).log2()
    }

    /// Returns how many companies use a domain or phone.
    fn users_of(&self, kind: KeyKind, value: Symbol) -> u32 {
        self.users
            .get(&(kind, value.number()))
            .copied()
            .unwrap_or(1)
    }
}
