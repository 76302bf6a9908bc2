//! Parts of all records, out of their rows.

use super::super::index::says;
use super::super::rows::unreadable;
use crate::error::Result;
use crate::resolve::remote::Part;
use crate::resolve::{
    EntityId, EntityKind, Fact, FactField, IndexedEdge, IndexedRecord, KeyUse, RecordRef,
};
use crate::sets::{PartRow, Vanished};

/// Returns a part of the records of a kind.
pub(super) fn of(kind: EntityKind, mut rows: Vec<PartRow>) -> Result<Part> {
    let mut part = Part::default();
    // Records first: what is said of their entities names them.
    rows.sort_by_key(|row| row.what != PartRow::RECORD);
    let mut refs = std::collections::BTreeMap::new();
    for row in rows {
        let record = row.record.cast_unsigned();
        match row.what.as_str() {
            PartRow::RECORD => {
                let identity = says::read(&row.text).map_err(|_| unreadable())?;
                let derived = match row.more.as_str() {
                    "" => crate::resolve::Derived::default(),
                    written => serde_json::from_str(written).map_err(|_| unreadable())?,
                };
                refs.insert(record, identity.record.clone());
                if row.count == 1 {
                    part.told.insert(record);
                }
                part.records.push(IndexedRecord {
                    number: record,
                    identity,
                    derived,
                });
            }
            PartRow::EDGE => {
                let pair = (record, row.other.cast_unsigned());
                let edge = IndexedEdge::new(pair, &row.text, narrow(row.number));
                part.edges.push(edge.ok_or_else(unreadable)?);
            }
            PartRow::USE => part.uses.push(KeyUse {
                key: record,
                records: u32::try_from(row.other).map_err(|_| unreadable())?,
                users: u8::try_from(row.count).map_err(|_| unreadable())?,
            }),
            PartRow::FACT => {
                let (field, organisation) = row.text.split_once(' ').ok_or_else(unreadable)?;
                let fact = fact(field, row.more, row.number, organisation)?;
                part.facts.push(fact);
            }
            PartRow::SWITCHBOARD => {
                part.switchboards.insert(row.text);
            }
            PartRow::EMPLOYER => {
                part.employers.insert(row.text, entity(&row.more)?);
            }
            PartRow::BEFORE => {
                let record = refs.get(&record).ok_or_else(unreadable)?.clone();
                let id = entity(&row.text)?;
                part.previous.ages.insert(id, age(&row));
                part.previous.assignments.insert((kind, record), id);
            }
            PartRow::TAKEN => {
                part.taken.insert(entity(&row.text)?, age(&row));
            }
            _ => return Err(unreadable()),
        }
    }
    Ok(part)
}

/// Returns the part of those entities of which no record is left.
pub(super) fn of_vanished(kind: EntityKind, vanished: &[Vanished]) -> Result<Part> {
    let mut part = Part::default();
    for it in vanished.iter().filter(|it| it.kind == kind.as_str()) {
        let [source, stream, id] = &it.record;
        let record = RecordRef::new(source.as_str(), stream.as_str(), id.as_str());
        let before = &mut part.previous.assignments;
        before.insert((kind, record), entity(&it.entity_id)?);
    }
    Ok(part)
}

/// Returns what was learnt of a text.
pub(super) fn fact(field: &str, text: String, number: f64, organisation: &str) -> Result<Fact> {
    Ok(Fact {
        field: FactField::parse(field).ok_or_else(unreadable)?,
        text: text.into(),
        number: narrow(number),
        organisation: organisation.into(),
    })
}

fn entity(id: &str) -> Result<EntityId> {
    EntityId::parse(id).map_err(|_| unreadable())
}

fn age(row: &PartRow) -> u64 {
    u64::try_from(row.count).unwrap_or_default()
}

fn narrow(number: f64) -> f32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it was made of a number of that width"
    )]
    let number = number as f32;
    number
}
