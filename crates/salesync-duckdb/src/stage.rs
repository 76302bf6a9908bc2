//! Rows on their way into a table: a temporary table of the batch's own types, filled column by column.

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use duckdb::Connection;
use salesync_core::error::{Code, Error, Result};

use crate::database::StoredTable;
use crate::failure::failure;
use crate::sql::quoted;

/// Rows in a temporary table; it lives inside of one transaction.
#[derive(Debug)]
pub(crate) struct Staged {
    name: &'static str,
    columns: Vec<String>,
}

impl Staged {
    /// Puts rows into a new temporary table.
    pub(crate) fn put(
        connection: &Connection,
        name: &'static str,
        rows: &RecordBatch,
    ) -> Result<Self> {
        let failed = failure("stage rows");
        let schema = rows.schema();
        let columns = schema
            .fields()
            .iter()
            .map(|field| {
                Ok(format!(
                    "{} {}",
                    quoted(field.name()),
                    type_of(field.data_type())?
                ))
            })
            .collect::<Result<Vec<_>>>()?;
        connection
            .execute_batch(&format!(
                "CREATE TEMP TABLE {} ({})",
                quoted(name),
                columns.join(", ")
            ))
            .map_err(&failed)?;
        let mut appender = connection
            .appender_to_catalog_and_db(name, "temp", "main")
            .map_err(&failed)?;
        appender
            .append_record_batch(rows.clone())
            .map_err(&failed)?;
        appender.flush().map_err(&failed)?;
        let columns = schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        Ok(Self { name, columns })
    }

    /// Returns the staged columns as a list for `INSERT INTO table (…)`.
    pub(crate) fn column_list(&self) -> String {
        self.columns
            .iter()
            .map(|name| quoted(name))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Returns the staged values of alias `s` in the types of `table`, in the order of the list.
    pub(crate) fn values_for(&self, table: &StoredTable) -> String {
        let values = self.columns.iter().map(|name| value_for(table, name));
        values.collect::<Vec<_>>().join(", ")
    }

    /// Drops the temporary table, so that the transaction's next may have its name. Its memory is free when that ends.
    pub(crate) fn drop_from(self, connection: &Connection) -> Result<()> {
        drop_temporary(connection, self.name)
    }
}

/// Drops a temporary table.
pub(crate) fn drop_temporary(connection: &Connection, name: &str) -> Result<()> {
    connection
        .execute_batch(&format!("DROP TABLE IF EXISTS temp.{}", quoted(name)))
        .map_err(failure("drop staged rows"))
}

/// Returns the staged value of a column in the type of its target. Text that is no JSON becomes a
/// JSON text: it is kept, and costs the batch nothing.
pub(crate) fn value_for(table: &StoredTable, name: &str) -> String {
    let staged = format!("s.{}", quoted(name));
    match table.column(name).map(|column| column.type_name.as_str()) {
        Some("JSON") => format!("coalesce(try_cast({staged} AS JSON), to_json({staged}))"),
        Some(other) => format!("CAST({staged} AS {other})"),
        None => staged,
    }
}

fn type_of(data_type: &DataType) -> Result<String> {
    Ok(match data_type {
        DataType::Utf8 => "VARCHAR".to_owned(),
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision},{scale})"),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP WITH TIME ZONE".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        other => {
            return Err(Error::new(Code::Internal, "stage rows").with("type", other));
        }
    })
}
