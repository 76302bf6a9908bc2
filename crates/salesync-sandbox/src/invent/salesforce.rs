//! Writes the invented people and companies down as Salesforce's records.

use std::sync::Arc;

use super::chance::Chance;
use super::{Cast, amount, spelling};
use crate::salesforce::{id_text, schema};
use crate::store::{
    DAY_MS, Draft, Kind, Record, Shelf, State, push_date, push_salesforce_time, whole_second,
};
use crate::world::SalesforceSide;

const USERS: usize = 12;
const ACCOUNT_COLUMNS: [&str; 14] = [
    "Name",
    "Type",
    "BillingStreet",
    "BillingCity",
    "BillingCountry",
    "Phone",
    "Website",
    "Industry",
    "AnnualRevenue",
    "NumberOfEmployees",
    "Description",
    "OwnerId",
    "Region__c",
    "Health_Score__c",
];
const OPPORTUNITY_COLUMNS: [&str; 15] = [
    "AccountId",
    "Name",
    "StageName",
    "Amount",
    "Probability",
    "ExpectedRevenue",
    "CloseDate",
    "Type",
    "LeadSource",
    "IsClosed",
    "IsWon",
    "OwnerId",
    "ContactId",
    "CurrencyIsoCode",
    "Discount__c",
];

/// Salesforce without any records.
pub(super) fn empty() -> SalesforceSide {
    let mut side = SalesforceSide::default();
    for object in [
        "Account",
        "Contact",
        "Lead",
        "Opportunity",
        "User",
        "Task",
        "Event",
    ] {
        side.put_shelf(schema::shelf(object));
    }
    side
}

/// Salesforce with its share of the records.
pub(super) fn fill(cast: &Cast, chance: &mut Chance) -> SalesforceSide {
    let mut side = empty();
    side.put_shelf(users(cast, chance));
    let (accounts, ids) = accounts(cast, chance);
    let guests = cast.guests(chance, cast.salesforce[1], cast.people.len());
    // 22 of 27 are contacts, the others leads.
    let (contacts, leads) = guests.split_at(guests.len() * 22 / 27);
    let contacts = people(cast, chance, ("Contact", &ids), contacts);
    side.put_shelf(people(cast, chance, ("Lead", &ids), leads));
    side.put_shelf(opportunities(cast, chance, &ids, contacts.records().len()));
    side.put_shelf(accounts);
    side.put_shelf(contacts);
    side
}

fn users(cast: &Cast, chance: &mut Chance) -> Shelf {
    let mut shelf = schema::shelf("User");
    let columns = shelf.columns([
        "Username",
        "FirstName",
        "LastName",
        "Email",
        "IsActive",
        "UserType",
    ]);
    let [username, first, last, email, active, kind] = columns;
    let mut scribe = Scribe::new(&shelf, USERS);
    for (place, person) in cast.people.iter().rev().take(USERS).enumerate() {
        let draft = scribe.start(cast, chance);
        set(draft, username, &format!("user.{place}@sandbox.example"));
        set(draft, first, person.given().0);
        set(draft, last, &person.family());
        set(draft, email, &format!("user.{place}@sandbox.example"));
        draft.raw(active, if place % 5 == 4 { "false" } else { "true" });
        set(draft, kind, "Standard");
        shelf.push(scribe.finish(0, State::Live));
    }
    shelf.rebuild_index();
    shelf
}

/// The accounts, and the number of each entity that is among them (0 for the others).
fn accounts(cast: &Cast, chance: &mut Chance) -> (Shelf, Vec<u64>) {
    let mut shelf = schema::shelf("Account");
    let columns = shelf.columns(ACCOUNT_COLUMNS);
    let [name, kind, street, city, country, phone, website, ..] = columns;
    let [
        ..,
        industry,
        revenue,
        staff,
        description,
        owned,
        region,
        health,
    ] = columns;
    let mut order: Vec<usize> = (cast.salesforce[0]..cast.companies.len()).collect();
    chance.shuffle(&mut order);
    let mut ids = vec![0; cast.companies.len()];
    let mut scribe = Scribe::new(&shelf, order.len());
    for place in order {
        let Some(company) = cast.companies.get(place) else {
            continue;
        };
        let draft = scribe.start(cast, chance);
        set(draft, name, &spelling::company_name(chance, company));
        choose(
            draft,
            chance,
            kind,
            &["Customer", "Prospect", "Partner", ""],
        );
        set(draft, street, &company.street);
        set(draft, city, company.city);
        choose(draft, chance, country, &company.culture.country);
        if chance.percent(85) {
            set(
                draft,
                phone,
                &spelling::phone(chance, company.culture, &company.phone),
            );
        }
        if chance.percent(80) {
            let scheme = chance.pick(&["", "http://", "https://www.", "www."]);
            set(draft, website, &format!("{scheme}{}", company.domain));
        }
        choose(
            draft,
            chance,
            industry,
            &["Technology", "Machinery", "Retail", ""],
        );
        draft.raw(revenue, &amount(chance, company.culture.currency.1));
        draft.raw(staff, &chance.between(3, 9_000).to_string());
        if chance.percent(10) {
            set(draft, description, "Says \"maybe\"\r\nnext quarter");
        }
        set(draft, owned, &owner(chance));
        choose(draft, chance, region, &["AMER", "EMEA", "APAC", ""]);
        draft.raw(health, chance.pick(&["0.5", "87.25", "", "3.5E1"]));
        if let Some(known) = ids.get_mut(place) {
            *known = scribe.id;
        }
        shelf.push(scribe.finish(company.entity, binned(chance)));
    }
    shelf.rebuild_index();
    (shelf, ids)
}

/// Contacts or leads.
fn people(
    cast: &Cast,
    chance: &mut Chance,
    (object, accounts): (&str, &[u64]),
    guests: &[super::Person],
) -> Shelf {
    let mut shelf = schema::shelf(object);
    let contact = object == "Contact";
    let [
        first,
        last,
        email,
        phone,
        mobile,
        title,
        owned,
        account,
        company,
    ] = shelf.columns([
        "FirstName",
        "LastName",
        "Email",
        "Phone",
        "MobilePhone",
        "Title",
        "OwnerId",
        "AccountId",
        "Company",
    ]);
    let [city, country] = if contact {
        shelf.columns(["MailingCity", "MailingCountry"])
    } else {
        shelf.columns(["City", "Country"])
    };
    let [source, status, interests, birthdate] =
        shelf.columns(["LeadSource", "Status", "Interests__c", "Birthdate"]);
    let mut scribe = Scribe::new(&shelf, guests.len());
    for person in guests {
        let written = spelling::person(chance, person, &cast.companies);
        let draft = scribe.start(cast, chance);
        set(draft, first, &written.first);
        set(draft, last, &written.last);
        set(draft, email, &written.email);
        set(draft, phone, &written.phone);
        set(draft, mobile, &written.mobile);
        choose(draft, chance, title, super::words::TITLES);
        set(draft, owned, &owner(chance));
        if let Some(employer) = cast.companies.get(written.employer) {
            if chance.percent(60) {
                set(draft, city, employer.city);
            }
            choose(draft, chance, country, &employer.culture.country);
            // A lead cannot be without a company.
            set(
                draft,
                company,
                match written.company.as_str() {
                    "" => "Not Provided",
                    name => name,
                },
            );
        }
        let known = accounts.get(written.employer).copied().unwrap_or(0);
        if known != 0 {
            set(draft, account, &id_text("001", known));
        }
        choose(draft, chance, source, &["Web", "Phone Inquiry", "", ""]);
        choose(draft, chance, status, &["Open", "Working", "Qualified"]);
        choose(draft, chance, interests, &["core;plus", "support", "", ""]);
        if birthdate != usize::MAX && chance.percent(10) {
            let born_ms = cast.start_ms - chance.between(7_000, 24_000) * DAY_MS;
            draft.quoted(birthdate, |out| push_date(out, born_ms));
        }
        shelf.push(scribe.finish(person.entity, binned(chance)));
    }
    shelf.rebuild_index();
    shelf
}

fn opportunities(cast: &Cast, chance: &mut Chance, accounts: &[u64], contacts: usize) -> Shelf {
    let mut shelf = schema::shelf("Opportunity");
    let columns = shelf.columns(OPPORTUNITY_COLUMNS);
    let [account, name, stage, money, likely, expected, closes, ..] = columns;
    let [
        ..,
        kind,
        source,
        closed,
        won,
        owned,
        contact,
        currency,
        discount,
    ] = columns;
    let known: Vec<(usize, u64)> = accounts
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, id)| *id != 0)
        .collect();
    let count = cast.records * 150 / 1_000;
    let mut scribe = Scribe::new(&shelf, count);
    for _ in 0..count {
        let Some(&(place, id)) = known.get(chance.below(known.len())) else {
            break;
        };
        let Some(company) = cast.companies.get(place) else {
            break;
        };
        let draft = scribe.start(cast, chance);
        set(draft, account, &id_text("001", id));
        set(
            draft,
            name,
            &format!("{} {}", company.name, chance.between(1, 99)),
        );
        let at = chance.pick(&["Prospecting", "Proposal", "Closed Won", "Closed Lost"]);
        set(draft, stage, at);
        let (code, rate) = company.culture.currency;
        set(draft, currency, code);
        if chance.percent(92) {
            let text = amount(chance, rate);
            draft.raw(money, &text);
            draft.raw(expected, &text);
        }
        draft.raw(likely, if at == "Closed Won" { "100.0" } else { "20.0" });
        choose(
            draft,
            chance,
            kind,
            &["New Business", "Existing Business", ""],
        );
        choose(draft, chance, source, &["Web", "Partner Referral", ""]);
        draft.raw(closed, &(at.starts_with("Closed")).to_string());
        draft.raw(won, &(at == "Closed Won").to_string());
        set(draft, owned, &owner(chance));
        if contacts > 0 && chance.percent(70) {
            let number = u64::try_from(chance.below(contacts))
                .unwrap_or(0)
                .saturating_add(1);
            set(draft, contact, &id_text("003", number));
        }
        draft.raw(discount, chance.pick(&["", "", "", "7.5", "10.0"]));
        let changed_ms = scribe.times.1;
        scribe
            .draft
            .quoted(closes, |out| push_date(out, changed_ms + 30 * DAY_MS));
        shelf.push(scribe.finish(0, binned(chance)));
    }
    shelf.rebuild_index();
    shelf
}

/// The id of one of the users.
pub(super) fn owner(chance: &mut Chance) -> String {
    id_text(
        "005",
        u64::try_from(chance.below(USERS))
            .unwrap_or(0)
            .saturating_add(1),
    )
}

/// One record in 200 is in the recycle bin; since when, the scribe knows.
pub(super) fn binned(chance: &mut Chance) -> State {
    if chance.below(200) == 0 {
        State::Binned(0)
    } else {
        State::Live
    }
}

/// Sets a column to one of several texts; an empty one leaves it null.
pub(super) fn choose(draft: &mut Draft, chance: &mut Chance, column: usize, texts: &[&str]) {
    set(draft, column, chance.pick(texts));
}

pub(super) fn set(draft: &mut Draft, column: usize, text: &str) {
    if !text.is_empty() {
        draft.text(column, text);
    }
}

/// Writes one record after the other.
pub(super) struct Scribe {
    /// The record that was started last.
    pub(super) draft: Draft,
    prefix: &'static str,
    own: [usize; 7],
    flags: Vec<usize>,
    width: usize,
    count: usize,
    id: u64,
    /// When it was made and last changed.
    pub(super) times: (i64, i64),
}

impl Scribe {
    /// Writes `count` records for a shelf.
    pub(super) fn new(shelf: &Shelf, count: usize) -> Self {
        let own = shelf.columns([
            "Id",
            "CreatedDate",
            "LastModifiedDate",
            "SystemModstamp",
            "CreatedById",
            "LastModifiedById",
            "IsDeleted",
        ]);
        let flags = shelf.fields.iter().enumerate();
        let flags = flags
            .filter(|(_, field)| field.kind == Kind::Bool)
            .map(|(at, _)| at)
            .collect();
        Self {
            draft: Draft::default(),
            prefix: schema::key_prefix(&shelf.name),
            own,
            flags,
            width: shelf.fields.len(),
            count,
            id: 0,
            times: (0, 0),
        }
    }

    /// Starts the next record: its id and times stand already, flags are false.
    pub(super) fn start(&mut self, cast: &Cast, chance: &mut Chance) -> &mut Draft {
        let place = usize::try_from(self.id).unwrap_or(0);
        let (created_ms, changed_ms) = cast.times(chance, place, self.count);
        self.times = (whole_second(created_ms), whole_second(changed_ms));
        self.id = self.id.saturating_add(1);
        self.draft.clear(self.width);
        for &column in &self.flags {
            self.draft.raw(column, "false");
        }
        let [id, created, changed, stamped, created_by, changed_by, _] = self.own;
        self.draft.text(id, &id_text(self.prefix, self.id));
        self.draft
            .quoted(created, |out| push_salesforce_time(out, self.times.0));
        self.draft
            .quoted(changed, |out| push_salesforce_time(out, self.times.1));
        self.draft
            .quoted(stamped, |out| push_salesforce_time(out, self.times.1));
        for column in [created_by, changed_by] {
            let user = owner(chance);
            self.draft.text(column, &user);
        }
        &mut self.draft
    }

    pub(super) fn finish(&mut self, entity: u32, state: State) -> Record {
        let state = match state {
            State::Binned(_) => {
                self.draft.raw(self.own[6], "true");
                State::Binned(self.times.1)
            }
            other => other,
        };
        let current = Arc::new(self.draft.finish(self.times.1));
        let indexed = Some(Arc::clone(&current));
        let created_ms = self.times.0;
        Record {
            id: self.id,
            created_ms,
            indexed,
            current,
            state,
            raw: None,
            entity,
        }
    }
}
