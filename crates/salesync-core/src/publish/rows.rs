//! The answer as rows, and the last answer read back.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use serde_json::json;

use super::tables::{
    COMPANIES, ENTITY_HISTORY, ENTITY_RECORDS, MATCH_EVIDENCE, MATCH_REVIEW, PEOPLE,
};
use super::{Resolved, entities};
use crate::error::{Code, Error, Result};
use crate::plain::{NewRows, Outdated, PlainRows, PlainTable, text};
use crate::record::Value;
use crate::resolve::{
    Change, Contact, EntityId, Evidence, GoldenCompany, GoldenPerson, Membership, OtherValue,
    Previous, Resolution, Review,
};
use crate::run::RunId;
use crate::time::Timestamp;
use crate::validate::SqlIdentifier;
use crate::warehouse::{Among, Scan, Values, Warehouse};

/// A row of `entity_history`.
struct HistoryRow {
    happened_at: Timestamp,
    event: String,
    entity_id: EntityId,
    successor_id: Option<EntityId>,
}

/// Reads the last answer.
pub(super) async fn earlier(warehouse: &dyn Warehouse) -> Result<Previous> {
    let mut earlier = Previous::default();
    for batch in warehouse
        .scan(&Scan::of(SqlIdentifier::parse(ENTITY_RECORDS.name)?))
        .await?
    {
        for (kind, record, entity) in entities::records(&batch)? {
            earlier.assignments.insert((kind, record), entity);
        }
    }
    let mut history = Vec::new();
    for batch in warehouse
        .scan(&Scan::of(SqlIdentifier::parse(ENTITY_HISTORY.name)?))
        .await?
    {
        history.extend(history_rows(&batch)?);
    }
    history.sort_by_key(|row| row.happened_at);
    let alive: HashSet<EntityId> = earlier.assignments.values().copied().collect();
    for row in history {
        match row.event.as_str() {
            "created" if alive.contains(&row.entity_id) => {
                let at = u64::try_from(row.happened_at.micros()).unwrap_or_default();
                earlier.ages.insert(row.entity_id, at);
            }
            "merged" | "gone" => {
                earlier.retired.insert(row.entity_id, row.successor_id);
            }
            _ => {}
        }
    }
    Ok(earlier)
}

/// Reads rows of `entity_history`.
fn history_rows(batch: &RecordBatch) -> Result<Vec<HistoryRow>> {
    let columns = Texts::of(batch, &["event", "entity_id", "successor_id"])?;
    let times = batch.column_by_name("happened_at");
    let times = times.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let times = times.ok_or_else(unreadable)?;
    let id = |text| EntityId::parse(text).map_err(|_| unreadable());
    let read = (0..batch.num_rows()).map(|row| {
        let [Some(event), Some(entity), successor] = columns.row(row) else {
            return Err(unreadable());
        };
        Ok(HistoryRow {
            happened_at: Timestamp::from_micros(times.value(row)),
            event: event.to_owned(),
            entity_id: id(entity)?,
            successor_id: successor.map(id).transpose()?,
        })
    });
    read.collect()
}

pub(super) fn unreadable() -> Error {
    Error::new(Code::StoreCorrupt, "read the last resolve")
}

/// Text columns of a batch of ours.
pub(super) struct Texts<'a, const N: usize>([&'a arrow::array::StringArray; N]);

impl<'a, const N: usize> Texts<'a, N> {
    /// Returns the columns of these names.
    pub(super) fn of(batch: &'a RecordBatch, names: &[&str; N]) -> Result<Self> {
        let columns: Option<Vec<_>> = names
            .iter()
            .map(|name| batch.column_by_name(name)?.as_string_opt::<i32>())
            .collect();
        let columns = columns.ok_or_else(unreadable)?;
        <[_; N]>::try_from(columns)
            .map(Self)
            .map_err(|_| unreadable())
    }

    /// Returns a row's texts.
    pub(super) fn row(&self, row: usize) -> [Option<&'a str>; N] {
        self.0
            .map(|column| column.is_valid(row).then(|| column.value(row)))
    }
}

/// Which of what the tables hold an answer takes the place of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Replaces<'a> {
    /// All of it.
    All,
    /// What belongs to these entities.
    Entities(&'a BTreeSet<EntityId>),
}

impl Replaces<'_> {
    /// Returns the rows of a table that belong to the entities: those in which one of the columns names one.
    fn outdated(self, columns: &[&str]) -> Result<Outdated> {
        let Self::Entities(entities) = self else {
            return Ok(Outdated::All);
        };
        let among = columns.iter().map(|column| {
            let entities = entities.iter().map(ToString::to_string);
            Ok(Among {
                column: SqlIdentifier::parse(column)?,
                values: Values::Texts(entities.collect()),
            })
        });
        Ok(Outdated::Any(among.collect::<Result<_>>()?))
    }
}

/// Returns the answer as the rows of its tables.
pub(super) fn of(
    resolution: &Arc<Resolution>,
    replaces: Replaces<'_>,
    (run_id, now): (&RunId, Timestamp),
) -> Result<Vec<NewRows>> {
    let person = replaces.outdated(&["person_id"])?;
    let company = replaces.outdated(&["company_id"])?;
    let entity = replaces.outdated(&["entity_id"])?;
    let either = replaces.outdated(&["left_entity_id", "right_entity_id"])?;
    let mut events = PlainRows::new(&ENTITY_HISTORY)?;
    resolution
        .changes
        .iter()
        .try_for_each(|change| push_event(&mut events, change, (run_id, now)))?;
    Ok(vec![
        listed(&PEOPLE, person, resolution, |it| &it.people, push_person),
        listed(
            &COMPANIES,
            company,
            resolution,
            |it| &it.companies,
            push_company,
        ),
        listed(
            &ENTITY_RECORDS,
            entity.clone(),
            resolution,
            |it| &it.memberships,
            push_member,
        ),
        listed(
            &MATCH_EVIDENCE,
            entity,
            resolution,
            |it| &it.evidence,
            push_evidence,
        ),
        listed(
            &MATCH_REVIEW,
            either,
            resolution,
            |it| &it.review,
            push_review,
        ),
        // What happened stays so.
        NewRows {
            outdated: Outdated::Any(Vec::new()),
            ..events.finish()?.into()
        },
    ])
}

/// Returns a row for each of a list in something shared, made while they are written.
pub(super) fn listed<S: Send + Sync + 'static, T: 'static>(
    table: &'static PlainTable,
    outdated: Outdated,
    shared: &Arc<S>,
    list: fn(&S) -> &[T],
    push: fn(&mut PlainRows, &T) -> Result<()>,
) -> NewRows {
    let all = (shared, list(shared).len());
    NewRows::stepwise(table, outdated, all, move |rows, shared: &S, at| {
        let one = list(shared).get(at);
        one.map_or(Ok(()), |one| push(rows, one))
    })
}

fn push_member(rows: &mut PlainRows, member: &Membership) -> Result<()> {
    rows.push(&[
        entity_value(Some(&member.entity_id)),
        text(Some(member.kind.as_str())),
        text(Some(&member.record.source)),
        text(Some(&member.record.stream)),
        text(Some(&member.record.id)),
        Value::Double(f64::from(member.confidence)),
        member.email_match.map_or(Value::Null, Value::Bool),
        member.phone_match.map_or(Value::Null, Value::Bool),
    ])
}

fn push_person(rows: &mut PlainRows, person: &GoldenPerson) -> Result<()> {
    let (emails, phones) = (contacts(&person.emails), contacts(&person.phones));
    rows.push(&[
        entity_value(Some(&person.id)),
        text(person.full_name.as_deref()),
        text(person.first_name.as_deref()),
        text(person.last_name.as_deref()),
        text(person.email.as_deref()),
        text(Some(&emails)),
        text(Some(&phones)),
        text(person.title.as_deref()),
        entity_value(person.company_id.as_ref()),
        text(person.company.as_deref()),
        text(person.domain.as_deref()),
        text(person.city.as_deref()),
        text(person.country.as_deref()),
        number(person.record_count),
        number(person.source_count),
        instant(person.first_seen),
        instant(person.last_seen),
        Value::Double(f64::from(person.confidence)),
        text(other_values(&person.other_values).as_deref()),
    ])
}

fn push_company(rows: &mut PlainRows, company: &GoldenCompany) -> Result<()> {
    let (emails, phones) = (contacts(&company.emails), contacts(&company.phones));
    let domains = json!(company.domains).to_string();
    rows.push(&[
        entity_value(Some(&company.id)),
        text(company.name.as_deref()),
        text(company.domain.as_deref()),
        text(Some(&domains)),
        text(Some(&emails)),
        text(Some(&phones)),
        text(company.city.as_deref()),
        text(company.country.as_deref()),
        number(company.record_count),
        number(company.source_count),
        instant(company.first_seen),
        instant(company.last_seen),
        Value::Double(f64::from(company.confidence)),
        text(other_values(&company.other_values).as_deref()),
    ])
}

fn push_evidence(rows: &mut PlainRows, pair: &Evidence) -> Result<()> {
    let [ls, lt, li, rs, rt, ri] = names(pair);
    rows.push(&[
        entity_value(Some(&pair.entity_id)),
        text(Some(pair.kind.as_str())),
        ls,
        lt,
        li,
        rs,
        rt,
        ri,
        text(Some(pair.key)),
        Value::Text(fields(pair).into()),
        Value::Double(f64::from(pair.prior_bits)),
        Value::Double(f64::from(pair.total_bits)),
        Value::Double(f64::from(pair.probability)),
        text(Some(pair.outcome.as_str())),
    ])
}

fn push_review(rows: &mut PlainRows, review: &Review) -> Result<()> {
    let pair = &review.evidence;
    let [ls, lt, li, rs, rt, ri] = names(pair);
    rows.push(&[
        entity_value(Some(&pair.entity_id)),
        entity_value(Some(&review.other_entity_id)),
        text(Some(pair.kind.as_str())),
        ls,
        lt,
        li,
        rs,
        rt,
        ri,
        text(Some(pair.outcome.as_str())),
        text(Some(pair.key)),
        Value::Text(fields(pair).into()),
        Value::Double(f64::from(pair.prior_bits)),
        Value::Double(f64::from(pair.total_bits)),
        Value::Double(f64::from(pair.probability)),
        Value::Double(review.expected_pairs()),
    ])
}

/// Returns an entity's id as a value.
pub(super) fn entity_value(id: Option<&EntityId>) -> Value<'static> {
    id.map_or(Value::Null, |id| Value::Text(id.to_string().into()))
}

/// Returns source, stream and id of a pair's records, the left one first.
fn names(pair: &Evidence) -> [Value<'_>; 6] {
    let (left, right) = (&pair.left, &pair.right);
    [
        &left.source,
        &left.stream,
        &left.id,
        &right.source,
        &right.stream,
        &right.id,
    ]
    .map(|name| text(Some(name)))
}

/// Returns what each field of a pair says, as a JSON list.
fn fields(pair: &Evidence) -> String {
    let fields = pair
        .fields
        .iter()
        .map(|field| json!({"field": field.field, "level": field.level, "bits": field.bits}));
    serde_json::Value::from_iter(fields).to_string()
}

fn push_event(
    rows: &mut PlainRows,
    change: &Change,
    (run_id, now): (&RunId, Timestamp),
) -> Result<()> {
    let (event, id, successor) = match change {
        Change::Created(id) => ("created", id, None),
        Change::Merged(id, successor) => ("merged", id, Some(successor)),
        Change::Split(id, other) => ("split", id, Some(other)),
        Change::Gone(id) => ("gone", id, None),
    };
    rows.push(&[
        text(Some(run_id.as_str())),
        Value::Timestamp(now),
        text(Some(event)),
        entity_value(Some(id)),
        entity_value(successor),
    ])
}

/// Returns the figures that a report shows.
pub(super) fn summary(resolution: &Resolution) -> Resolved {
    let size = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let changes =
        |wanted: fn(&Change) -> bool| size(resolution.changes.iter().filter(|c| wanted(c)).count());
    Resolved {
        records: size(resolution.counts.identities),
        people: size(resolution.people.len()),
        companies: size(resolution.companies.len()),
        pairs_compared: size(resolution.counts.candidate_pairs),
        refused: size(resolution.counts.refused_merges),
        to_review: size(resolution.review.len()),
        contradicting_overrides: size(resolution.counts.contradicting_overrides),
        changed: None,
        created: changes(|change| matches!(change, Change::Created(_))),
        merged: changes(|change| matches!(change, Change::Merged(..))),
        split: changes(|change| matches!(change, Change::Split(..))),
        interactions: 0,
        deals: 0,
    }
}

fn contacts(contacts: &[Contact]) -> String {
    let contacts: Vec<_> = contacts
        .iter()
        .map(|c| json!({"value": c.value, "kind": c.kind.as_str(), "records": c.record_count}))
        .collect();
    serde_json::Value::from(contacts).to_string()
}

/// Returns the values that did not survive, by field; none where all did.
fn other_values(others: &[OtherValue]) -> Option<String> {
    let mut by_field: BTreeMap<&str, Vec<serde_json::Value>> = BTreeMap::new();
    for other in others {
        let seen =
            (other.last_seen != 0).then(|| Timestamp::from_micros(other.last_seen).to_string());
        by_field.entry(other.field).or_default().push(json!({
            "value": other.value,
            "records": other.record_count,
            "sources": other.sources,
            "last_seen": seen,
        }));
    }
    (!by_field.is_empty()).then(|| json!(by_field).to_string())
}

fn number(count: usize) -> Value<'static> {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Returns an instant; a record whose times are unknown has none.
fn instant(micros: i64) -> Value<'static> {
    if micros == 0 {
        Value::Null
    } else {
        Value::Timestamp(Timestamp::from_micros(micros))
    }
}
