//! The answer as it is published, read back.

use std::collections::BTreeSet;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use serde_json::Value;

use super::entities;
use super::reading::rows;
use super::rows::{Texts, unreadable};
use super::tables::{COMPANIES, ENTITY_RECORDS, PEOPLE};
use crate::error::Result;
use crate::plain::PlainTable;
use crate::resolve::{
    Contact, ContactKind, EntityId, GoldenCompany, GoldenPerson, Membership, Resolution,
};
use crate::source::SourceDefinition;
use crate::validate::SqlIdentifier;
use crate::warehouse::{Filter, Scan, Warehouse};

/// Returns who everybody is once a part of the answer has changed: what interactions and deals are told by, and no
/// more. Nothing where there are neither.
pub(super) async fn with(
    warehouse: &dyn Warehouse,
    sources: &[&'static SourceDefinition],
    (part, outdated): (&Resolution, &BTreeSet<EntityId>),
) -> Result<Option<Resolution>> {
    if !has_any(warehouse, sources).await? {
        return Ok(None);
    }
    let is_outdated = |id: &EntityId| outdated.contains(id);
    let mut whole = Resolution {
        people: part.people.clone(),
        companies: part.companies.clone(),
        memberships: part.memberships.clone(),
        ..Resolution::default()
    };
    for batch in scan(warehouse, &PEOPLE).await? {
        let people = people(&batch)?.into_iter();
        whole
            .people
            .extend(people.filter(|it| !is_outdated(&it.id)));
    }
    for batch in scan(warehouse, &COMPANIES).await? {
        let companies = companies(&batch)?.into_iter();
        whole
            .companies
            .extend(companies.filter(|it| !is_outdated(&it.id)));
    }
    for batch in scan(warehouse, &ENTITY_RECORDS).await? {
        let records = entities::records(&batch)?.into_iter();
        let records = records.filter(|(_, _, entity)| !is_outdated(entity));
        whole
            .memberships
            .extend(records.map(|(kind, record, entity_id)| Membership {
                record,
                entity_id,
                kind,
                confidence: 1.0,
                email_match: None,
                phone_match: None,
            }));
    }
    sort(&mut whole);
    Ok(Some(whole))
}

/// Takes note of a part of an answer, with no more than what interactions and deals are told by.
pub(super) fn note(whole: &mut Resolution, part: &Resolution) {
    let people = part.people.iter().map(|it| GoldenPerson {
        full_name: it.full_name.clone(),
        emails: it.emails.clone(),
        phones: it.phones.clone(),
        company_id: it.company_id.clone(),
        domain: it.domain.clone(),
        ..GoldenPerson::unknown(it.id.clone())
    });
    whole.people.extend(people);
    let companies = part.companies.iter().map(|it| GoldenCompany {
        name: it.name.clone(),
        domains: it.domains.clone(),
        emails: it.emails.clone(),
        phones: it.phones.clone(),
        record_count: it.record_count,
        ..GoldenCompany::unknown(it.id.clone())
    });
    whole.companies.extend(companies);
    whole.memberships.extend_from_slice(&part.memberships);
}

/// Brings an answer into its order.
pub(super) fn sort(whole: &mut Resolution) {
    whole.people.sort_by(|a, b| a.id.cmp(&b.id));
    whole.companies.sort_by(|a, b| a.id.cmp(&b.id));
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

async fn scan(warehouse: &dyn Warehouse, table: &PlainTable) -> Result<Vec<RecordBatch>> {
    let scan = Scan::of(SqlIdentifier::parse(table.name)?);
    warehouse.scan(&scan).await
}

fn people(batch: &RecordBatch) -> Result<Vec<GoldenPerson>> {
    let names = [
        "person_id",
        "full_name",
        "emails",
        "phones",
        "company_id",
        "domain",
    ];
    let texts = Texts::of(batch, &names)?;
    let people = (0..batch.num_rows()).map(|row| {
        let [id, full_name, emails, phones, company_id, domain] = texts.row(row);
        let company_id = company_id.map(EntityId::parse).transpose();
        Ok(GoldenPerson {
            full_name: full_name.map(str::to_owned),
            emails: contacts(emails)?,
            phones: contacts(phones)?,
            company_id: company_id.map_err(|_| unreadable())?,
            domain: domain.map(str::to_owned),
            ..GoldenPerson::unknown(entity(id)?)
        })
    });
    people.collect()
}

fn companies(batch: &RecordBatch) -> Result<Vec<GoldenCompany>> {
    let texts = Texts::of(
        batch,
        &["company_id", "name", "domains", "emails", "phones"],
    )?;
    let counts = batch.column_by_name("record_count");
    let counts = counts.and_then(|it| it.as_primitive_opt::<Int64Type>());
    let counts = counts.ok_or_else(unreadable)?;
    let companies = (0..batch.num_rows()).map(|row| {
        let [id, name, domains, emails, phones] = texts.row(row);
        let domains: Vec<String> =
            serde_json::from_str(domains.unwrap_or("[]")).map_err(|_| unreadable())?;
        Ok(GoldenCompany {
            name: name.map(str::to_owned),
            domains,
            emails: contacts(emails)?,
            phones: contacts(phones)?,
            record_count: usize::try_from(counts.value(row)).map_err(|_| unreadable())?,
            ..GoldenCompany::unknown(entity(id)?)
        })
    });
    companies.collect()
}

fn entity(id: Option<&str>) -> Result<EntityId> {
    EntityId::parse(id.unwrap_or_default()).map_err(|_| unreadable())
}

/// Reads a list of addresses or numbers.
fn contacts(list: Option<&str>) -> Result<Vec<Contact>> {
    let list: Vec<Value> = serde_json::from_str(list.unwrap_or("[]")).map_err(|_| unreadable())?;
    let contacts = list.iter().map(|it| {
        Some(Contact {
            value: it.get("value")?.as_str()?.to_owned(),
            kind: ContactKind::parse(it.get("kind")?.as_str()?)?,
            record_count: usize::try_from(it.get("records")?.as_u64()?).ok()?,
        })
    });
    contacts.collect::<Option<_>>().ok_or_else(unreadable)
}
