//! Rows on their way into a script: few travel as a parameter, many as Parquet through a load job, which is free.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, SchemaRef, TimestampMicrosecondType};
use arrow::util::display::array_value_to_string;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use salesync_core::error::{Code, Error, Result};
use salesync_core::time::Timestamp;
use serde_json::{Map, Value, json};
use ulid::Ulid;

use crate::api::Api;
use crate::script::Script;
use crate::settings::Road;
use crate::sql::{number, quoted};
use crate::tables::{StoredColumn, StoredTable};
use crate::write_api::with_plain_decimals;

const OPERATION: &str = "stage rows";
/// So many rows, of so many bytes in memory, still travel as a parameter: a script and its parameters may be 10 MB.
const PARAMETER_ROWS: usize = 500;
const PARAMETER_BYTES: usize = 256 * 1024;

/// Rows that a script can name.
#[derive(Debug, Clone)]
pub(crate) struct Staged {
    /// What stands after `FROM`, without an alias.
    pub(crate) relation: String,
    /// The columns.
    pub(crate) schema: SchemaRef,
    /// How many they are, where that is known before the script runs.
    pub(crate) rows: Option<usize>,
}

impl Staged {
    /// Makes rows available to a script.
    pub(crate) async fn put(api: &Api, script: &mut Script, rows: &RecordBatch) -> Result<Self> {
        let schema = rows.schema();
        let mut fields = schema.fields().iter();
        let is_wide = fields.any(|field| is_wide(field.data_type()));
        let is_small =
            rows.num_rows() <= PARAMETER_ROWS && rows.get_array_memory_size() <= PARAMETER_BYTES;
        let relation = match api.road {
            _ if is_small && !is_wide => as_parameter(script, rows)?,
            Road::WriteApi if !is_wide => written(api, rows).await?,
            _ => {
                let table = staging_table();
                api.load(&table, parquet(rows)?).await?;
                api.staged(&table)
            }
        };
        Ok(Self {
            relation,
            schema: rows.schema(),
            rows: Some(rows.num_rows()),
        })
    }

    /// Returns the names of the columns.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
    }

    /// Returns what stands in the place of a stored column: the value of alias `_s`, as the column's type; null where
    /// the rows have no such column.
    pub(crate) fn value_for(&self, column: &StoredColumn) -> String {
        let mut fields = self.schema.fields().iter();
        let Some(field) = fields.find(|field| column.is_called(field.name())) else {
            return format!("CAST(NULL AS {})", column.cast_name());
        };
        let own = format!("_s.{}", quoted(field.name()));
        match column.column_type {
            Some(stored) if stored.arrow() != *field.data_type() => {
                format!("CAST({own} AS {})", column.cast_name())
            }
            _ => own,
        }
    }

    /// Fails where the rows have a column that the table has not.
    pub(crate) fn fits(&self, table: &StoredTable) -> Result<()> {
        let missing = self.names().find(|name| table.column(name).is_none());
        match missing {
            None => Ok(()),
            Some(name) => {
                Err(Error::new(Code::StoreSchema, OPERATION).with("no such column", name))
            }
        }
    }
}

/// Writes rows to a new staging table by the Storage Write API; returns the query for them.
async fn written(api: &Api, rows: &RecordBatch) -> Result<String> {
    let schema = rows.schema();
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for field in schema.fields() {
        let (kind, number) = kind_of(field.data_type())?;
        columns.push((field.name().as_str(), kind));
        values.push(arrived(field.name(), number));
    }
    let table = staging_table();
    api.write(&table, &columns, &with_plain_decimals(rows)?)
        .await?;
    Ok(format!(
        "(SELECT {} FROM {} AS _r)",
        values.join(", "),
        api.staged(&table)
    ))
}

/// Returns the value of a column of alias `_r` that has arrived, which is text where it is a number.
fn arrived(name: &str, number: Option<&str>) -> String {
    let name = quoted(name);
    match number {
        None => format!("_r.{name}"),
        Some(number) => format!("CAST(_r.{name} AS {number}) AS {name}"),
    }
}

/// Returns the name of a new staging table.
pub(crate) fn staging_table() -> String {
    format!("rows_{}", Ulid::new())
}

/// Returns rows as a file of Parquet.
pub(crate) fn parquet(rows: &RecordBatch) -> Result<Bytes> {
    let failed = |error| Error::new(Code::Internal, OPERATION).because(error);
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, rows.schema(), Some(properties.build()))
        .map_err(failed)?;
    writer.write(rows).map_err(failed)?;
    writer.close().map_err(failed)?;
    Ok(bytes.into())
}

/// Returns whether a column holds decimals of so many digits that a cast would have to round them somewhere.
fn is_wide(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Decimal128(precision, scale) if number(*precision, *scale) == "BIGNUMERIC")
}

/// Binds rows as an array of structs. Decimals travel as text, so that none is rounded on the way.
fn as_parameter(script: &mut Script, rows: &RecordBatch) -> Result<String> {
    let schema = rows.schema();
    let (mut kinds, mut values) = (Vec::new(), Vec::new());
    for field in schema.fields() {
        let (kind, number) = kind_of(field.data_type())?;
        kinds.push(json!({"name": field.name(), "type": {"type": kind}}));
        values.push(arrived(field.name(), number));
    }
    let texts: Vec<(&str, Vec<Option<String>>)> = schema
        .fields()
        .iter()
        .zip(rows.columns())
        .map(|(field, column)| Ok((field.name().as_str(), texts(column)?)))
        .collect::<Result<_>>()?;
    let row = |index: usize| {
        let cells = texts.iter().map(|(name, texts)| {
            let text = texts.get(index).and_then(Option::as_deref);
            let cell = text.map_or_else(|| json!({"value": null}), |text| json!({"value": text}));
            ((*name).to_owned(), cell)
        });
        json!({"structValues": cells.collect::<Map<String, Value>>()})
    };
    let rows: Vec<Value> = (0..rows.num_rows()).map(row).collect();
    let kind = json!({
        "type": "ARRAY",
        "arrayType": {"type": "STRUCT", "structTypes": kinds},
    });
    let name = script.bind(&kind, &json!({"arrayValues": rows}));
    Ok(format!(
        "(SELECT {} FROM UNNEST({name}) AS _r)",
        values.join(", ")
    ))
}

/// Returns the type in which a column travels, and the one that it is made into on arrival.
fn kind_of(data_type: &DataType) -> Result<(&'static str, Option<&'static str>)> {
    Ok(match data_type {
        DataType::Utf8 => ("STRING", None),
        DataType::Boolean => ("BOOL", None),
        DataType::Int64 => ("INT64", None),
        DataType::Float64 => ("FLOAT64", None),
        DataType::Date32 => ("DATE", None),
        DataType::Timestamp(_, _) => ("TIMESTAMP", None),
        DataType::Decimal128(precision, scale) => ("STRING", Some(number(*precision, *scale))),
        other => {
            return Err(Error::new(Code::Internal, OPERATION).with("type", other));
        }
    })
}

/// Returns a column's values as BigQuery reads them.
fn texts(column: &ArrayRef) -> Result<Vec<Option<String>>> {
    let failed = |error| Error::new(Code::Internal, OPERATION).because(error);
    let text = |row: usize| -> Result<Option<String>> {
        if column.is_null(row) {
            return Ok(None);
        }
        Ok(Some(match column.data_type() {
            DataType::Timestamp(_, _) => {
                let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
                Timestamp::from_micros(micros).to_string()
            }
            DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
            DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
            _ => array_value_to_string(column, row).map_err(failed)?,
        }))
    };
    (0..column.len()).map(text).collect()
}
