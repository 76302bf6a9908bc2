//! Invents people and companies and writes them down for each vendor.
//!
//! Of the companies 45 % and of the people 48 % are known to both vendors, each under the spelling
//! of whoever typed them in there; 3 % of the people have a second record at the same vendor. One
//! record in 200 is archived or in the recycle bin. What a record says may be a nickname, an
//! initial, a shared switchboard, an old employer, a role mailbox, a slip of the keyboard, or
//! missing. What the team did with them, activities of every kind, comes on top. Everything but the
//! times follows from the seed.
//!
//! At Gmail there are mailboxes of our own team, with letters to and from the people, whoever else
//! knows them.
//!
//! At Dialpad there are the owners and users of the other two as users, and calls with the people,
//! whoever else knows them.

mod activities;
mod chance;
mod dialpad;
mod dialpad_calls;
mod dialpad_team;
mod gmail;
mod hubspot;
mod people;
mod salesforce;
mod spelling;
mod words;

pub(crate) use chance::Chance;
use people::{Company, Person};

use crate::SandboxConfig;
use crate::store::DAY_MS;
use crate::world::{DialpadSide, GmailSide, HubSpotSide, SalesforceSide};

/// How far back changes reach, in days.
const SPAN_DAYS: i64 = 730;
/// No change is younger than this at the start, in milliseconds.
const YOUNGEST_MS: i64 = 2 * 60 * 60 * 1_000;

/// The entities, and who knows which.
#[derive(Debug)]
struct Cast {
    companies: Vec<Company>,
    people: Vec<Person>,
    /// How many of the first companies and people HubSpot knows.
    hubspot: [usize; 2],
    /// From which company and person on Salesforce knows all.
    salesforce: [usize; 2],
    start_ms: i64,
    records: usize,
}

/// Invents both vendors' records, about `records` together, and 16 % of that in activities.
pub(crate) fn both_sides(records: usize, seed: u64, now_ms: i64) -> (HubSpotSide, SalesforceSide) {
    if records == 0 {
        return (hubspot::empty(), salesforce::empty());
    }
    let cast = cast(records, seed, now_ms);
    let mut hubspot = hubspot::fill(&cast, &mut Chance::new(seed.wrapping_add(1)));
    let mut salesforce = salesforce::fill(&cast, &mut Chance::new(seed.wrapping_add(2)));
    // A chance of their own, so that the records above stay what they are.
    let (one, other) = (seed.wrapping_add(101), seed.wrapping_add(102));
    activities::in_hubspot(&cast, &mut Chance::new(one), &mut hubspot);
    activities::in_salesforce(&cast, &mut Chance::new(other), &mut salesforce);
    (hubspot, salesforce)
}

/// Invents our own team's mailboxes.
pub(crate) fn gmail_side(config: &SandboxConfig, now_ms: i64) -> GmailSide {
    if config.records == 0 {
        return gmail::empty(config.mailboxes);
    }
    let letters = config.messages.unwrap_or((config.records / 2).min(20_000));
    gmail::fill(
        &cast(config.records, config.seed, now_ms),
        Chance::new(config.seed.wrapping_add(3)),
        config.mailboxes,
        letters,
    )
}

/// Invents what Dialpad knows about the same people.
pub(crate) fn dialpad_side(config: &SandboxConfig, now_ms: i64) -> DialpadSide {
    if config.records == 0 {
        return DialpadSide::new(config.seed);
    }
    let calls = config.calls.unwrap_or((config.records / 20).min(5_000));
    dialpad::fill(
        &cast(config.records, config.seed, now_ms),
        config.seed,
        calls,
    )
}

/// The entities behind a number of records.
fn cast(records: usize, seed: u64, now_ms: i64) -> Cast {
    let mut chance = Chance::new(seed);
    let share = |per_mille: usize| (records * per_mille / 1_000).max(1);
    let companies: Vec<Company> = (0..share(110))
        .map(|place| people::company(&mut chance, place))
        .collect();
    let people: Vec<Person> = (0..share(373))
        .map(|place| people::person(&mut chance, place, &companies))
        .collect();
    Cast {
        hubspot: [share(80), share(291)],
        salesforce: [share(31) - 1, share(112) - 1],
        companies,
        people,
        start_ms: now_ms.saturating_sub(YOUNGEST_MS),
        records,
    }
}

impl Cast {
    /// When record `place` of `count` was made and last changed.
    fn times(&self, chance: &mut Chance, place: usize, count: usize) -> (i64, i64) {
        let span_ms = SPAN_DAYS * DAY_MS;
        let step_ms = span_ms / i64::try_from(count.max(1)).unwrap_or(i64::MAX);
        let offset_ms = step_ms.saturating_mul(i64::try_from(place).unwrap_or(0));
        let jitter_ms = chance.between(0, step_ms.max(1));
        let created_ms = self.start_ms - span_ms + offset_ms + jitter_ms;
        let changed_ms = if chance.percent(60) {
            chance.between(created_ms, self.start_ms)
        } else {
            created_ms
        };
        (created_ms, changed_ms)
    }

    /// The people that a vendor has records of, in the order of the records.
    fn guests(&self, chance: &mut Chance, from: usize, to: usize) -> Vec<Person> {
        let mut guests: Vec<Person> = self.people.get(from..to).unwrap_or_default().to_vec();
        let twice = guests.len() * 3 / 100;
        for _ in 0..twice {
            let at = chance.below(guests.len());
            guests.extend(guests.get(at).copied());
        }
        chance.shuffle(&mut guests);
        guests
    }
}

/// An amount of money, now and then with more digits than a 64-bit float can hold.
fn amount(chance: &mut Chance, rate: i64) -> String {
    if chance.percent(1) {
        let whole = chance.between(1_000_000_000_000, 9_999_999_999_999);
        return format!("{whole}.{:04}", chance.between(0, 10_000));
    }
    let cents = chance.between(50_000, 25_000_000).saturating_mul(rate);
    format!("{}.{:02}", cents / 100, cents % 100)
}
