//! What is known of the dataset's tables: their columns, remembered until they are made to fit anew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::datatypes::{Field, Schema, SchemaRef};
use salesync_core::error::{Code, Error, Result};
use salesync_core::schema::ColumnType;

use crate::api::{Api, TableResource};
use crate::sql::{cast_name, quoted, type_called, type_name};

/// A table as it stands in BigQuery.
#[derive(Debug)]
pub(crate) struct StoredTable {
    pub(crate) columns: Vec<StoredColumn>,
    /// Its size when it was looked at.
    pub(crate) size_bytes: u64,
}

/// A column as it stands in BigQuery.
#[derive(Debug)]
pub(crate) struct StoredColumn {
    pub(crate) name: String,
    /// Its type as BigQuery calls it.
    pub(crate) kind: String,
    /// Its type; none of one that salesync would not make.
    pub(crate) column_type: Option<ColumnType>,
    pub(crate) comment: String,
}

impl StoredColumn {
    /// Returns whether that is its name; case does not count.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Returns the name of its type in a cast.
    pub(crate) fn cast_name(&self) -> String {
        self.column_type
            .map_or_else(|| self.kind.clone(), cast_name)
    }

    /// Returns the type that holds its values and those of `wanted`; `None` where its own does.
    pub(crate) fn widened(&self, wanted: ColumnType) -> Option<ColumnType> {
        let Some(own) = self.column_type else {
            return Some(ColumnType::Text);
        };
        // JSON is text here.
        let wanted = if wanted == ColumnType::Json {
            ColumnType::Text
        } else {
            wanted
        };
        let widened = own.widened(wanted);
        (widened != own).then_some(widened)
    }
}

impl From<TableResource> for StoredTable {
    fn from(resource: TableResource) -> Self {
        let size_bytes = resource.num_bytes.and_then(|bytes| bytes.parse().ok());
        let columns = resource.schema.fields.into_iter().map(|field| {
            let digits = field.digits();
            let column_type = type_called(&field.kind, digits);
            StoredColumn {
                kind: column_type.map_or(field.kind, type_name),
                name: field.name,
                column_type,
                comment: field.description.unwrap_or_default(),
            }
        });
        Self {
            columns: columns.collect(),
            size_bytes: size_bytes.unwrap_or(0),
        }
    }
}

impl StoredTable {
    /// Returns the names of its columns, as a statement lists them.
    pub(crate) fn names(&self) -> String {
        let names = self.columns.iter().map(|it| quoted(&it.name));
        names.collect::<Vec<_>>().join(", ")
    }

    /// Returns its columns as Arrow has them.
    pub(crate) fn arrow(&self) -> SchemaRef {
        let fields = self.columns.iter().map(|column| {
            let column_type = column.column_type.unwrap_or(ColumnType::Text);
            Field::new(&column.name, column_type.arrow(), true)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// Returns the column of that name, whatever its case.
    pub(crate) fn column(&self, name: &str) -> Option<&StoredColumn> {
        self.columns.iter().find(|it| it.is_called(name))
    }
}

/// The tables that were looked at; nothing of those that are not there.
#[derive(Debug, Default)]
pub(crate) struct Tables(Mutex<HashMap<String, Option<Arc<StoredTable>>>>);

impl Tables {
    /// Returns a table; `None` where there is none.
    pub(crate) async fn get(&self, api: &Api, name: &str) -> Result<Option<Arc<StoredTable>>> {
        if let Some(known) = self.known().get(name) {
            return Ok(known.clone());
        }
        let table = api.table(name).await?;
        let table = table.map(|resource| Arc::new(StoredTable::from(resource)));
        self.known().insert(name.to_owned(), table.clone());
        Ok(table)
    }

    /// Returns a table that was prepared before.
    pub(crate) async fn prepared(&self, api: &Api, name: &str) -> Result<Arc<StoredTable>> {
        self.get(api, name).await?.ok_or_else(|| {
            self.forget(name);
            Error::new(Code::StoreSchema, "write to a table that was not prepared")
                .with("table", name)
        })
    }

    /// Forgets a table, whose columns may be others now.
    pub(crate) fn forget(&self, name: &str) {
        self.known().remove(name);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Option<Arc<StoredTable>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
