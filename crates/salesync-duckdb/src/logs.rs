//! Appends to tables without versions: a row whose key is there already is not appended again.

use arrow::array::RecordBatch;
use duckdb::Connection;
use salesync_core::error::{Code, Error, Result};
use salesync_core::plain::PlainTable;

use crate::database::StoredTable;
use crate::failure::failure;
use crate::sql::quoted;
use crate::stage::Staged;

const OPERATION: &str = "append rows";

/// Appends rows, inside of the caller's transaction.
pub(crate) fn append(
    connection: &Connection,
    plain: &PlainTable,
    table: &StoredTable,
    rows: &RecordBatch,
) -> Result<()> {
    if rows.num_rows() == 0 {
        return Ok(());
    }
    let target = quoted(plain.name);
    let staged = Staged::put(connection, "_appended", rows)?;
    let (list, values) = (staged.column_list(), staged.values_for(table));
    let keys: Vec<String> = plain.key.iter().map(|key| quoted(key)).collect();
    let own: Vec<String> = keys.iter().map(|key| format!("s.{key}")).collect();
    let same: Vec<String> = keys
        .iter()
        .map(|key| format!("t.{key} IS NOT DISTINCT FROM s.{key}"))
        .collect();
    let sql = format!(
        "INSERT INTO {target} ({list}) SELECT DISTINCT ON ({}) {values} FROM temp._appended AS s \
         WHERE NOT EXISTS (SELECT 1 FROM {target} AS t WHERE {})",
        own.join(", "),
        same.join(" AND ")
    );
    connection.execute(&sql, []).map_err(failure(OPERATION))?;
    staged.drop_from(connection)
}

/// Returns the stored form of a table that was prepared before.
pub(crate) fn prepared<T>(table: Option<T>, name: &str) -> Result<T> {
    table.ok_or_else(|| {
        Error::new(Code::StoreSchema, "write to a table that was not prepared").with("table", name)
    })
}
