//! Writes the invented people down as Dialpad's contacts, and lets our own people talk to them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::chance::Chance;
use super::people::{Company, Person};
use super::{Cast, dialpad_calls, dialpad_team, spelling, words};
use crate::world::{DialpadSide, contact_id, merge};

/// Who is talked to.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    /// The person.
    pub(super) person: Person,
    /// Given and family name.
    pub(super) name: [String; 2],
    /// The mobile number (E.164).
    pub(super) mobile: String,
    /// The employer's switchboard (E.164), and the employer's name.
    pub(super) switchboard: [String; 2],
    /// Where the mobile phone is registered.
    pub(super) city: String,
    /// Who it is in calls, if there is a shared contact: id, name, mail address.
    pub(super) contact: Option<[String; 3]>,
}

/// Dialpad with so many conversations.
pub(super) fn fill(cast: &Cast, seed: u64, calls: usize) -> DialpadSide {
    let mut chance = Chance::new(seed.wrapping_add(4));
    let mut side = DialpadSide::new(seed);
    let team = dialpad_team::fill(&mut side, cast, &mut chance);
    side.owners = own_numbers(cast);
    let mut guests = guests(cast, &mut chance, calls);
    contacts(&mut side, cast, &mut chance, &mut guests);
    dialpad_calls::fill(&mut side, cast, &mut chance, (&team, &guests, calls));
    side
}

/// Gives a person's mobile number.
fn mobile(person: &Person) -> String {
    let culture = person.culture();
    let digits = spelling::mobile(&mut Chance::new(person.seed), culture);
    format!("+{}{digits}", culture.calling_code)
}

fn switchboard(company: &Company) -> String {
    format!("+{}{}", company.culture.calling_code, company.phone)
}

/// Whose a number is, for those that nobody else has.
fn own_numbers(cast: &Cast) -> BTreeMap<String, u32> {
    let mut owners: BTreeMap<String, u32> = BTreeMap::new();
    for person in &cast.people {
        owners
            .entry(mobile(person))
            .and_modify(|owner| *owner = 0)
            .or_insert(person.entity);
    }
    for company in &cast.companies {
        owners.insert(switchboard(company), 0);
    }
    owners.retain(|_, owner| *owner != 0);
    owners
}

/// Some of the people, none of our own where there are others.
fn guests(cast: &Cast, chance: &mut Chance, calls: usize) -> Vec<Guest> {
    let all = cast.people.len();
    let others = all
        .checked_sub(super::hubspot::OWNERS)
        .filter(|left| *left > 0);
    let mut places: Vec<usize> = (0..others.unwrap_or(all)).collect();
    chance.shuffle(&mut places);
    places.truncate(calls / 3 + 1);
    let guest = |place: usize| {
        let person = *cast.people.get(place)?;
        let company = cast.companies.get(person.company[0] as usize)?;
        let cities = person.culture().cities;
        Some(Guest {
            person,
            name: [person.given().0.to_owned(), person.family()],
            mobile: mobile(&person),
            switchboard: [switchboard(company), company.name.clone()],
            city: cities
                .get(place % cities.len())
                .copied()
                .unwrap_or("")
                .to_owned(),
            contact: None,
        })
    };
    places.into_iter().filter_map(guest).collect()
}

/// The contacts: two thirds of those who are called, some who are not, a few twice, some local.
fn contacts(side: &mut DialpadSide, cast: &Cast, chance: &mut Chance, guests: &mut [Guest]) {
    for guest in guests.iter_mut() {
        if !chance.percent(66) {
            continue;
        }
        guest.contact = Some(contact(side, cast, chance, &guest.person));
        if chance.percent(3) {
            contact(side, cast, chance, &guest.person);
        }
    }
    for _ in 0..guests.len() / 3 {
        let place = chance.below(cast.people.len());
        if let Some(person) = cast.people.get(place) {
            contact(side, cast, chance, person);
        }
    }
}

fn contact(
    side: &mut DialpadSide,
    cast: &Cast,
    chance: &mut Chance,
    person: &Person,
) -> [String; 3] {
    let written = spelling::person(chance, person, &cast.companies);
    let id = contact_id(side.next_id());
    let name = format!("{} {}", written.first, written.last);
    let name = name.trim().to_owned();
    let mut phones = vec![mobile(person)];
    if let Some(company) = cast.companies.get(written.employer)
        && chance.percent(25)
    {
        phones.push(switchboard(company));
        if chance.percent(30) {
            phones.swap(0, 1);
        }
    }
    let emails: Vec<&String> = [&written.email]
        .into_iter()
        .filter(|email| !email.is_empty())
        .collect();
    let present = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let local = chance.percent(5);
    let users = side.entries("users").len();
    let owner = side
        .entries("users")
        .get(chance.below(users))
        .map(|user| user.id.clone());
    let record = json!({
        "id": id,
        "type": if local { "local" } else { "shared" },
        "owner_id": if local { owner } else { Some(side.company_id.to_string()) },
        "first_name": present(&written.first),
        "last_name": present(&written.last),
        "display_name": name,
        "emails": emails,
        "primary_email": present(&written.email),
        "phones": phones,
        "primary_phone": phones.first(),
        "company_name": present(&written.company),
        "job_title": present(chance.pick(words::TITLES)),
        "urls": [],
    });
    let mut present_only = Map::new();
    merge(&mut present_only, &record);
    let email = written.email.clone();
    side.put("contacts", &id, Value::Object(present_only), person.entity);
    [id, name, email]
}
