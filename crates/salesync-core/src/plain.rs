//! Tables without versions: the shared logs that commits append to, and the tables that are published whole.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema};

use crate::error::{Code, Error, Result};
use crate::record::Value;
use crate::rows::ColumnBuilder;
use crate::schema::ColumnType;
use crate::warehouse::Among;

/// The shape of a table that is appended to or published whole.
#[derive(Debug, Clone, Copy)]
pub struct PlainTable {
    /// The table's name; a constant of ours.
    pub name: &'static str,
    /// What it holds, for its comment.
    pub comment: &'static str,
    /// Name, type and meaning of each column.
    pub columns: &'static [(&'static str, ColumnType, &'static str)],
    /// The columns that make a row unique: a row whose key is there already is not appended again.
    pub key: &'static [&'static str],
}

/// Rows for a [`PlainTable`], on their way into one Arrow batch.
#[derive(Debug)]
pub struct PlainRows {
    table: &'static PlainTable,
    builders: Vec<ColumnBuilder>,
}

impl PlainRows {
    /// Returns an empty set of rows.
    ///
    /// # Errors
    /// [`Code::Internal`] where a column's type can't be built.
    pub fn new(table: &'static PlainTable) -> Result<Self> {
        let builders = table
            .columns
            .iter()
            .map(|(_, t, _)| ColumnBuilder::new(*t))
            .collect::<Result<_>>()?;
        Ok(Self { table, builders })
    }

    /// Appends a row: one value per column, in the table's order.
    ///
    /// # Errors
    /// [`Code::Internal`] where number or types of the values are not the table's.
    pub fn push(&mut self, values: &[Value<'_>]) -> Result<()> {
        if values.len() != self.builders.len() {
            return Err(Error::new(Code::Internal, "append a row").with("table", self.table.name));
        }
        self.builders
            .iter_mut()
            .zip(values)
            .try_for_each(|(builder, value)| builder.push(value))
    }

    /// Returns the rows as one batch, with the table they are for.
    ///
    /// # Errors
    /// [`Code::Internal`] where the columns differ in length.
    pub fn finish(mut self) -> Result<(&'static PlainTable, RecordBatch)> {
        let fields: Vec<Field> = self
            .table
            .columns
            .iter()
            .map(|(n, t, _)| Field::new(*n, t.arrow(), true))
            .collect();
        let arrays = self
            .builders
            .iter_mut()
            .map(ColumnBuilder::finish)
            .collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            .map_err(|error| Error::new(Code::Internal, "build a batch").because(error))?;
        Ok((self.table, batch))
    }
}

/// New rows for a table, batch by batch. They are made while they are written, so that they need not all be in
/// memory at once.
pub struct NewRows {
    /// The table.
    pub table: &'static PlainTable,
    /// The rows in whose place they come.
    pub outdated: Outdated,
    /// The rows, with the table's columns in its order; those of type JSON hold JSON. One that can't be made ends the
    /// writing.
    pub batches: Box<dyn Iterator<Item = Result<RecordBatch>> + Send>,
}

/// Out of so many places rows are made at a time.
const STEP: usize = 10_000;

impl NewRows {
    /// Returns rows that are made while they are written, some thousands at a time: for each of `count` places in what is
    /// shared, those that `push` appends.
    pub fn stepwise<T: Send + Sync + 'static>(
        table: &'static PlainTable,
        outdated: Outdated,
        (shared, count): (&Arc<T>, usize),
        push: impl Fn(&mut PlainRows, &T, usize) -> Result<()> + Send + 'static,
    ) -> Self {
        let shared = Arc::clone(shared);
        let batch = move |start: usize| {
            let mut rows = PlainRows::new(table)?;
            (start..count.min(start + STEP)).try_for_each(|at| push(&mut rows, &shared, at))?;
            Ok(rows.finish()?.1)
        };
        Self {
            table,
            outdated,
            batches: Box::new((0..count).step_by(STEP).map(batch)),
        }
    }
}

/// Which rows of a table new ones take the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outdated {
    /// All.
    All,
    /// Those in which any of these columns holds one of its values.
    Any(Vec<Among>),
}

impl From<(&'static PlainTable, RecordBatch)> for NewRows {
    fn from((table, batch): (&'static PlainTable, RecordBatch)) -> Self {
        Self {
            table,
            outdated: Outdated::All,
            batches: Box::new(std::iter::once(Ok(batch))),
        }
    }
}

impl fmt::Debug for NewRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewRows")
            .field("table", &self.table.name)
            .finish_non_exhaustive()
    }
}

/// Returns text or no value.
#[must_use]
pub fn text(value: Option<&str>) -> Value<'_> {
    value.map_or(Value::Null, |value| Value::Text(value.into()))
}

/// Returns a count; the largest one where it does not fit.
#[must_use]
pub fn count(value: u64) -> Value<'static> {
    Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
}
