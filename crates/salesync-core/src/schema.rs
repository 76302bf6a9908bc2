//! The shape of a table: its columns, their exact types, and what every table carries beside them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::error::{Code, Error, Result};
use crate::validate::SqlIdentifier;

/// The type of a column; each exists in DuckDB, in BigQuery and in Arrow without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Text.
    Text,
    /// True or false.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// An exact decimal of `precision` digits, `scale` of them after the point.
    Decimal {
        /// All digits, at most 38.
        precision: u8,
        /// The digits after the point.
        scale: i8,
    },
    /// A float, only where the source itself declares one.
    Double,
    /// An instant in UTC to the microsecond.
    Timestamp,
    /// A day.
    Date,
    /// A JSON document, as text.
    Json,
}

impl ColumnType {
    /// The decimal of sources that do not say how many digits a number has.
    pub const NUMBER: Self = Self::Decimal {
        precision: 38,
        scale: 9,
    };

    /// Returns the Arrow type that the column travels as.
    #[must_use]
    pub fn arrow(self) -> DataType {
        match self {
            Self::Text | Self::Json => DataType::Utf8,
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Decimal { precision, scale } => DataType::Decimal128(precision, scale),
            Self::Double => DataType::Float64,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Date => DataType::Date32,
        }
    }

    /// Returns the type that holds every value of both, so that a column only ever widens.
    #[must_use]
    pub fn widened(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (
                Self::Decimal {
                    precision: p,
                    scale: s,
                },
                Self::Decimal {
                    precision: q,
                    scale: t,
                },
            ) => {
                let scale = s.max(t);
                let whole = (i16::from(p) - i16::from(s)).max(i16::from(q) - i16::from(t));
                let precision = u8::try_from(whole + i16::from(scale)).unwrap_or(38).min(38);
                if whole + i16::from(scale) > 38 {
                    Self::Text
                } else {
                    Self::Decimal { precision, scale }
                }
            }
            (Self::Int, Self::Decimal { precision, scale })
            | (Self::Decimal { precision, scale }, Self::Int) => Self::Decimal {
                precision: 19,
                scale: 0,
            }
            .widened(Self::Decimal { precision, scale }),
            (Self::Date, Self::Timestamp) | (Self::Timestamp, Self::Date) => Self::Timestamp,
            _ => Self::Text,
        }
    }
}

/// One column: its name, its type and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The column's name in the warehouse.
    pub name: SqlIdentifier,
    /// The column's type.
    pub column_type: ColumnType,
    /// What the column means; it becomes the column's comment.
    pub comment: String,
}

impl Column {
    /// Returns a column.
    ///
    /// # Errors
    /// [`crate::error::Code::ConfigInvalid`] where the name is no SQL identifier.
    pub fn new(name: &str, column_type: ColumnType, comment: impl Into<String>) -> Result<Self> {
        Ok(Self {
            name: SqlIdentifier::parse(name)?,
            column_type,
            comment: comment.into(),
        })
    }

    /// Returns the columns of a list: name, type, and what the column means.
    ///
    /// # Errors
    /// [`crate::error::Code::ConfigInvalid`] where a name is no SQL identifier.
    pub fn list(columns: &[(&str, ColumnType, &str)]) -> Result<Vec<Self>> {
        let columns = columns.iter();
        columns
            .map(|(name, column_type, comment)| Self::new(name, *column_type, *comment))
            .collect()
    }
}

/// The columns that every raw table carries after the vendor's own.
pub const SYSTEM_COLUMNS: [(&str, ColumnType, &str); 7] = [
    (
        "_extra",
        ColumnType::Json,
        "What the source sent and no column fits, by field name",
    ),
    (
        "_version",
        ColumnType::Timestamp,
        "When the source last changed the record",
    ),
    (
        "_synced_at",
        ColumnType::Timestamp,
        "When the record was read in this state, by the source's clock",
    ),
    ("_run_id", ColumnType::Text, "The run that wrote this state"),
    (
        "_deleted_at",
        ColumnType::Timestamp,
        "When the record went at the source; null while it is there",
    ),
    (
        "_deleted_reason",
        ColumnType::Text,
        "Why it went: deleted, archived, merged_into, absent or erased",
    ),
    (
        "_merged_into",
        ColumnType::Text,
        "The id of the record that it lives on in, at the end of the chain of merges",
    ),
];

/// The columns that commits decide by: a raw table in which one is missing or of another type was made by someone else.
pub const DECISIVE_COLUMNS: [&str; 7] = [
    "id",
    "_version",
    "_synced_at",
    "_run_id",
    "_deleted_at",
    "_deleted_reason",
    "_merged_into",
];

/// Returns whether a column of a raw table says something of the record, and not of how its row came here.
#[must_use]
pub fn is_content(column: &str) -> bool {
    !["id", "_version", "_synced_at", "_run_id"].contains(&column)
}

/// A raw table: the key, the vendor's columns and the system columns.
#[derive(Debug, Clone)]
pub struct Table {
    name: SqlIdentifier,
    comment: String,
    columns: Vec<Column>,
    positions: HashMap<String, usize>,
    arrow: SchemaRef,
    part: Option<usize>,
    day: Option<usize>,
    tie: Option<Tie>,
}

/// How the rows of a table hang on those of another one that is written with it. Both rows are of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tie {
    /// The rows are details: they come whole with their owner's row, and live and die with it.
    DetailsOf {
        /// The owner's table.
        table: SqlIdentifier,
        /// The column, here, with the id of the owner's row.
        column: SqlIdentifier,
    },
    /// The rows are groups: they live as long as one of their members.
    GroupsOf {
        /// The members' table.
        table: SqlIdentifier,
        /// The column, there, with the id of the group's row.
        column: SqlIdentifier,
    },
}

impl Table {
    /// Returns the table of a stream; its key column `id` comes first and is not part of `columns`.
    /// A column whose name appears a second time is left out.
    ///
    /// # Errors
    /// [`crate::error::Code::ConfigInvalid`] where the name is no SQL identifier.
    pub fn new(name: &str, comment: impl Into<String>, columns: Vec<Column>) -> Result<Self> {
        let mut kept: Vec<Column> = Vec::with_capacity(columns.len());
        let mut positions = HashMap::new();
        for column in columns {
            let lower = column.name.as_str().to_lowercase();
            if lower == "id" || positions.contains_key(&lower) {
                continue;
            }
            positions.insert(lower, kept.len());
            kept.push(column);
        }
        let key = Field::new("id", DataType::Utf8, false);
        let own = kept
            .iter()
            .map(|c| Field::new(c.name.as_str(), c.column_type.arrow(), true));
        let system = SYSTEM_COLUMNS.iter().map(|(name, column_type, _)| {
            Field::new(
                *name,
                column_type.arrow(),
                !matches!(*name, "_version" | "_synced_at" | "_run_id"),
            )
        });
        let fields: Vec<Field> = std::iter::once(key).chain(own).chain(system).collect();
        Ok(Self {
            name: SqlIdentifier::parse(name)?,
            comment: comment.into(),
            columns: kept,
            positions,
            arrow: Arc::new(Schema::new(fields)),
            part: None,
            day: None,
            tie: None,
        })
    }

    /// Returns the table with a key of two columns: `column`, which names the part that a row is of, and `id`.
    ///
    /// # Errors
    /// [`crate::error::Code::Internal`] where the table has no such column.
    pub fn in_parts(self, column: &str) -> Result<Self> {
        let part = self.own(column)?;
        Ok(Self {
            part: Some(part),
            ..self
        })
    }

    /// Returns the table with its rows kept by the day of the time in `column`, where a warehouse keeps days apart. Such
    /// a time should never change, so that a record stays where it is. Without one it is the day of `_version`.
    ///
    /// # Errors
    /// [`crate::error::Code::Internal`] where the table has no such column, or it is no time.
    pub fn by_day(self, column: &str) -> Result<Self> {
        let day = self.own(column)?;
        match self.columns.get(day).map(|column| column.column_type) {
            Some(ColumnType::Timestamp) => Ok(Self {
                day: Some(day),
                ..self
            }),
            _ => Err(Error::new(Code::Internal, "describe a table")
                .with("table", &self.name)
                .with("column", column)),
        }
    }

    /// Returns the table with rows that are details of the rows of `owner`, whose id stands in `column` here.
    ///
    /// # Errors
    /// [`crate::error::Code::Internal`] where the table has no such column.
    pub fn details_of(self, owner: &Self, column: &str) -> Result<Self> {
        self.own(column)?;
        let tie = Tie::DetailsOf {
            table: owner.name.clone(),
            column: SqlIdentifier::parse(column)?,
        };
        Ok(Self {
            tie: Some(tie),
            ..self
        })
    }

    /// Returns the table with rows that are groups of the rows of `members`, in whose `column` their id stands.
    ///
    /// # Errors
    /// [`crate::error::Code::Internal`] where the members' table has no such column.
    pub fn groups_of(self, members: &Self, column: &str) -> Result<Self> {
        members.own(column)?;
        let tie = Tie::GroupsOf {
            table: members.name.clone(),
            column: SqlIdentifier::parse(column)?,
        };
        Ok(Self {
            tie: Some(tie),
            ..self
        })
    }

    fn own(&self, column: &str) -> Result<usize> {
        self.position(column).ok_or_else(|| {
            Error::new(Code::Internal, "describe a table")
                .with("table", &self.name)
                .with("column", column)
        })
    }

    /// Returns the table's name.
    #[must_use]
    pub fn name(&self) -> &SqlIdentifier {
        &self.name
    }

    /// Returns what the table holds, for its comment.
    #[must_use]
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// Returns the vendor's columns, without the key and the system columns.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Returns every column with type and comment: the key, the vendor's, the system's.
    pub fn all_columns(&self) -> impl Iterator<Item = (&str, ColumnType, &str)> {
        std::iter::once(("id", ColumnType::Text, "The record's id at the source"))
            .chain(
                self.columns
                    .iter()
                    .map(|c| (c.name.as_str(), c.column_type, c.comment.as_str())),
            )
            .chain(SYSTEM_COLUMNS)
    }

    /// Returns where the column of that name stands among [`Table::columns`]; case does not count.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        if let Some(position) = self.positions.get(name) {
            return Some(*position);
        }
        self.positions.get(&name.to_lowercase()).copied()
    }

    /// Returns the column that names the part that a row is of, where the table's key has one.
    #[must_use]
    pub fn part(&self) -> Option<&Column> {
        self.columns.get(self.part?)
    }

    /// Returns where the part stands among [`Table::columns`].
    #[must_use]
    pub fn part_position(&self) -> Option<usize> {
        self.part
    }

    /// Returns the name of the time by whose day the rows are kept.
    #[must_use]
    pub fn day(&self) -> &str {
        let own = self.day.and_then(|day| self.columns.get(day));
        own.map_or("_version", |column| column.name.as_str())
    }

    /// Returns how the rows hang on those of another table, where they do.
    #[must_use]
    pub fn tie(&self) -> Option<&Tie> {
        self.tie.as_ref()
    }

    /// Returns the Arrow schema of a batch of rows: the key, the vendor's columns, the system columns.
    #[must_use]
    pub fn arrow(&self) -> &SchemaRef {
        &self.arrow
    }
}

/// One change that a warehouse made to a table so that new rows fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaChange {
    /// The table was made.
    Created {
        /// The new table.
        table: String,
    },
    /// A column was added.
    Added {
        /// The table.
        table: String,
        /// The new column.
        column: String,
    },
    /// A column's type now holds more.
    Widened {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widening_two_types_holds_the_values_of_both() {
        let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
        let cases = [
            (ColumnType::Int, ColumnType::Int, ColumnType::Int),
            (decimal(18, 2), decimal(10, 4), decimal(20, 4)),
            (ColumnType::Int, decimal(18, 2), decimal(21, 2)),
            (decimal(38, 0), decimal(38, 9), ColumnType::Text),
            (
                ColumnType::Date,
                ColumnType::Timestamp,
                ColumnType::Timestamp,
            ),
            (ColumnType::Bool, ColumnType::Int, ColumnType::Text),
        ];
        for (a, b, expected) in cases {
            assert_eq!(a.widened(b), expected);
            assert_eq!(b.widened(a), expected);
        }
    }

    #[test]
    fn a_column_is_found_whatever_its_case_and_kept_once() {
        let column = |name| Column::new(name, ColumnType::Text, "").unwrap();
        let table =
            Table::new("t", "", vec![column("Name"), column("NAME"), column("Id")]).unwrap();
        assert_eq!(table.columns().len(), 1);
        assert_eq!(table.position("name"), Some(0));
        assert_eq!(table.arrow().fields().len(), 1 + 1 + SYSTEM_COLUMNS.len());
    }
}
