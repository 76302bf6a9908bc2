//! What a resolve keeps, as rows.

use std::collections::BTreeSet;

use serde::Serialize;

use super::super::rows::unreadable;
use super::tables::{EDGES, FACTS, KEYS, PLACES, RECORDS, USES};
use crate::error::Result;
use crate::plain::{NewRows, Outdated, PlainRows, PlainTable, text};
use crate::record::Value;
use crate::resolve::{Derived, Fact, IndexChange};
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
    change: &IndexChange,
    replaces: &Replaces,
) -> Result<Vec<NewRows>> {
    let outdated = |columns: &[(&str, &BTreeSet<u64>)]| match replaces {
        Replaces::All => Ok(Outdated::All),
        Replaces::Changed => among(columns),
    };
    let mut records = PlainRows::new(&RECORDS)?;
    for record in &change.records {
        let says = json(&record.identity)?;
        let derived = match &record.derived {
            derived if *derived == Derived::default() => None,
            derived => Some(json(derived)?),
        };
        records.push(&[
            number(record.number),
            text(Some(&says)),
            text(derived.as_deref()),
        ])?;
    }
    let mut places = PlainRows::new(&PLACES)?;
    for place in &change.places {
        places.push(&[
            number(place.record),
            number(place.component),
            text(Some(place.entity_id.as_str())),
        ])?;
    }
    let mut keys = PlainRows::new(&KEYS)?;
    for (key, record) in &change.keys {
        keys.push(&[number(*key), number(*record)])?;
    }
    let mut uses = PlainRows::new(&USES)?;
    for used in &change.uses {
        let (records, users) = (used.records.into(), used.users.into());
        uses.push(&[number(used.key), Value::Int(records), Value::Int(users)])?;
    }
    let mut edges = PlainRows::new(&EDGES)?;
    for edge in &change.edges {
        edges.push(&[
            number(edge.left),
            number(edge.right),
            text(Some(edge.met_by())),
            Value::Double(edge.bits.into()),
        ])?;
    }
    let (left, right) = (
        ("left_record", &change.weighed),
        ("right_record", &change.weighed),
    );
    Ok(vec![
        rows(records, outdated(&[("record", &change.changed)])?)?,
        rows(places, outdated(&[("record", &change.moved)])?)?,
        rows(keys, outdated(&[("record", &change.changed)])?)?,
        rows(uses, outdated(&[("key_number", &change.touched_keys)])?)?,
        rows(edges, outdated(&[left, right])?)?,
    ])
}

/// Returns all that was learnt of texts as rows.
pub(in super::super) fn rows_of_facts(facts: impl Iterator<Item = Fact>) -> Result<NewRows> {
    let mut rows_of = PlainRows::new(&FACTS)?;
    for fact in facts {
        let organisation = Some(&*fact.organisation).filter(|it| !it.is_empty());
        rows_of.push(&[
            number(fact.place()),
            text(Some(fact.field.as_str())),
            text(Some(&fact.text)),
            Value::Double(fact.number.into()),
            text(organisation),
        ])?;
    }
    rows(rows_of, Outdated::All)
}

fn rows(rows: PlainRows, outdated: Outdated) -> Result<NewRows> {
    let (table, batch): (&'static PlainTable, _) = rows.finish()?;
    Ok(NewRows {
        outdated,
        ..NewRows::from((table, batch))
    })
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

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|_| unreadable())
}
