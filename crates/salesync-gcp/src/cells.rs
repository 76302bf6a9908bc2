//! Cells of results, which BigQuery sends as text, as Arrow columns.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray, RecordBatch, StringArray,
};
use arrow::compute::kernels::cast_utils::{Parser as _, parse_decimal};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field as ArrowField, Float64Type, Int64Type,
    Schema as ArrowSchema, TimestampMicrosecondType,
};
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

/// Reads each text as its type says. Only the readers that are needed: the library's own cast holds those of all types
/// into all others, and a function carries what it is linked with.
fn column(texts: StringArray, column_type: ColumnType) -> Result<ArrayRef> {
    Ok(match column_type {
        ColumnType::Text | ColumnType::Json => Arc::new(texts),
        ColumnType::Bool => {
            let read = texts.iter().map(|text| text.map(boolean).transpose());
            Arc::new(read.collect::<Result<BooleanArray>>()?)
        }
        ColumnType::Int => Arc::new(each::<Int64Type>(&texts, Int64Type::parse)?),
        ColumnType::Double => Arc::new(each::<Float64Type>(&texts, Float64Type::parse)?),
        ColumnType::Date => Arc::new(each::<Date32Type>(&texts, Date32Type::parse)?),
        // Microseconds since 1970.
        ColumnType::Timestamp => {
            let read = each::<TimestampMicrosecondType>(&texts, Int64Type::parse)?;
            Arc::new(read.with_timezone("UTC"))
        }
        ColumnType::Decimal { precision, scale } => {
            let read = |text: &str| parse_decimal::<Decimal128Type>(text, precision, scale).ok();
            let read = each::<Decimal128Type>(&texts, read)?;
            let read = read.with_precision_and_scale(precision, scale);
            Arc::new(read.map_err(corrupt)?)
        }
    })
}

fn each<T: ArrowPrimitiveType>(
    texts: &StringArray,
    read: impl Fn(&str) -> Option<T::Native>,
) -> Result<PrimitiveArray<T>> {
    let read = |text| read(text).ok_or_else(|| unread(T::DATA_TYPE));
    let values = texts.iter().map(|text| text.map(read).transpose());
    values.collect()
}

fn boolean(text: &str) -> Result<bool> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(unread(DataType::Boolean)),
    }
}

fn unread(wanted: DataType) -> Error {
    Error::new(Code::StoreCorrupt, OPERATION).with("no", wanted)
}

fn corrupt(error: arrow::error::ArrowError) -> Error {
    Error::new(Code::StoreCorrupt, OPERATION).because(error)
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

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
        let day = array("2026-01-31", ColumnType::Date);
        assert_eq!(day.as_primitive::<Date32Type>().value(0), 20_484);
        let float = array("-1.5e300", ColumnType::Double);
        assert_eq!(float.as_primitive::<Float64Type>().value(0), -1.5e300);
        for read in [&wide, &narrow, &time, &day, &float] {
            assert!(read.is_null(1));
        }
        for (text, column_type) in [
            ("x", ColumnType::Int),
            ("yes", ColumnType::Bool),
            ("2026-02-30", ColumnType::Date),
            ("1e400x", ColumnType::Double),
            (&*format!("1{nines}"), decimal(38, 0)),
        ] {
            let read = column(StringArray::from(vec![text]), column_type);
            assert_eq!(read.unwrap_err().code(), Code::StoreCorrupt, "{text}");
        }
    }
}
