//! What pairs of companies are weighed with.

use super::super::cluster;
use super::super::compare::{self, CONFLICT, Likeness, MISSING, finding};
use super::super::evidence::FieldEvidence;
use super::super::frequency::log2;
use super::super::keys::{Blocks, text_of};
use super::super::lessons::Contradictions;
use super::super::model::Model;
use super::super::prepared::{Company, PerText, Prepared, Symbol, Texts, place};
use super::Known;
use super::names::Nearer;

/// What pairs of companies are weighed with.
pub(in super::super) struct Scale<'a> {
    prepared: &'a Prepared,
    model: &'a Model,
    pub(super) texts: &'a Texts,
    pub(super) known: Known,
    /// How many companies use a domain or phone; 0 where they were not counted.
    pub(in super::super) users: PerText<u8>,
    prior: f32,
}

/// Who shares a phone beside a domain is hardly less likely to be another company.
const SECOND_PHONE: f32 = 2.0;

impl cluster::Scale<6> for Scale<'_> {
    fn prior(&self) -> f32 {
        self.prior
    }

    fn weigh(&self, left: u32, right: u32) -> Option<[FieldEvidence; 6]> {
        let prepared = self.prepared;
        let one = prepared.company(place(left))?;
        let other = prepared.company(place(right))?;
        let name = self.name(&one, &other);
        let domain = self.domain(&one, &other);
        let mut phone = self.phone(&one, &other);
        if matches!(domain.level, "shared" | "of_people") {
            phone.bits = phone.bits.min(SECOND_PHONE);
        }
        let mut address = compare::places(
            self.texts,
            (&self.known.places, &self.known.weights.address),
            &one.place,
            &other.place,
        );
        let mut country = self.country(&one, &other);
        let nearer = (name.level == "equal").then(|| self.nearer(&one, &other));
        match nearer.flatten() {
            _ if country.level == CONFLICT => {}
            Some(Nearer::InCity(bits)) if address.level == "city" => address.bits = bits,
            Some(Nearer::InZone(bits)) if address.level == MISSING => {
                country = finding("country", "calling_code", bits);
            }
            _ => {}
        }
        let legal_form = self.legal_form(&one, &other);
        Some([name, domain, phone, address, country, legal_form])
    }

    fn contradict(&self, left: u32, right: u32) -> bool {
        let Some(fields) = self.weigh(left, right) else {
            return false;
        };
        let [name, domain, ..] = fields;
        (name.level == CONFLICT || domain.level == CONFLICT)
            && self.total(&fields) < self.model.contradiction_bits
    }

    /// A record that has a domain of each, and a name that agrees with both, shows that a company has several domains.
    fn vouches(&self, witness: u32, (one, other): (u32, u32)) -> bool {
        let companies = [witness, one, other].map(|index| self.prepared.company(place(index)));
        let [Some(witness), Some(one), Some(other)] = companies else {
            return false;
        };
        let agrees = |company: &Company<'_>| {
            let mut domains = company.domains.iter();
            let name = self.name(&witness, company);
            domains.any(|domain| witness.domains.contains(domain))
                && name.level != CONFLICT
                && name.bits > 0.0
        };
        self.domain(&one, &other).level == CONFLICT && agrees(&one) && agrees(&other)
    }

    fn is_reason(field: &FieldEvidence) -> bool {
        field.level != MISSING
    }
}

impl<'a> Scale<'a> {
    /// Weighs with what is known of all records.
    pub(in super::super) fn new(prepared: &'a Prepared, model: &'a Model, known: Known) -> Self {
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
    pub(in super::super) fn count_users(&mut self, blocks: &Blocks) {
        let named = |index| {
            let company = self.prepared.company(place(index));
            company.filter(|company| !company.names.is_empty())
        };
        let counts = blocks.users(named, |one, other| self.name(one, other).level != CONFLICT);
        counts.for_each(|(text, count)| self.users.set(text, count));
    }

    /// Learns from records with one domain, which one company uses, how often what they say differs.
    pub(super) fn learn_contradictions(&mut self, blocks: &Blocks) {
        let mut contradictions = Contradictions::default();
        for block in blocks.shared() {
            let used = block.first().map(|(value, _)| text_of(*value));
            let named = block.iter().filter(|(_, index)| {
                let company = self.prepared.company(place(*index));
                company.is_some_and(|company| !company.names.is_empty())
            });
            let mut named = named.map(|(_, index)| *index);
            if used.is_some_and(|text| self.users.get(text) == 1)
                && let Some((one, other)) = named.next().zip(named.next())
                && let Some(levels) = self.levels(one, other)
            {
                contradictions.count(levels, 1.0);
            }
        }
        self.known.weights = contradictions.teach(&self.known.weights);
    }

    /// Returns the levels of phone and legal form of two records.
    pub(in super::super) fn levels(&self, left: u32, right: u32) -> Option<[&'static str; 2]> {
        let one = self.prepared.company(place(left))?;
        let other = self.prepared.company(place(right))?;
        let (phone, legal_form) = (self.phone(&one, &other), self.legal_form(&one, &other));
        Some([phone.level, legal_form.level])
    }

    pub(super) fn likeness(&self, one: Symbol, other: Symbol) -> Likeness {
        compare::likeness(self.texts.text(one), self.texts.text(other))
    }

    /// Weighs domains.
    fn domain(&self, one: &Company<'_>, other: &Company<'_>) -> FieldEvidence {
        let weights = &self.known.weights;
        if one.domains.is_empty() || other.domains.is_empty() {
            return self.lent_domain(one, other);
        }
        if let Some(users) = self.fewest_users(one.domains, other.domains) {
            let bits = self.replaces_prior(users, weights.domain_slack);
            return finding("domain", "shared", bits);
        }
        let mut cores = one.domain_cores.iter();
        let core_of_both = cores.find(|core| other.domain_cores.contains(core));
        if let Some(core) = core_of_both {
            // Namesakes have the domains of their name too.
            let bears = |company: &Company<'_>| company.compact_names.contains(core);
            return if bears(one) || bears(other) {
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

    /// Weighs domains where one company has none of its own but that of people who share its phone.
    fn lent_domain(&self, one: &Company<'_>, other: &Company<'_>) -> FieldEvidence {
        let weights = &self.known.weights;
        if one.domains.is_empty() == other.domains.is_empty() {
            // What is lent to both says no more than their phones.
            return finding("domain", MISSING, 0.0);
        }
        let (own, [domain, core]) = match one.domains {
            [] => (other, one.lent),
            _ => (one, other.lent),
        };
        if domain.is_empty() {
            finding("domain", MISSING, 0.0)
        } else if own.domains.contains(&domain) {
            finding("domain", "of_people", weights.domain_of_people)
        } else if own.domain_cores.contains(&core) {
            finding("domain", "core_of_name", weights.domain_core_of_name)
        } else {
            finding("domain", MISSING, 0.0)
        }
    }

    /// Weighs phones.
    fn phone(&self, one: &Company<'_>, other: &Company<'_>) -> FieldEvidence {
        let weights = &self.known.weights;
        if one.phones.is_empty() || other.phones.is_empty() {
            return finding("phone", MISSING, 0.0);
        }
        match self.fewest_users(one.phones, other.phones) {
            Some(users) => {
                let bits = self.replaces_prior(users, weights.phone_slack);
                finding("phone", "shared", bits.max(0.0))
            }
            None if compare::are_near(self.texts, one.phones, other.phones) => {
                finding("phone", "near", weights.phone_near)
            }
            None => finding("phone", "different", weights.phone_different),
        }
    }

    /// Weighs countries.
    fn country(&self, one: &Company<'_>, other: &Company<'_>) -> FieldEvidence {
        match (one.place.country, other.place.country) {
            ([0, 0], _) | (_, [0, 0]) => finding("country", MISSING, 0.0),
            (one, other) if one == other => finding("country", "equal", 0.0),
            _ => finding("country", CONFLICT, self.known.weights.country_conflict),
        }
    }

    /// Returns the bits of a shared value that stands in for the prior: one in as many as use it.
    pub(super) fn replaces_prior(&self, users: f32, slack: f32) -> f32 {
        -self.prior - ((users - 1.0).max(0.0) + slack).log2()
    }

    /// Returns how many companies use that of the domains or phones in both lists which fewest use.
    fn fewest_users(&self, ones: &[Symbol], others: &[Symbol]) -> Option<f32> {
        let shared = ones.iter().filter(|value| others.contains(value));
        let users = shared.map(|value| f32::from(self.users.get(*value).max(1)));
        users.min_by(f32::total_cmp)
    }
}
