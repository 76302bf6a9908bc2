//! Reads all rows that tell of interactions.

use std::collections::BTreeSet;

use super::super::reading::{Cells, SetAside, rows};
use super::columns::{PartyRows, Stream, places};
use super::reader::Reader;
use super::store::Store;
use crate::error::Result;
use crate::interaction::InteractionColumns;
use crate::validate::SqlIdentifier;
use crate::warehouse::{Filter, PartOf, Warehouse};

/// Reads all rows of the stream of this number.
pub(super) async fn stream(
    store: &mut Store,
    warehouse: &dyn Warehouse,
    (told_by, stream): (u16, Stream),
) -> Result<()> {
    let (source, declared) = stream;
    let set_aside = SetAside::read(warehouse, source, declared.except).await?;
    let mut places = places(declared);
    places.extend(set_aside.places());
    for filter in filters(warehouse, source, declared).await? {
        let mut reader = Reader::new(store, (told_by, stream), &set_aside);
        let scan = (&*places, filter.clone());
        for batch in rows(warehouse, (source, declared.stream), scan).await? {
            reader.take(&batch)?;
        }
        for parties in PartyRows::all(declared) {
            let scan = (&*parties.places(), filter.clone());
            for batch in rows(warehouse, (source, parties.stream), scan).await? {
                reader.take_parties(&batch, parties)?;
            }
        }
    }
    Ok(())
}

/// Returns one filter for each part of the stream, so that never more than one is in memory.
async fn filters(
    warehouse: &dyn Warehouse,
    source: &str,
    declared: &InteractionColumns,
) -> Result<Vec<Filter>> {
    let Some(column) = declared.part else {
        return Ok(vec![Filter::Live]);
    };
    let mut parts = BTreeSet::new();
    for batch in rows(
        warehouse,
        (source, declared.stream),
        (&[column], Filter::Live),
    )
    .await?
    {
        if let Some(cells) = Cells::of(&batch, column)? {
            for part in (0..batch.num_rows()).filter_map(|row| cells.text(row)) {
                if !parts.contains(part.as_ref()) {
                    parts.insert(part.into_owned());
                }
            }
        }
    }
    let column = SqlIdentifier::parse(column)?;
    let filter = |part| {
        let column = column.clone();
        Filter::LiveIn(PartOf { column, part })
    };
    Ok(parts.into_iter().map(filter).collect())
}
