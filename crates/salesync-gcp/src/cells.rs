//! Cells of results, which BigQuery sends as text, as Arrow columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field as ArrowField, Schema as ArrowSchema};
use salesync_core::error::{Code, Error, Result};
use salesync_core::schema::ColumnType;

use crate::api::{Field, Rows};
use crate::sql::type_called;

const OPERATION: &str = "read rows";

/// Returns rows as batches. What `known` says of a column counts before what the results say of it: results do not
/// tell how many digits a decimal was declared with.
pub(crate) fn batches(rows: Rows, known: &[Field]) -> Result<Vec<RecordBatch>> {
    let type_of = |field: &Field| {
        let declared = known
            .iter()
            .find(|it| it.name.eq_ignore_ascii_case(&field.name));
        let field = declared.unwrap_or(field);
        type_called(&field.kind, field.digits()).unwrap_or(ColumnType::Text)
    };
    let types: Vec<(String, ColumnType)> = rows
        .schema
        .fields
        .iter()
        .map(|field| (field.name.clone(), type_of(field)))
        .collect();
    let fields: Vec<ArrowField> = types
        .iter()
        .map(|(name, column_type)| ArrowField::new(name, column_type.arrow(), true))
        .collect();
    let schema = Arc::new(ArrowSchema::new(fields));
    let page = |page: Vec<Vec<Option<String>>>| {
        let columns = types.iter().enumerate().map(|(index, (_, column_type))| {
            let texts = page
                .iter()
                .map(|row| row.get(index).and_then(Option::as_deref));
            column(texts.collect(), *column_type)
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        RecordBatch::try_new(Arc::clone(&schema), columns).map_err(corrupt)
    };
    rows.pages.into_iter().map(page).collect()
}

fn column(texts: StringArray, column_type: ColumnType) -> Result<ArrayRef> {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let cast = |array: &ArrayRef, to: &DataType| cast_with_options(array, to, &options);
    let texts: ArrayRef = Arc::new(texts);
    let column = match column_type {
        ColumnType::Text | ColumnType::Json => return Ok(texts),
        // Microseconds since 1970.
        ColumnType::Timestamp => {
            cast(&texts, &DataType::Int64).and_then(|micros| cast(&micros, &column_type.arrow()))
        }
        _ => cast(&texts, &column_type.arrow()),
    };
    column.map_err(corrupt)
}

fn corrupt(error: arrow::error::ArrowError) -> Error {
    Error::new(Code::StoreCorrupt, OPERATION).because(error)
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{Decimal128Type, TimestampMicrosecondType};

    use super::*;

    #[test]
    fn cells_become_exact_values() {
        let nines = "9".repeat(38);
        let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
        let array = |text: &str, column_type| {
            column(StringArray::from(vec![Some(text), None]), column_type).unwrap()
        };
        let wide = array(&format!("-{nines}"), decimal(38, 0));
        assert_eq!(
            wide.as_primitive::<Decimal128Type>().value(0),
            -nines.parse::<i128>().unwrap()
        );
        let narrow = array("1.5", decimal(38, 9));
        assert_eq!(
            narrow.as_primitive::<Decimal128Type>().value(0),
            1_500_000_000
        );
        let time = array("-62135596800000000", ColumnType::Timestamp);
        assert_eq!(
            time.as_primitive::<TimestampMicrosecondType>().value(0),
            -62_135_596_800_000_000
        );
        for text in ["true", "false"] {
            assert_eq!(
                array(text, ColumnType::Bool).as_boolean().value(0),
                text == "true"
            );
        }
        assert!(column(StringArray::from(vec!["x"]), ColumnType::Int).is_err());
    }
}
