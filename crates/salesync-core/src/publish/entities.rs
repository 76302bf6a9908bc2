//! Finds entities and their records by the ids that people write.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Float64Type;

use super::published;
use super::rows::{Texts, unreadable};
use super::tables::{ENTITY_HISTORY, ENTITY_RECORDS};
use crate::error::{Code, Error, Result};
use crate::plain::PlainTable;
use crate::resolve::{EntityId, EntityKind, RecordRef};
use crate::validate::SqlIdentifier;
use crate::warehouse::{Filter, Warehouse};

const OPERATION: &str = "find a person, company or record";

/// An entity that an id names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) kind: EntityKind,
    pub(super) entity: EntityId,
    /// The record, where the id names one.
    pub(super) record: Option<RecordRef>,
}

/// A record of an entity.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) entity: EntityId,
    pub(super) record: RecordRef,
    pub(super) confidence: f64,
}

/// Returns what an id names. A retired entity's id leads to its successor; a record can stand for a person and for a
/// company, `kind` says which is meant.
pub(super) async fn find(
    warehouse: &dyn Warehouse,
    id: &str,
    kind: Option<EntityKind>,
) -> Result<Found> {
    if let Ok(entity) = EntityId::parse(id) {
        let entity = living(warehouse, entity).await?;
        return Ok(Found {
            kind: entity.kind(),
            entity,
            record: None,
        });
    }
    let mut found = Vec::new();
    if let [source, stream, record] = id.splitn(3, '/').collect::<Vec<_>>()[..] {
        let equal = [
            ("source", source),
            ("stream", stream),
            ("record_id", record),
        ];
        found = of_records(warehouse, &equal).await?;
    }
    if found.is_empty() {
        found = of_records(warehouse, &[("record_id", id)]).await?;
    }
    found.retain(|one| kind.is_none_or(|kind| one.kind == kind));
    let named: BTreeSet<&RecordRef> = found.iter().filter_map(|one| one.record.as_ref()).collect();
    if named.len() > 1 {
        let written = named.iter().take(5).map(ToString::to_string);
        return Err(Error::new(Code::RequestInvalid, OPERATION).with(
            "several records have this id",
            written.collect::<Vec<_>>().join(", "),
        ));
    }
    match found.len() {
        0 => Err(Error::new(Code::RequestInvalid, OPERATION)
            .with("nothing resolved has the id", id)
            .with(
                "must be",
                "an entity's id, source/stream/id, or a record's id",
            )),
        1 => found.pop().ok_or_else(unreadable),
        _ => Err(Error::new(Code::RequestInvalid, OPERATION)
            .with("stands for a person and a company", id)
            .with("say which with", "kind: person or company")),
    }
}

/// Follows a retired id to the entity that took its place.
async fn living(warehouse: &dyn Warehouse, id: EntityId) -> Result<EntityId> {
    let mut id = id;
    let mut seen = BTreeSet::new();
    while seen.insert(id) {
        if !scan(warehouse, &ENTITY_RECORDS, &[("entity_id", &id.text())])
            .await?
            .is_empty()
        {
            return Ok(id);
        }
        let mut successor = None;
        for batch in scan(
            warehouse,
            &ENTITY_HISTORY,
            &[("entity_id", &id.text()), ("event", "merged")],
        )
        .await?
        {
            let columns = Texts::of(&batch, &["successor_id"])?;
            for row in 0..batch.num_rows() {
                if let [Some(next)] = columns.row(row) {
                    successor = Some(EntityId::parse(next).map_err(|_| unreadable())?);
                }
            }
        }
        match successor {
            Some(successor) => id = successor,
            None => break,
        }
    }
    Err(Error::new(Code::RequestInvalid, OPERATION).with("no records are left of", id))
}

/// Returns the records of an entity, in their order.
pub(super) async fn members(warehouse: &dyn Warehouse, entity: &EntityId) -> Result<Vec<Member>> {
    let mut members = Vec::new();
    for batch in scan(warehouse, &ENTITY_RECORDS, &[("entity_id", &entity.text())]).await? {
        let confidence = batch
            .column_by_name("confidence")
            .and_then(|column| column.as_primitive_opt::<Float64Type>())
            .ok_or_else(unreadable)?;
        let read = records(&batch)?.into_iter().zip(confidence.values());
        members.extend(read.map(|((_, record, entity), confidence)| Member {
            entity,
            record,
            confidence: *confidence,
        }));
    }
    members.sort_by(|a, b| a.record.cmp(&b.record));
    Ok(members)
}

/// Reads rows of `entity_records`.
pub(super) fn records(batch: &RecordBatch) -> Result<Vec<(EntityKind, RecordRef, EntityId)>> {
    let columns = Texts::of(
        batch,
        &["entity_id", "kind", "source", "stream", "record_id"],
    )?;
    let mut parts = [Arc::from(""), Arc::from("")];
    let read = (0..batch.num_rows()).map(|row| {
        let [
            Some(entity),
            Some(kind),
            Some(source),
            Some(stream),
            Some(id),
        ] = columns.row(row)
        else {
            return Err(unreadable());
        };
        let kind = EntityKind::parse(kind).ok_or_else(unreadable)?;
        let entity = EntityId::parse(entity).map_err(|_| unreadable())?;
        // Neighbours are mostly of one stream.
        for (part, text) in parts.iter_mut().zip([source, stream]) {
            if **part != *text {
                *part = text.into();
            }
        }
        let [source, stream] = parts.clone();
        Ok((kind, RecordRef::new(source, stream, id), entity))
    });
    read.collect()
}

/// Returns the entities of the records whose columns hold these texts.
async fn of_records(warehouse: &dyn Warehouse, equal: &[(&str, &str)]) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for batch in scan(warehouse, &ENTITY_RECORDS, equal).await? {
        let records = records(&batch)?.into_iter();
        found.extend(records.map(|(kind, record, entity)| Found {
            kind,
            entity,
            record: Some(record),
        }));
    }
    Ok(found)
}

/// Reads the rows of a table of ours in which columns hold these texts.
pub(super) async fn scan(
    warehouse: &dyn Warehouse,
    table: &PlainTable,
    equal: &[(&str, &str)],
) -> Result<Vec<RecordBatch>> {
    let equal = equal
        .iter()
        .map(|(column, text)| Ok((SqlIdentifier::parse(column)?, (*text).to_owned())));
    let filter = Filter::Equal(equal.collect::<Result<_>>()?);
    published::scan(warehouse, table, (&[], filter)).await
}
