//! Writes the invented people and companies down as HubSpot's records.

use std::sync::Arc;

use super::chance::Chance;
use super::people::Company;
use super::{Cast, amount, spelling};
use crate::hubspot::schema;
use crate::store::{DAY_MS, Draft, Record, Shelf, State, Version, push_date, push_hubspot_time};
use crate::world::{FIRST_ID, HubSpotSide, ID_STEP, Owner};

/// How many of our own people there are.
pub(super) const OWNERS: usize = 12;
/// The id of the first one; the others follow in steps of seven.
pub(super) const FIRST_OWNER: u64 = 70_000_007;
const COMPANY_COLUMNS: [&str; 15] = [
    "name",
    "domain",
    "website",
    "phone",
    "address",
    "city",
    "country",
    "industry",
    "numberofemployees",
    "annualrevenue",
    "hubspot_owner_id",
    "is_public",
    "customer_tier",
    "vat_number",
    "description",
];
const CONTACT_COLUMNS: [&str; 19] = [
    "firstname",
    "lastname",
    "email",
    "phone",
    "mobilephone",
    "company",
    "jobtitle",
    "city",
    "country",
    "lifecyclestage",
    "hs_lead_status",
    "hubspot_owner_id",
    "associatedcompanyid",
    "hs_email_domain",
    "hs_email_optout",
    "product_interest",
    "contract_renewal",
    "fit_score",
    "notes_last_contacted",
];
const DEAL_COLUMNS: [&str; 15] = [
    "dealname",
    "amount",
    "amount_in_home_currency",
    "deal_currency_code",
    "pipeline",
    "dealstage",
    "dealtype",
    "closedate",
    "hubspot_owner_id",
    "hs_is_closed",
    "hs_is_closed_won",
    "hs_primary_associated_company",
    "hs_deal_stage_probability",
    "signature_date",
    "discount_percent",
];

/// HubSpot without any records.
pub(super) fn empty() -> HubSpotSide {
    let mut side = HubSpotSide::default();
    let others = ["contacts", "companies", "deals", "tickets"].into_iter();
    for object in others.chain(schema::ENGAGEMENTS) {
        side.put_shelf(schema::shelf(object));
    }
    side
}

/// HubSpot with its share of the records.
pub(super) fn fill(cast: &Cast, chance: &mut Chance) -> HubSpotSide {
    let mut side = empty();
    side.owners = owners(cast);
    let (companies, ids) = companies(cast, chance);
    let (contacts, employers) = contacts(cast, chance, &ids);
    let (deals, deal_companies, deal_contacts) = deals(cast, chance, &ids, contacts.records());
    side.put_links("contacts", "companies", employers);
    side.put_links("deals", "companies", deal_companies);
    side.put_links("deals", "contacts", deal_contacts);
    for shelf in [companies, contacts, deals] {
        side.put_shelf(shelf);
    }
    side
}

fn owners(cast: &Cast) -> Vec<Owner> {
    let people = cast.people.iter().rev().take(OWNERS);
    people
        .zip((FIRST_OWNER..).step_by(7))
        .map(|(person, id)| {
            let name = [person.given().0.to_owned(), person.family()];
            Owner {
                id,
                email: format!("owner.{id}@sandbox.example"),
                name,
                archived: id % 5 == 0,
                created_ms: cast.start_ms - 800 * DAY_MS,
            }
        })
        .collect()
}

fn owner(chance: &mut Chance) -> String {
    (FIRST_OWNER + 7 * u64::try_from(chance.below(OWNERS)).unwrap_or(0)).to_string()
}

/// The companies, and the id of each entity that is among them (0 for the others).
fn companies(cast: &Cast, chance: &mut Chance) -> (Shelf, Vec<u64>) {
    let mut shelf = schema::shelf("companies");
    let columns = shelf.columns(COMPANY_COLUMNS);
    let [
        name,
        domain,
        website,
        phone,
        address,
        city,
        country,
        industry,
        ..,
    ] = columns;
    let [.., staff, revenue, owned, public, tier, vat, description] = columns;
    let mut order: Vec<usize> = (0..cast.hubspot[0].min(cast.companies.len())).collect();
    chance.shuffle(&mut order);
    let mut ids = vec![0; cast.companies.len()];
    let mut scribe = Scribe::new(&shelf, order.len());
    for place in order {
        let Some(company) = cast.companies.get(place) else {
            continue;
        };
        let draft = scribe.start(cast, chance);
        set(draft, name, &spelling::company_name(chance, company));
        if chance.percent(88) {
            set(draft, domain, &company.domain);
            set(draft, website, &format!("https://www.{}/", company.domain));
        }
        if chance.percent(80) {
            set(
                draft,
                phone,
                &spelling::phone(chance, company.culture, &company.phone),
            );
        }
        set(draft, address, &company.street);
        set(draft, city, company.city);
        choose(draft, chance, country, &company.culture.country);
        choose(
            draft,
            chance,
            industry,
            &["COMPUTER_SOFTWARE", "MACHINERY", "RETAIL", ""],
        );
        set(draft, staff, &chance.between(3, 9_000).to_string());
        set(draft, revenue, &amount(chance, company.culture.currency.1));
        set(draft, owned, &owner(chance));
        choose(draft, chance, public, &["true", "false", ""]);
        choose(draft, chance, tier, &["gold", "silver", "bronze", "", ""]);
        set(draft, vat, &vat_number(chance, company));
        if chance.percent(10) {
            set(
                draft,
                description,
                "Met at a fair.\n\"Wants a quote\" \u{2014} call back",
            );
        }
        if let Some(known) = ids.get_mut(place) {
            *known = scribe.id;
        }
        shelf.push(scribe.finish(company.entity, chance));
    }
    shelf.rebuild_index();
    (shelf, ids)
}

fn vat_number(chance: &mut Chance, company: &Company) -> String {
    if chance.percent(70) {
        return String::new();
    }
    chance.digits(&format!("{}#########", company.culture.country[2]))
}

/// The contacts, and which company each belongs to.
fn contacts(cast: &Cast, chance: &mut Chance, companies: &[u64]) -> (Shelf, Vec<(u64, u64)>) {
    let mut shelf = schema::shelf("contacts");
    let columns = shelf.columns(CONTACT_COLUMNS);
    let [
        first,
        last,
        email,
        phone,
        mobile,
        company,
        title,
        city,
        country,
        ..,
    ] = columns;
    let [
        ..,
        stage,
        status,
        owned,
        linked,
        domain,
        optout,
        interest,
        renewal,
        score,
        called,
    ] = columns;
    let mut links = Vec::new();
    let guests = cast.guests(chance, 0, cast.hubspot[1].min(cast.people.len()));
    let mut scribe = Scribe::new(&shelf, guests.len());
    for person in guests {
        let written = spelling::person(chance, &person, &cast.companies);
        let draft = scribe.start(cast, chance);
        set(draft, first, &written.first);
        set(draft, last, &written.last);
        set(draft, email, &written.email);
        set(draft, phone, &written.phone);
        set(draft, mobile, &written.mobile);
        set(draft, company, &written.company);
        choose(draft, chance, title, super::words::TITLES);
        if let Some(employer) = cast.companies.get(written.employer) {
            if chance.percent(60) {
                set(draft, city, employer.city);
            }
            choose(draft, chance, country, &employer.culture.country);
        }
        choose(
            draft,
            chance,
            stage,
            &["lead", "customer", "opportunity", "subscriber"],
        );
        choose(draft, chance, status, &["NEW", "OPEN", "", ""]);
        set(draft, owned, &owner(chance));
        if let Some((_, host)) = written.email.split_once('@') {
            set(draft, domain, host);
        }
        choose(draft, chance, optout, &["true", "false", "", ""]);
        choose(
            draft,
            chance,
            interest,
            &["core;plus", "support", "", "", ""],
        );
        choose(draft, chance, score, &["0.75", "12", "1.5E1", "", ""]);
        let changed_ms = scribe.times.1;
        let draft = &mut scribe.draft;
        if chance.percent(20) {
            draft.quoted(renewal, |out| push_date(out, changed_ms + 200 * DAY_MS));
            draft.quoted(called, |out| push_hubspot_time(out, changed_ms - DAY_MS));
        }
        let known = companies.get(written.employer).copied().unwrap_or(0);
        if known != 0 && chance.percent(85) {
            set(draft, linked, &known.to_string());
            links.push((scribe.id, known));
        }
        shelf.push(scribe.finish(person.entity, chance));
    }
    shelf.rebuild_index();
    (shelf, links)
}

type Links = Vec<(u64, u64)>;

fn deals(
    cast: &Cast,
    chance: &mut Chance,
    companies: &[u64],
    contacts: &[Record],
) -> (Shelf, Links, Links) {
    let mut shelf = schema::shelf("deals");
    let columns = shelf.columns(DEAL_COLUMNS);
    let [
        name,
        money,
        home,
        currency,
        pipeline,
        stage,
        kind,
        closes,
        ..,
    ] = columns;
    let [.., owned, closed, won, primary, likely, signed, discount] = columns;
    let (mut with_company, mut with_contact) = (Vec::new(), Vec::new());
    let known: Vec<(usize, u64)> = companies
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, id)| *id != 0)
        .collect();
    let count = cast.records * 120 / 1_000;
    let mut scribe = Scribe::new(&shelf, count);
    for _ in 0..count {
        let one = known.get(chance.below(known.len()));
        let one = one.and_then(|(place, id)| Some((cast.companies.get(*place)?, *id)));
        let Some((company, id)) = one else { break };
        let draft = scribe.start(cast, chance);
        set(
            draft,
            name,
            &format!("{} {}", company.name, chance.between(1, 99)),
        );
        let (code, rate) = company.culture.currency;
        if chance.percent(92) {
            let text = amount(chance, rate);
            set(draft, money, &text);
            set(draft, home, &text);
            set(draft, currency, code);
        }
        set(draft, pipeline, "default");
        let at = chance.pick(&[
            "appointmentscheduled",
            "contractsent",
            "closedwon",
            "closedlost",
        ]);
        set(draft, stage, at);
        choose(
            draft,
            chance,
            kind,
            &["newbusiness", "existingbusiness", ""],
        );
        set(draft, owned, &owner(chance));
        set(draft, closed, &(at.starts_with("closed")).to_string());
        set(draft, won, &(at == "closedwon").to_string());
        set(draft, primary, &id.to_string());
        set(draft, likely, if at == "closedwon" { "1.0" } else { "0.2" });
        choose(draft, chance, discount, &["", "", "", "7.5", "10"]);
        let changed_ms = scribe.times.1;
        scribe.draft.quoted(closes, |out| {
            push_hubspot_time(out, changed_ms + 30 * DAY_MS)
        });
        if at == "closedwon" {
            scribe
                .draft
                .quoted(signed, |out| push_date(out, changed_ms));
        }
        with_company.push((scribe.id, id));
        if let Some(contact) = contacts.get(chance.below(contacts.len())) {
            with_contact.push((scribe.id, contact.id));
        }
        shelf.push(scribe.finish(0, chance));
    }
    shelf.rebuild_index();
    (shelf, with_company, with_contact)
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
    own: [usize; 3],
    width: usize,
    count: usize,
    place: usize,
    /// The id of that record.
    pub(super) id: u64,
    /// When it was made and last changed.
    pub(super) times: (i64, i64),
}

impl Scribe {
    /// Writes `count` records for a shelf.
    pub(super) fn new(shelf: &Shelf, count: usize) -> Self {
        let object = shelf.name.as_str();
        let own = shelf.columns([
            "hs_object_id",
            schema::created_property(object),
            schema::time_property(object),
        ]);
        let id = FIRST_ID.saturating_sub(ID_STEP);
        let width = shelf.fields.len();
        Self {
            draft: Draft::default(),
            own,
            width,
            count,
            place: 0,
            id,
            times: (0, 0),
        }
    }

    /// Starts the next record: its id and times stand already.
    pub(super) fn start(&mut self, cast: &Cast, chance: &mut Chance) -> &mut Draft {
        self.id = self.id.saturating_add(ID_STEP);
        self.times = cast.times(chance, self.place, self.count);
        self.place = self.place.saturating_add(1);
        self.draft.clear(self.width);
        let [id, created, changed] = self.own;
        self.draft.text(id, &self.id.to_string());
        self.draft
            .quoted(created, |out| push_hubspot_time(out, self.times.0));
        self.draft
            .quoted(changed, |out| push_hubspot_time(out, self.times.1));
        &mut self.draft
    }

    /// Ends the record; one in 200 is archived.
    pub(super) fn finish(&self, entity: u32, chance: &mut Chance) -> Record {
        let current: Arc<Version> = Arc::new(self.draft.finish(self.times.1));
        let archived = chance.below(200) == 0;
        Record {
            id: self.id,
            created_ms: self.times.0,
            indexed: (!archived).then(|| Arc::clone(&current)),
            current,
            state: if archived {
                State::Binned(self.times.1)
            } else {
                State::Live
            },
            raw: None,
            entity,
        }
    }
}
