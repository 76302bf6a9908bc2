//! Looks up what the last resolve kept.

use std::collections::BTreeMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use async_trait::async_trait;

use super::super::rows::{Texts, unreadable};
use super::super::tables::ENTITY_HISTORY;
use super::says;
use super::tables::{EDGES, FACTS, KEYS, PLACES, RECORDS, USES};
use crate::error::Result;
use crate::plain::PlainTable;
use crate::resolve::{
    EntityId, Fact, FactField, IndexReader, IndexedEdge, IndexedRecord, KeyUse, Place,
};
use crate::validate::SqlIdentifier;
use crate::warehouse::{Among, Filter, Scan, Values, Warehouse};

/// The index in a warehouse.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct WarehouseIndex<'a>(pub(in super::super) &'a dyn Warehouse);

impl WarehouseIndex<'_> {
    /// Reads the rows of a table in which a column holds one of these values.
    async fn rows(
        &self,
        table: &PlainTable,
        column: &str,
        values: Values,
    ) -> Result<Vec<RecordBatch>> {
        let is_empty = match &values {
            Values::Texts(texts) => texts.is_empty(),
            Values::Numbers(numbers) => numbers.is_empty(),
        };
        if is_empty {
            return Ok(Vec::new());
        }
        let column = SqlIdentifier::parse(column)?;
        let scan = Scan {
            filter: Filter::Among(Among { column, values }),
            ..Scan::of(SqlIdentifier::parse(table.name)?)
        };
        let found = self.0.scan(&scan).await?;
        Ok(found.into_iter().filter(|it| it.num_rows() > 0).collect())
    }

    async fn numbered(
        &self,
        table: &PlainTable,
        column: &str,
        numbers: &[u64],
    ) -> Result<Vec<RecordBatch>> {
        let numbers = numbers.iter().map(|number| number.cast_signed()).collect();
        self.rows(table, column, Values::Numbers(numbers)).await
    }

    async fn places_by(&self, column: &str, numbers: &[u64]) -> Result<Vec<Place>> {
        let mut places = Vec::new();
        for batch in self.numbered(&PLACES, column, numbers).await? {
            let records = Numbers::of(&batch, "record")?;
            let components = Numbers::of(&batch, "component")?;
            let entities = Texts::of(&batch, &["entity_id"])?;
            for row in 0..batch.num_rows() {
                let [Some(entity)] = entities.row(row) else {
                    return Err(unreadable());
                };
                places.push(Place {
                    record: records.at(row),
                    component: components.at(row),
                    entity_id: EntityId::parse(entity).map_err(|_| unreadable())?,
                });
            }
        }
        Ok(places)
    }
}

/// A column of numbers.
struct Numbers<'a>(&'a arrow::array::Int64Array);

impl<'a> Numbers<'a> {
    fn of(batch: &'a RecordBatch, column: &str) -> Result<Self> {
        let found = batch.column_by_name(column);
        let found = found.and_then(|column| column.as_primitive_opt::<Int64Type>());
        Ok(Self(found.ok_or_else(unreadable)?))
    }

    fn at(&self, row: usize) -> u64 {
        self.0.value(row).cast_unsigned()
    }
}

/// Returns a column of bits. They were single precision once, and are again.
fn bits<'a>(batch: &'a RecordBatch, column: &str) -> Result<impl Fn(usize) -> f32 + 'a> {
    let found = batch.column_by_name(column);
    let found = found.and_then(|column| column.as_primitive_opt::<Float64Type>());
    let found = found.ok_or_else(unreadable)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the value was written out of single precision"
    )]
    Ok(|row| found.value(row) as f32)
}

#[async_trait]
impl IndexReader for WarehouseIndex<'_> {
    async fn facts(&self, places: &[u64]) -> Result<Vec<Fact>> {
        let mut facts = Vec::new();
        for batch in self.numbered(&FACTS, "place", places).await? {
            let texts = Texts::of(&batch, &["field", "text", "organisation"])?;
            let number = bits(&batch, "number")?;
            for row in 0..batch.num_rows() {
                let [Some(field), Some(text), organisation] = texts.row(row) else {
                    return Err(unreadable());
                };
                facts.push(Fact {
                    field: FactField::parse(field).ok_or_else(unreadable)?,
                    text: text.into(),
                    number: number(row),
                    organisation: organisation.unwrap_or_default().into(),
                });
            }
        }
        Ok(facts)
    }

    async fn records(&self, numbers: &[u64]) -> Result<Vec<IndexedRecord>> {
        let mut records = Vec::new();
        for batch in self.numbered(&RECORDS, "record", numbers).await? {
            let numbers = Numbers::of(&batch, "record")?;
            let texts = Texts::of(&batch, &["says", "derived"])?;
            for row in 0..batch.num_rows() {
                let [Some(written), derived] = texts.row(row) else {
                    return Err(unreadable());
                };
                let derived = derived.map(serde_json::from_str).transpose();
                records.push(IndexedRecord {
                    number: numbers.at(row),
                    identity: says::read(written).map_err(|_| unreadable())?,
                    derived: derived.map_err(|_| unreadable())?.unwrap_or_default(),
                });
            }
        }
        Ok(records)
    }

    async fn places(&self, records: &[u64]) -> Result<Vec<Place>> {
        self.places_by("record", records).await
    }

    async fn members(&self, components: &[u64]) -> Result<Vec<Place>> {
        self.places_by("component", components).await
    }

    async fn blocks(&self, keys: &[u64]) -> Result<Vec<(u64, u64)>> {
        let mut blocks = Vec::new();
        for batch in self.numbered(&KEYS, "key_number", keys).await? {
            let keys = Numbers::of(&batch, "key_number")?;
            let records = Numbers::of(&batch, "record")?;
            blocks.extend((0..batch.num_rows()).map(|row| (keys.at(row), records.at(row))));
        }
        Ok(blocks)
    }

    async fn uses(&self, keys: &[u64]) -> Result<Vec<KeyUse>> {
        let mut uses = Vec::new();
        for batch in self.numbered(&USES, "key_number", keys).await? {
            let keys = Numbers::of(&batch, "key_number")?;
            let records = Numbers::of(&batch, "records")?;
            let users = Numbers::of(&batch, "users")?;
            for row in 0..batch.num_rows() {
                uses.push(KeyUse {
                    key: keys.at(row),
                    records: u32::try_from(records.at(row)).map_err(|_| unreadable())?,
                    users: u8::try_from(users.at(row)).map_err(|_| unreadable())?,
                });
            }
        }
        Ok(uses)
    }

    async fn edges(&self, records: &[u64]) -> Result<Vec<IndexedEdge>> {
        let mut edges = BTreeMap::new();
        for side in ["left_record", "right_record"] {
            for batch in self.numbered(&EDGES, side, records).await? {
                let lefts = Numbers::of(&batch, "left_record")?;
                let rights = Numbers::of(&batch, "right_record")?;
                let texts = Texts::of(&batch, &["met_by"])?;
                let bits = bits(&batch, "bits")?;
                for row in 0..batch.num_rows() {
                    let pair = (lefts.at(row), rights.at(row));
                    let [Some(met_by)] = texts.row(row) else {
                        return Err(unreadable());
                    };
                    let edge = IndexedEdge::new(pair, met_by, bits(row));
                    edges.insert(pair, edge.ok_or_else(unreadable)?);
                }
            }
        }
        Ok(edges.into_values().collect())
    }

    async fn ages(&self, ids: &[EntityId]) -> Result<BTreeMap<EntityId, u64>> {
        let mut ages = BTreeMap::new();
        let ids = ids.iter().map(ToString::to_string).collect();
        let found = self.rows(&ENTITY_HISTORY, "entity_id", Values::Texts(ids));
        for batch in found.await? {
            let columns = Texts::of(&batch, &["event", "entity_id"])?;
            let times = batch.column_by_name("happened_at");
            let times = times.and_then(|it| it.as_primitive_opt::<TimestampMicrosecondType>());
            let times = times.ok_or_else(unreadable)?;
            for row in 0..batch.num_rows() {
                if let [Some("created"), Some(entity)] = columns.row(row) {
                    let entity = EntityId::parse(entity).map_err(|_| unreadable())?;
                    let at = u64::try_from(times.value(row)).unwrap_or_default();
                    ages.insert(entity, at);
                }
            }
        }
        Ok(ages)
    }
}
