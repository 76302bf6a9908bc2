//! A connection and what is known about the tables that it sees.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use duckdb::{Connection, Transaction};
use salesync_core::error::Result;

use crate::failure::{failure, kind_of};
use crate::sql::{literal, quoted};

/// A log that has grown to this is folded into the file when it is closed. A smaller one stays: a resolve of 1,000 changes
/// among 735,000 records leaves 11 MB, which took two seconds to fold, since every part of the file that it touches is
/// written anew, and a tenth of one to replay. Below what `open` lets a log grow to.
const FOLD_ON_CLOSE_BYTES: u64 = 32 * 1024 * 1024;

/// A column as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredColumn {
    pub(crate) name: String,
    pub(crate) type_name: String,
}

/// A table as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredTable {
    pub(crate) columns: Vec<StoredColumn>,
}

impl StoredTable {
    /// Returns the column of that name; case does not count.
    pub(crate) fn column(&self, name: &str) -> Option<&StoredColumn> {
        self.columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
    }
}

/// The open database, with the tenant's schema as the place where names are looked up.
pub(crate) struct Database {
    connection: Connection,
    log: PathBuf,
    tables: HashMap<String, Arc<StoredTable>>,
}

impl Database {
    /// Wraps a connection and makes schema, shared logs and views where they are missing.
    /// `log` is where the write-ahead log stands.
    pub(crate) fn new(connection: Connection, log: PathBuf, schema: &str) -> Result<Self> {
        let mut database = Self {
            connection,
            log,
            tables: HashMap::new(),
        };
        database.lay_out(schema)?;
        Ok(database)
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Runs statements of ours outside of a transaction.
    pub(crate) fn execute(&self, operation: &'static str, sql: &str) -> Result<()> {
        self.connection
            .execute_batch(sql)
            .map_err(failure(operation))
    }

    /// Begins a transaction, which is rolled back unless it is committed.
    pub(crate) fn begin(&self, operation: &'static str) -> Result<Transaction<'_>> {
        self.connection
            .unchecked_transaction()
            .map_err(failure(operation))
    }

    /// Changes the schema, all of it or nothing, apart from any rows; then folds the log into the
    /// file, because a log that mixes both is the one that can't be replayed.
    pub(crate) fn change_schema(&mut self, statements: &[String]) -> Result<()> {
        const OPERATION: &str = "change a table's columns";
        let transaction = self.begin(OPERATION)?;
        for statement in statements {
            transaction
                .execute_batch(statement)
                .map_err(failure(OPERATION))?;
        }
        transaction.commit().map_err(failure(OPERATION))?;
        self.tables.clear();
        self.execute(OPERATION, "CHECKPOINT")
    }

    /// Returns a table as it is stored, `None` where there is none.
    pub(crate) fn table(&mut self, name: &str) -> Result<Option<Arc<StoredTable>>> {
        let lower = name.to_lowercase();
        if let Some(known) = self.tables.get(&lower) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(table) = self.read_table(name)? else {
            return Ok(None);
        };
        let table = Arc::new(table);
        self.tables.insert(lower, Arc::clone(&table));
        Ok(Some(table))
    }

    fn read_table(&self, name: &str) -> Result<Option<StoredTable>> {
        let failed = failure("look at a table");
        let sql = format!(
            "SELECT name, type FROM pragma_table_info({})",
            literal(&quoted(name))
        );
        let mut statement = match self.connection.prepare(&sql) {
            Ok(statement) => statement,
            Err(error) if kind_of(&error) == "Catalog Error" => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let columns = statement
            .query_map([], |row| {
                Ok(StoredColumn {
                    name: row.get(0)?,
                    type_name: row.get(1)?,
                })
            })
            .and_then(Iterator::collect::<duckdb::Result<Vec<_>>>)
            .map_err(failed)?;
        Ok(Some(StoredTable { columns }))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let size_bytes = std::fs::metadata(&self.log).map_or(0, |log| log.len());
        if size_bytes < FOLD_ON_CLOSE_BYTES {
            return;
        }
        if let Err(error) = self.execute("close a DuckDB file", "CHECKPOINT") {
            tracing::debug!(error = %error, "the write-ahead log stays beside the file");
        }
    }
}
