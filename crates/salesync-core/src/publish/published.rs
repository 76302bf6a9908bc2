//! The answer as it is published, read back.

use std::borrow::Cow;
use std::collections::BTreeSet;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use hashbrown::{HashMap, HashSet};
use serde::Deserialize;

use super::entities;
use super::names::Names;
use super::ours::national;
use super::reading::rows;
use super::rows::{Texts, unreadable};
use super::tables::{COMPANIES, ENTITY_RECORDS, PEOPLE};
use crate::error::Result;
use crate::plain::{Outdated, PlainTable};
use crate::resolve::{
    Contact, ContactKind, EntityId, EntityKind, GoldenCompany, GoldenPerson, Membership, Resolution,
};
use crate::source::SourceDefinition;
use crate::validate::SqlIdentifier;
use crate::warehouse::{Among, Filter, Scan, Values, Warehouse};

/// Returns who everybody is once a part of the answer has changed: what interactions and deals are told by, and no
/// more. With `names` only of those whom these names can lead to, so that each leads where it would among all.
pub(super) async fn with(
    warehouse: &dyn Warehouse,
    (part, outdated): (&Resolution, &BTreeSet<EntityId>),
    names: Option<&Names>,
) -> Result<Resolution> {
    if names.is_some_and(Names::is_empty) {
        return Ok(Resolution::default());
    }
    let mut whole = Resolution {
        people: part.people.clone(),
        companies: part.companies.clone(),
        memberships: part.memberships.clone(),
        ..Resolution::default()
    };
    let holds = |id: &EntityId| !outdated.contains(id);
    let which = names.map(|names| {
        let ids: BTreeSet<&str> = names.records.iter().map(|record| &*record.id).collect();
        ("record_id", ids.into_iter().map(str::to_owned).collect())
    });
    for member in members(warehouse, which).await? {
        let named = names.is_none_or(|names| names.records.contains(&member.record));
        if named && holds(&member.entity_id) {
            whole.memberships.push(member);
        }
    }
    let mut wanted = Wanted::new(names, &whole.memberships);
    for batch in scan(warehouse, &PEOPLE, (PEOPLE_COLUMNS, Filter::All)).await? {
        let people = people(&batch, |row| wanted.has_person(row))?.into_iter();
        whole.people.extend(people.filter(|it| holds(&it.id)));
    }
    wanted.take_employers(&whole.people);
    for batch in scan(warehouse, &COMPANIES, (COMPANIES_COLUMNS, Filter::All)).await? {
        let companies = companies(&batch, |row| wanted.has_company(row))?.into_iter();
        whole.companies.extend(companies.filter(|it| holds(&it.id)));
    }
    if let Some(names) = names {
        let rivals = rivals(&whole.people, names).into_iter();
        let rivals = rivals.filter(|id| holds(id)).map(|id| id.to_string());
        for member in members(warehouse, Some(("entity_id", rivals.collect()))).await? {
            if !names.records.contains(&member.record) {
                whole.memberships.push(member);
            }
        }
    }
    sort(&mut whole);
    Ok(whole)
}

/// Returns people and companies of these ids, with no more than what interactions and deals are told by.
pub(super) async fn of_ids(
    warehouse: &dyn Warehouse,
    ids: &BTreeSet<EntityId>,
) -> Result<(Vec<GoldenPerson>, Vec<GoldenCompany>)> {
    let (mut found_people, mut found_companies) = (Vec::new(), Vec::new());
    let of_kind = |kind| {
        let ids = ids.iter().filter(move |id| id.kind() == kind);
        ids.map(ToString::to_string).collect::<Vec<_>>()
    };
    let ids = of_kind(EntityKind::Person);
    if !ids.is_empty() {
        let asked = (&PEOPLE_COLUMNS[..], among("person_id", ids)?);
        for batch in scan(warehouse, &PEOPLE, asked).await? {
            found_people.extend(people(&batch, |_| true)?);
        }
    }
    let ids = of_kind(EntityKind::Company);
    if !ids.is_empty() {
        let asked = (&COMPANIES_COLUMNS[..], among("company_id", ids)?);
        for batch in scan(warehouse, &COMPANIES, asked).await? {
            found_companies.extend(companies(&batch, |_| true)?);
        }
    }
    Ok((found_people, found_companies))
}

/// Returns the people of whom several have one of the addresses.
fn rivals(people: &[GoldenPerson], names: &Names) -> BTreeSet<EntityId> {
    let mut holders: HashMap<&str, Vec<&EntityId>> = HashMap::new();
    for person in people {
        for contact in &person.emails {
            if names.addresses.contains(&contact.value) {
                holders.entry(&contact.value).or_default().push(&person.id);
            }
        }
    }
    let several = holders.into_values().filter(|holders| holders.len() > 1);
    several.flatten().cloned().collect()
}

/// Which people and companies are wanted; all of them without names.
struct Wanted<'a> {
    names: Option<&'a Names>,
    ids: HashSet<String>,
    /// How the numbers end: those of few others do so.
    endings: HashSet<&'a str>,
}

impl<'a> Wanted<'a> {
    fn new(names: Option<&'a Names>, members: &[Membership]) -> Self {
        let members = members.iter().filter(|_| names.is_some());
        let ids = members.map(|member| member.entity_id.to_string());
        let numbers = names.iter().flat_map(|names| &names.numbers);
        Self {
            names,
            ids: ids.collect(),
            endings: numbers.filter_map(|number| ending(number)).collect(),
        }
    }

    fn take_employers(&mut self, people: &[GoldenPerson]) {
        let people = people.iter().filter(|_| self.names.is_some());
        let employers = people.filter_map(|person| person.company_id.as_ref());
        self.ids.extend(employers.map(ToString::to_string));
    }

    fn has_person(&self, row: [Option<&str>; 6]) -> bool {
        let Some(names) = self.names else {
            return true;
        };
        let [id, _, emails, phones, _, domain] = row;
        self.ids.contains(id.unwrap_or_default())
            || domain.is_some_and(|domain| names.domains.contains(domain))
            || pieces(emails).any(|text| text.contains('@') && names.addresses.contains(text))
            || emails.is_some_and(|list| list.contains('\\'))
            || self.has_number(names, phones)
    }

    fn has_company(&self, row: [Option<&str>; 4]) -> bool {
        let Some(names) = self.names else {
            return true;
        };
        let [id, _, domains, phones] = row;
        self.ids.contains(id.unwrap_or_default())
            || pieces(domains).any(|domain| names.domains.contains(domain))
            || self.has_number(names, phones)
    }

    fn has_number(&self, names: &Names, phones: Option<&str>) -> bool {
        let is_named = |text: &str| {
            text.ends_with(|last: char| last.is_ascii_digit())
                && ending(text).is_some_and(|ending| self.endings.contains(ending))
                && national(text).is_some_and(|it| names.numbers.contains(&it))
        };
        pieces(phones).any(is_named)
    }
}

/// Returns all texts of a list in which nothing is escaped, and what stands between them.
fn pieces(list: Option<&str>) -> impl Iterator<Item = &str> {
    list.unwrap_or_default().split('"')
}

/// Returns the last digits of a number, the same of a national number and of one in E.164.
fn ending(number: &str) -> Option<&str> {
    number.get(number.len().checked_sub(4)?..)
}

/// Takes note of a part of an answer, with no more than what interactions and deals are told by.
pub(super) fn note(whole: &mut Resolution, part: &Resolution) {
    let people = part.people.iter().map(|it| GoldenPerson {
        full_name: it.full_name.clone(),
        emails: it.emails.clone(),
        phones: it.phones.clone(),
        company_id: it.company_id,
        domain: it.domain.clone(),
        ..GoldenPerson::unknown(it.id)
    });
    whole.people.extend(people);
    let companies = part.companies.iter().map(|it| GoldenCompany {
        name: it.name.clone(),
        domains: it.domains.clone(),
        phones: it.phones.clone(),
        record_count: it.record_count,
        ..GoldenCompany::unknown(it.id)
    });
    whole.companies.extend(companies);
    whole.memberships.extend_from_slice(&part.memberships);
}

/// Brings an answer into its order.
pub(super) fn sort(whole: &mut Resolution) {
    whole.people.sort_by_key(|a| a.id);
    whole.companies.sort_by_key(|a| a.id);
    let members = &mut whole.memberships;
    members.sort_by(|a, b| (a.kind, &a.record).cmp(&(b.kind, &b.record)));
}

/// Says whether there are any records that tell of interactions or deals.
pub(super) async fn has_any(
    warehouse: &dyn Warehouse,
    sources: &[&'static SourceDefinition],
) -> Result<bool> {
    for source in sources {
        let interactions = source.interactions.iter().map(|declared| declared.stream);
        let deals = source.deals.iter().map(|declared| declared.stream);
        for stream in interactions.chain(deals) {
            let asked = (&["id"][..], Filter::Live);
            let found = rows(warehouse, (source.name, stream), asked).await?;
            if found.iter().any(|batch| batch.num_rows() > 0) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Reads columns of those rows of a table of ours that a filter lets through.
pub(super) async fn scan(
    warehouse: &dyn Warehouse,
    table: &PlainTable,
    (columns, filter): (&[&str], Filter),
) -> Result<Vec<RecordBatch>> {
    let columns = columns.iter().map(|column| SqlIdentifier::parse(column));
    let scan = Scan {
        columns: columns.collect::<Result<_>>()?,
        filter,
        ..Scan::of(SqlIdentifier::parse(table.name)?)
    };
    let found = warehouse.scan(&scan).await?;
    Ok(found.into_iter().filter(|it| it.num_rows() > 0).collect())
}

/// Returns what lets those rows through in which a column holds one of some texts.
pub(super) fn among(column: &str, texts: impl IntoIterator<Item = String>) -> Result<Filter> {
    Ok(Filter::Among(texts_of(column, texts)?))
}

/// Returns which rows are outdated: those in which a column holds one of some texts.
pub(super) fn one_of(column: &str, texts: impl IntoIterator<Item = String>) -> Result<Outdated> {
    Ok(Outdated::Any(vec![texts_of(column, texts)?]))
}

fn texts_of(column: &str, texts: impl IntoIterator<Item = String>) -> Result<Among> {
    Ok(Among {
        column: SqlIdentifier::parse(column)?,
        values: Values::Texts(texts.into_iter().collect()),
    })
}

/// Returns which entity each record is, of those in which a column holds one of some texts, or of all.
async fn members(
    warehouse: &dyn Warehouse,
    which: Option<(&str, Vec<String>)>,
) -> Result<Vec<Membership>> {
    const COLUMNS: &[&str] = &["entity_id", "kind", "source", "stream", "record_id"];
    let filter = match which {
        None => Filter::All,
        Some((_, texts)) if texts.is_empty() => return Ok(Vec::new()),
        Some((column, texts)) => among(column, texts)?,
    };
    let mut members = Vec::new();
    for batch in scan(warehouse, &ENTITY_RECORDS, (COLUMNS, filter)).await? {
        let records = entities::records(&batch)?.into_iter();
        members.extend(records.map(|(kind, record, entity_id)| Membership {
            record,
            entity_id,
            kind,
            confidence: 1.0,
            email_match: None,
            phone_match: None,
        }));
    }
    Ok(members)
}

const PEOPLE_COLUMNS: &[&str; 6] = &[
    "person_id",
    "full_name",
    "emails",
    "phones",
    "company_id",
    "domain",
];

/// Reads those rows of `people` that are wanted.
fn people(
    batch: &RecordBatch,
    mut is_wanted: impl FnMut([Option<&str>; 6]) -> bool,
) -> Result<Vec<GoldenPerson>> {
    let texts = Texts::of(batch, PEOPLE_COLUMNS)?;
    let mut people = Vec::new();
    for row in (0..batch.num_rows()).map(|row| texts.row(row)) {
        if !is_wanted(row) {
            continue;
        }
        let [id, full_name, emails, phones, company_id, domain] = row;
        let company_id = company_id.map(EntityId::parse).transpose();
        people.push(GoldenPerson {
            full_name: full_name.map(str::to_owned),
            emails: contacts(emails)?,
            phones: contacts(phones)?,
            company_id: company_id.map_err(|_| unreadable())?,
            domain: domain.map(str::to_owned),
            ..GoldenPerson::unknown(entity(id)?)
        });
    }
    Ok(people)
}

const COMPANIES_COLUMNS: &[&str; 5] = &["company_id", "name", "domains", "phones", "record_count"];

/// Reads those rows of `companies` that are wanted.
fn companies(
    batch: &RecordBatch,
    mut is_wanted: impl FnMut([Option<&str>; 4]) -> bool,
) -> Result<Vec<GoldenCompany>> {
    let texts = Texts::of(batch, &["company_id", "name", "domains", "phones"])?;
    let counts = batch.column_by_name("record_count");
    let counts = counts.and_then(|it| it.as_primitive_opt::<Int64Type>());
    let counts = counts.ok_or_else(unreadable)?;
    let mut companies = Vec::new();
    for row in 0..batch.num_rows() {
        let count = counts.value(row);
        let row = texts.row(row);
        if !is_wanted(row) {
            continue;
        }
        let [id, name, domains, phones] = row;
        companies.push(GoldenCompany {
            name: name.map(str::to_owned),
            domains: list(domains)?,
            phones: contacts(phones)?,
            record_count: usize::try_from(count).map_err(|_| unreadable())?,
            ..GoldenCompany::unknown(entity(id)?)
        });
    }
    Ok(companies)
}

fn entity(id: Option<&str>) -> Result<EntityId> {
    EntityId::parse(id.unwrap_or_default()).map_err(|_| unreadable())
}

/// Reads a JSON list.
fn list<'a, T: Deserialize<'a>>(list: Option<&'a str>) -> Result<Vec<T>> {
    match list {
        None | Some("[]") => Ok(Vec::new()),
        Some(list) => serde_json::from_str(list).map_err(|_| unreadable()),
    }
}

/// An address or number as it stands in a list.
#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    value: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    records: usize,
}

fn listed(contacts: Option<&str>) -> Result<Vec<Listed<'_>>> {
    list(contacts)
}

/// Reads a list of addresses or numbers.
fn contacts(list: Option<&str>) -> Result<Vec<Contact>> {
    let contacts = listed(list)?.into_iter().map(|it| {
        Some(Contact {
            value: it.value.into_owned(),
            kind: ContactKind::parse(&it.kind)?,
            record_count: it.records,
        })
    });
    contacts.collect::<Option<_>>().ok_or_else(unreadable)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whom_a_name_can_lead_to_is_among_the_wanted() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let names = Names {
            addresses: texts(&["ann@gmail.com", "jo@\"gmail.com"]),
            domains: texts(&["quarry.io"]),
            numbers: texts(&["4155550123"]),
            ..Names::default()
        };
        let wanted = Wanted::new(Some(&names), &[]);
        let list =
            |value: &str| json!([{"value": value, "kind": "work", "records": 3}]).to_string();
        for (email, phone, domain, expected) in [
            ("ann@gmail.com", "", "", true),
            ("jo@\"gmail.com", "", "", true),
            ("bo@gmail.com", "", "", false),
            ("", "+14155550123", "", true),
            ("", "4155550123", "", true),
            ("", "+14155550124", "", false),
            ("", "", "quarry.io", true),
            ("", "", "harbour.io", false),
        ] {
            let (emails, phones) = (list(email), list(phone));
            let row = [
                Some("per_1"),
                None,
                Some(&*emails),
                Some(&*phones),
                None,
                Some(domain),
            ];
            assert_eq!(wanted.has_person(row), expected, "{email} {phone} {domain}");
        }
        let row = |domains| [Some("com_1"), None, Some(domains), None];
        assert!(wanted.has_company(row(r#"["mill.io","quarry.io"]"#)));
        assert!(!wanted.has_company(row(r#"["mill.io"]"#)));
    }
}
