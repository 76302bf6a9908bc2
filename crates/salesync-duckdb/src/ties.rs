//! Rows that hang on rows of another table: details follow their owner, groups live as long as a member.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, new_null_array,
};
use arrow::compute::{concat, filter_record_batch};
use duckdb::Connection;
use salesync_core::batch::TableWrite;
use salesync_core::error::{Code, Error, Result};
use salesync_core::staging::columns_of;

use crate::failure::failure;
use crate::marks::rewrite;
use crate::sql::{quoted, same_key};
use crate::stage::{Staged, drop_temporary};

const OPERATION: &str = "follow rows of another table";

/// Two tables that hang together, and the column by which they do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<'a> {
    /// The table whose rows follow.
    pub(crate) name: &'a str,
    /// The one that they follow.
    pub(crate) other: &'a str,
    pub(crate) column: &'a str,
    pub(crate) part: Option<&'a str>,
}

impl Pair<'_> {
    /// Returns the rows of a batch whose owner is there in no newer state, and how many others there are.
    pub(crate) fn of_present_owners(
        self,
        connection: &Connection,
        rows: &RecordBatch,
    ) -> Result<(RecordBatch, u64)> {
        if rows.num_rows() == 0 {
            return Ok((rows.clone(), 0));
        }
        let count = i64::try_from(rows.num_rows()).unwrap_or(i64::MAX);
        let places: ArrayRef = Arc::new((0..count).collect::<Int64Array>());
        let mut columns = vec![("place", places)];
        // Where the owner is the part itself, one column is both.
        let part = self.part.filter(|part| *part != self.column);
        for name in [Some(self.column), part, Some("_version")]
            .into_iter()
            .flatten()
        {
            columns.extend(rows.column_by_name(name).map(|it| (name, Arc::clone(it))));
        }
        let staged = Staged::put(connection, "_details", &columns_of(columns)?)?;
        let same = same_key(("o", "id"), ("d", self.column), self.part);
        let sql = format!(
            "SELECT d.place FROM temp._details AS d LEFT JOIN {} AS o ON {same} \
             WHERE o.id IS NULL OR o._version > d._version",
            quoted(self.other)
        );
        let failed = failure(OPERATION);
        let late: HashSet<i64> = connection
            .prepare(&sql)
            .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
            .map_err(&failed)?;
        staged.drop_from(connection)?;
        if late.is_empty() {
            return Ok((rows.clone(), 0));
        }
        let keep: BooleanArray = (0..count).map(|it| Some(!late.contains(&it))).collect();
        let internal = |error| Error::new(Code::Internal, OPERATION).because(error);
        let kept = filter_record_batch(rows, &keep).map_err(internal)?;
        Ok((kept, u64::try_from(late.len()).unwrap_or(u64::MAX)))
    }

    /// Marks the live details that an owner which `write` names came without: those that are older than it, and
    /// those of its own version that are not among the `details` that came with it.
    pub(crate) fn mark_left_behind(
        self,
        connection: &Connection,
        write: &TableWrite,
        details: &RecordBatch,
    ) -> Result<u64> {
        let Some(named) = self.name_rows_of(connection, write)? else {
            return Ok(0);
        };
        let came = Staged::put(connection, "_came", &self.keys_of(details)?)?;
        let of_owner = same_key(("n", "id"), ("d", self.column), self.part);
        let owner = same_key(("o", "id"), ("n", "id"), self.part);
        let detail = same_key(("c", "id"), ("d", "id"), self.part);
        let marked = self.mark(
            connection,
            &format!(
                "SELECT d.rowid AS place, o._version AS version, \
                   coalesce(o._deleted_at, o._synced_at) AS \"at\", 'deleted' AS reason, \
                   CAST(NULL AS VARCHAR) AS merged_into \
                 FROM {} AS d JOIN temp._named AS n ON {of_owner} JOIN {} AS o ON {owner} \
                 WHERE d._deleted_at IS NULL AND (d._version < o._version \
                   OR (d._version = o._version AND n.version = o._version \
                     AND NOT EXISTS (SELECT 1 FROM temp._came AS c WHERE {detail})))",
                quoted(self.name),
                quoted(self.other)
            ),
        )?;
        came.drop_from(connection)?;
        named.drop_from(connection)?;
        Ok(marked)
    }

    /// Marks the live groups of the members which `write` names that no live member is in.
    pub(crate) fn mark_without_members(
        self,
        connection: &Connection,
        write: &TableWrite,
    ) -> Result<u64> {
        let marks = write.rows.column_by_name("_deleted_at");
        let none_left = marks.is_none_or(|marks| marks.null_count() == marks.len());
        if none_left && write.tombstones.is_empty() {
            return Ok(0);
        }
        let Some(named) = self.name_rows_of(connection, write)? else {
            return Ok(0);
        };
        let member = same_key(("m", "id"), ("n", "id"), self.part);
        let group = same_key(("g", "id"), ("m", self.column), self.part);
        let other = same_key(("g", "id"), ("x", self.column), self.part);
        let (groups, members) = (quoted(self.name), quoted(self.other));
        let marked = self.mark(
            connection,
            &format!(
                "SELECT g.rowid AS place, greatest(max(g._version), max(m._version)) AS version, \
                   arg_max(coalesce(m._deleted_at, m._synced_at), m._version) AS \"at\", \
                   'deleted' AS reason, CAST(NULL AS VARCHAR) AS merged_into \
                 FROM temp._named AS n JOIN {members} AS m ON {member} JOIN {groups} AS g ON {group} \
                 WHERE g._deleted_at IS NULL AND NOT EXISTS \
                   (SELECT 1 FROM {members} AS x WHERE {other} AND x._deleted_at IS NULL) \
                 GROUP BY g.rowid"
            ),
        )?;
        named.drop_from(connection)?;
        Ok(marked)
    }

    fn mark(self, connection: &Connection, select: &str) -> Result<u64> {
        connection
            .execute_batch(&format!("CREATE TEMP TABLE _marked AS {select}"))
            .map_err(failure(OPERATION))?;
        let marked = rewrite(connection, self.name)?;
        drop_temporary(connection, "_marked")?;
        Ok(marked)
    }

    /// Returns the keys of rows.
    fn keys_of(self, rows: &RecordBatch) -> Result<RecordBatch> {
        let names = std::iter::once("id").chain(self.part);
        let columns = names.filter_map(|name| Some((name, Arc::clone(rows.column_by_name(name)?))));
        columns_of(columns.collect())
    }

    /// Puts the keys that a write to the other table names into `_named`, with the versions in which its rows
    /// came; `None` where there are none.
    fn name_rows_of(self, connection: &Connection, write: &TableWrite) -> Result<Option<Staged>> {
        let marked = |text: fn(&salesync_core::batch::Tombstone) -> Option<&str>| -> ArrayRef {
            Arc::new(write.tombstones.iter().map(text).collect::<StringArray>())
        };
        let mut columns = vec![("id", marked(|it| Some(&it.key.id)))];
        columns.extend(
            self.part
                .map(|part| (part, marked(|it| it.key.part.as_deref()))),
        );
        let internal = |error| Error::new(Code::Internal, OPERATION).because(error);
        let versions = write.rows.column_by_name("_version");
        for (name, column) in &mut columns {
            if let Some(own) = write.rows.column_by_name(name) {
                *column = concat(&[own.as_ref(), column.as_ref()]).map_err(internal)?;
            }
        }
        if let Some(versions) = versions {
            // Marks bring no row.
            let none = new_null_array(versions.data_type(), write.tombstones.len());
            let all = concat(&[versions.as_ref(), none.as_ref()]).map_err(internal)?;
            columns.push(("version", all));
        }
        let keys = columns_of(columns)?;
        if keys.num_rows() == 0 {
            return Ok(None);
        }
        Staged::put(connection, "_named", &keys).map(Some)
    }
}
