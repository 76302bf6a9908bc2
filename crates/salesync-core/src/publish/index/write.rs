//! What a resolve keeps, as rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::rows::{entity_value, listed, unreadable};
use super::says;
use super::tables::{EDGES, FACTS, KEYS, PLACES, RECORDS, USES};
use crate::error::Result;
use crate::plain::{NewRows, Outdated, PlainRows, text};
use crate::record::Value;
use crate::resolve::{Derived, Fact, IndexChange, IndexedEdge, IndexedRecord, KeyUse, Place};
use crate::validate::SqlIdentifier;
use crate::warehouse::{Among, Values};

/// Which of what was kept does not hold any more.
pub(in super::super) enum Replaces {
    /// All of it.
    All,
    /// What the change names.
    Changed,
}

/// Returns a change of the index as rows of its tables.
pub(in super::super) fn rows_of_change(
    change: &Arc<IndexChange>,
    replaces: &Replaces,
) -> Result<Vec<NewRows>> {
    let outdated = |columns: &[(&str, &BTreeSet<u64>)]| match replaces {
        Replaces::All => Ok(Outdated::All),
        Replaces::Changed => among(columns),
    };
    let of_record = outdated(&[("record", &change.changed)])?;
    let moved = outdated(&[("record", &change.moved)])?;
    let touched = outdated(&[("key_number", &change.touched_keys)])?;
    let weighed = &change.weighed;
    let weighed = outdated(&[("left_record", weighed), ("right_record", weighed)])?;
    Ok(vec![
        listed(
            &RECORDS,
            of_record.clone(),
            change,
            |it| &it.records,
            push_record,
        ),
        listed(&PLACES, moved, change, |it| &it.places, push_place),
        listed(&KEYS, of_record, change, |it| &it.keys, push_key),
        listed(&USES, touched, change, |it| &it.uses, push_use),
        listed(&EDGES, weighed, change, |it| &it.edges, push_edge),
    ])
}

/// Returns the tables of all that is kept, without rows, in the place of what they hold.
pub(in super::super) fn no_rows() -> Result<Vec<NewRows>> {
    let mut tables = rows_of_change(&Arc::new(IndexChange::default()), &Replaces::All)?;
    tables.push(rows_of_facts(std::iter::empty()));
    Ok(tables)
}

/// Returns where records are as rows that are added to others.
pub(in super::super) fn rows_of_places(change: &Arc<IndexChange>) -> NewRows {
    listed(&PLACES, Outdated::All, change, |it| &it.places, push_place)
}

fn push_record(rows: &mut PlainRows, record: &IndexedRecord) -> Result<()> {
    let says = says::written(&record.identity).map_err(|_| unreadable())?;
    let derived = match &record.derived {
        derived if *derived == Derived::default() => None,
        derived => Some(serde_json::to_string(derived).map_err(|_| unreadable())?),
    };
    rows.push(&[
        number(record.number),
        text(Some(&says)),
        text(derived.as_deref()),
    ])
}

fn push_place(rows: &mut PlainRows, place: &Place) -> Result<()> {
    rows.push(&[
        number(place.record),
        number(place.component),
        entity_value(Some(&place.entity_id)),
    ])
}

fn push_key(rows: &mut PlainRows, (key, record): &(u64, u64)) -> Result<()> {
    rows.push(&[number(*key), number(*record)])
}

fn push_use(rows: &mut PlainRows, used: &KeyUse) -> Result<()> {
    let (records, users) = (used.records.into(), used.users.into());
    rows.push(&[number(used.key), Value::Int(records), Value::Int(users)])
}

fn push_edge(rows: &mut PlainRows, edge: &IndexedEdge) -> Result<()> {
    rows.push(&[
        number(edge.left),
        number(edge.right),
        text(Some(edge.met_by())),
        Value::Double(edge.bits.into()),
    ])
}

/// Returns all that was learnt of texts as rows.
pub(in super::super) fn rows_of_facts(facts: impl Iterator<Item = Fact>) -> NewRows {
    let facts: Arc<Vec<Fact>> = Arc::new(facts.collect());
    listed(&FACTS, Outdated::All, &facts, Vec::as_slice, push_fact)
}

fn push_fact(rows: &mut PlainRows, fact: &Fact) -> Result<()> {
    let organisation = Some(&*fact.organisation).filter(|it| !it.is_empty());
    rows.push(&[
        number(fact.place()),
        text(Some(fact.field.as_str())),
        text(Some(&fact.text)),
        Value::Double(fact.number.into()),
        text(organisation),
    ])
}

/// Returns the rows in which one of some columns holds one of its numbers.
fn among(columns: &[(&str, &BTreeSet<u64>)]) -> Result<Outdated> {
    let among = columns.iter().map(|(column, numbers)| {
        let numbers = numbers.iter().map(|number| number.cast_signed()).collect();
        Ok(Among {
            column: SqlIdentifier::parse(column)?,
            values: Values::Numbers(numbers),
        })
    });
    Ok(Outdated::Any(among.collect::<Result<_>>()?))
}

fn number(number: u64) -> Value<'static> {
    Value::Int(number.cast_signed())
}
