//! Reads identities out of raw tables, by the columns that each source declares.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::error::{Code, Error, Result};
use crate::resolve::{ColumnField, ColumnMap, Identity, RecordRef};
use crate::source::{IdentityColumns, SourceDefinition};
use crate::validate::SqlIdentifier;
use crate::warehouse::{Filter, Scan, Warehouse};

/// Returns what every live record of these sources says about a person or company. Tables and columns
/// that the account does not have are passed over.
pub(super) async fn read(
    warehouse: &dyn Warehouse,
    sources: &[&'static SourceDefinition],
) -> Result<Vec<Identity>> {
    let mut identities = Vec::new();
    for source in sources {
        for declared in source.identities {
            let table = SqlIdentifier::parse(&format!("{}_{}", source.name, declared.stream))?;
            let scan = Scan {
                filter: Filter::Live,
                ..Scan::of(table)
            };
            for batch in warehouse.scan(&scan).await? {
                from_batch(&batch, source.name, declared, &mut identities)?;
            }
        }
    }
    Ok(identities)
}

fn from_batch(
    batch: &RecordBatch,
    source: &'static str,
    declared: &IdentityColumns,
    identities: &mut Vec<Identity>,
) -> Result<()> {
    let present: Vec<(ColumnField, &ArrayRef)> = declared
        .columns
        .iter()
        .filter_map(|(field, column)| Some((*field, batch.column_by_name(column)?)))
        .collect();
    let mut headers: Vec<&str> = present.iter().map(|(field, _)| field.as_str()).collect();
    headers.push(ColumnField::Kind.as_str());
    let map = ColumnMap::guess(&headers);
    let cells = present
        .iter()
        .map(|(_, column)| Cells::new(column))
        .collect::<Result<Vec<_>>>()?;
    let ids = batch.column_by_name("id").map(Cells::new).transpose()?;
    let versions = batch
        .column_by_name("_version")
        .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let employer = declared
        .employer
        .and_then(|(column, stream)| Some((batch.column_by_name(column)?, stream)))
        .map(|(column, stream)| Ok::<_, Error>((Cells::new(column)?, Arc::<str>::from(stream))))
        .transpose()?;
    let (source, stream): (Arc<str>, Arc<str>) = (source.into(), declared.stream.into());
    let reference =
        |stream: &Arc<str>, id: String| RecordRef::new(Arc::clone(&source), Arc::clone(stream), id);
    for row in 0..batch.num_rows() {
        let Some(id) = ids.as_ref().and_then(|ids| ids.text(row)) else {
            continue;
        };
        let values: Vec<Option<String>> = cells.iter().map(|column| column.text(row)).collect();
        let mut borrowed: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
        borrowed.push(Some(declared.kind.as_str()));
        let mut identity = map.identity(&borrowed, &source, 0);
        identity.record = reference(&stream, id);
        identity.changed_at = versions.map_or(0, |versions| versions.value(row));
        identity.employer = employer
            .as_ref()
            .and_then(|(column, stream)| Some(reference(stream, column.text(row)?)))
            .filter(|employer| !employer.id.is_empty());
        identities.push(identity);
    }
    Ok(())
}

/// The cells of a column as text, whatever its type.
struct Cells<'a> {
    column: &'a ArrayRef,
    format: ArrayFormatter<'a>,
}

impl<'a> Cells<'a> {
    fn new(column: &'a ArrayRef) -> Result<Self> {
        static OPTIONS: FormatOptions<'static> = FormatOptions::new();
        let format = ArrayFormatter::try_new(column.as_ref(), &OPTIONS)
            .map_err(|error| Error::new(Code::StoreSchema, "read a column").because(error))?;
        Ok(Self { column, format })
    }

    fn text(&self, row: usize) -> Option<String> {
        self.column
            .is_valid(row)
            .then(|| self.format.value(row).to_string())
    }
}
