//! The entities: companies and people as they truly are, before anyone misspells them.

use super::chance::Chance;
use super::words::{COMPANY_HEADS, COMPANY_TAILS, CULTURES, Culture, FAMILY_MIDDLES, TRADES};

/// A company as it truly is.
#[derive(Debug)]
pub(super) struct Company {
    /// Counted from 1.
    pub(super) entity: u32,
    /// Where it is.
    pub(super) culture: &'static Culture,
    /// The name without a legal form.
    pub(super) name: String,
    /// The mail domain.
    pub(super) domain: String,
    /// The switchboard: the national number's digits.
    pub(super) phone: String,
    /// The city.
    pub(super) city: &'static str,
    /// The street and number.
    pub(super) street: String,
    /// Which pattern its mail addresses follow.
    pub(super) pattern: usize,
    /// Which of its country's legal forms it has.
    pub(super) form: usize,
}

/// A person as they truly are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    /// Counted from 1.
    pub(super) entity: u32,
    /// Place of the culture.
    pub(super) culture: u8,
    /// Place of the given name.
    pub(super) given: u8,
    /// Places of stem, middle and ending of the family name.
    pub(super) family: [u8; 3],
    /// Place of the employer, and of the one before it (the same without a job change).
    pub(super) company: [u32; 2],
    /// What the digits of the mobile number and the free mail address come from.
    pub(super) seed: u64,
}

impl Person {
    /// The culture.
    pub(super) fn culture(&self) -> &'static Culture {
        CULTURES
            .get(usize::from(self.culture))
            .unwrap_or(&CULTURES[0])
    }

    /// The given name, and what friends say.
    pub(super) fn given(&self) -> (&'static str, Option<&'static str>) {
        let given = self
            .culture()
            .given
            .get(usize::from(self.given))
            .copied()
            .unwrap_or("Kim");
        match given.split_once('/') {
            Some((name, short)) => (name, Some(short)),
            None => (given, None),
        }
    }

    /// The family name.
    pub(super) fn family(&self) -> String {
        let culture = self.culture();
        let [stem, middle, ending] = self.family.map(usize::from);
        let stem = culture.stems.get(stem).copied().unwrap_or("Lin");
        let middle = FAMILY_MIDDLES.get(middle).copied().unwrap_or_default();
        let ending = culture.endings.get(ending).copied().unwrap_or("den");
        if stem.ends_with(' ') {
            return format!("{stem}{ending}{middle}");
        }
        format!("{stem}{middle}{}", ending.to_lowercase())
    }
}

/// Makes a company; `place` counts from 0.
pub(super) fn company(chance: &mut Chance, place: usize) -> Company {
    let at = chance.below(CULTURES.len() + 5);
    // Half of the companies are in the two cultures that sell in English.
    let culture = CULTURES.get(at).unwrap_or(&CULTURES[0]);
    let (heads, tails) = (COMPANY_HEADS.len(), COMPANY_TAILS.len());
    let whole = heads * tails * TRADES.len();
    // A step that shares no factor with the count visits every name once.
    let spread = place.wrapping_mul(7_919).wrapping_add(17) % whole;
    let head = COMPANY_HEADS
        .get(spread % heads)
        .copied()
        .unwrap_or_default();
    let tail = COMPANY_TAILS
        .get(spread / heads % tails)
        .copied()
        .unwrap_or_default();
    let trade = TRADES
        .get(spread / heads / tails)
        .copied()
        .unwrap_or_default();
    let round = place / whole;
    let more = if round == 0 {
        String::new()
    } else {
        format!(" {}", round + 1)
    };
    let name = format!("{head}{tail} {trade}{more}");
    let domain = format!("{head}{tail}-{trade}{}.example", more.trim()).to_lowercase();
    let office = chance.pick(culture.office);
    Company {
        entity: u32::try_from(place.saturating_add(1)).unwrap_or(u32::MAX),
        culture,
        name,
        domain,
        phone: chance.digits(office),
        city: chance.pick(culture.cities),
        street: format!("{} {}", chance.pick(culture.streets), chance.below(180) + 1),
        pattern: chance.below(4),
        form: chance.below(culture.forms.len()),
    }
}

/// Makes a person who works at one of the companies; `place` counts from 0.
pub(super) fn person(chance: &mut Chance, place: usize, companies: &[Company]) -> Person {
    let at = chance.below(companies.len());
    let company = u32::try_from(at).unwrap_or(0);
    let own = companies
        .get(at)
        .map_or("", |company| company.culture.country[2]);
    // Most people have names of the country that their company is in.
    let culture = match CULTURES
        .iter()
        .position(|culture| culture.country[2] == own)
    {
        Some(culture) if chance.percent(80) => culture,
        _ => chance.below(CULTURES.len()),
    };
    let table = CULTURES.get(culture).unwrap_or(&CULTURES[0]);
    let before = if chance.percent(10) {
        u32::try_from(chance.below(companies.len())).unwrap_or(0)
    } else {
        company
    };
    let byte = |place: usize| u8::try_from(place).unwrap_or(0);
    Person {
        entity: u32::try_from(place.saturating_add(1)).unwrap_or(u32::MAX),
        culture: byte(culture),
        given: byte(chance.below(table.given.len())),
        family: [
            byte(chance.below(table.stems.len())),
            // A fifth of the people have a family name that many share.
            byte(if chance.percent(20) {
                0
            } else {
                chance.below(FAMILY_MIDDLES.len())
            }),
            byte(chance.below(table.endings.len())),
        ],
        company: [company, before],
        seed: u64::try_from(chance.between(0, i64::MAX)).unwrap_or(0),
    }
}
