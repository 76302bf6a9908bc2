//! Makes tables fit: columns are added and widened, never dropped; the rows stay.

use salesync_core::error::{Code, Error, Result};
use salesync_core::plain::PlainTable;
use salesync_core::schema::{ColumnType, DECISIVE_COLUMNS, SchemaChange, Table};

use crate::database::{Database, StoredTable};
use crate::sql::{literal, quoted, type_called, type_name};

type Column<'a> = (&'a str, ColumnType, &'a str);

struct Wanted<'a> {
    name: &'a str,
    comment: &'a str,
    columns: Vec<Column<'a>>,
    decisive: &'static [&'static str],
}

impl Database {
    /// Makes a raw table fit.
    pub(crate) fn prepare_raw(&mut self, table: &Table) -> Result<Vec<SchemaChange>> {
        self.fit(&Wanted {
            name: table.name().as_str(),
            comment: table.comment(),
            columns: table.all_columns().collect(),
            decisive: &DECISIVE_COLUMNS,
        })
    }

    /// Makes a table without versions fit.
    pub(crate) fn prepare_plain(&mut self, table: &PlainTable) -> Result<Vec<SchemaChange>> {
        self.fit(&Wanted {
            name: table.name,
            comment: table.comment,
            columns: table.columns.to_vec(),
            decisive: &[],
        })
    }

    fn fit(&mut self, wanted: &Wanted<'_>) -> Result<Vec<SchemaChange>> {
        let (changes, statements) = match self.table(wanted.name)? {
            None => {
                let created = SchemaChange::Created {
                    table: wanted.name.to_owned(),
                };
                (vec![created], create(wanted))
            }
            Some(stored) => alter(wanted, &stored)?,
        };
        if !statements.is_empty() {
            self.change_schema(&statements)?;
        }
        Ok(changes)
    }
}

fn create(wanted: &Wanted<'_>) -> Vec<String> {
    let table = quoted(wanted.name);
    let columns: Vec<String> = wanted
        .columns
        .iter()
        .map(|(name, column_type, _)| {
            let key = if wanted.decisive.contains(&"id") && *name == "id" {
                " NOT NULL"
            } else {
                ""
            };
            let kept = kept(wanted.name, *column_type);
            format!("{} {}{key}{kept}", quoted(name), type_name(*column_type))
        })
        .collect();
    let mut statements = vec![
        format!("CREATE TABLE {table} ({})", columns.join(", ")),
        format!("COMMENT ON TABLE {table} IS {}", literal(wanted.comment)),
    ];
    statements.extend(
        wanted
            .columns
            .iter()
            .map(|column| comment_on(wanted.name, column)),
    );
    statements
}

/// Returns how the values of a new column are kept. In the index of a resolve a few rows at a time are looked up: their
/// texts stay as they are, since DuckDB would unpack those of all rows to find a few.
fn kept(table: &str, column_type: ColumnType) -> &'static str {
    let is_text = matches!(column_type, ColumnType::Text | ColumnType::Json);
    if is_text && table.starts_with("_match_") {
        " USING COMPRESSION uncompressed"
    } else {
        ""
    }
}

fn alter(wanted: &Wanted<'_>, stored: &StoredTable) -> Result<(Vec<SchemaChange>, Vec<String>)> {
    let table = quoted(wanted.name);
    let (mut changes, mut statements) = (Vec::new(), Vec::new());
    for column in &wanted.columns {
        let (name, column_type, _) = *column;
        let Some(found) = stored.column(name) else {
            refuse_decisive(wanted, name)?;
            statements.push(format!(
                "ALTER TABLE {table} ADD COLUMN {} {}{}",
                quoted(name),
                type_name(column_type),
                kept(wanted.name, column_type)
            ));
            statements.push(comment_on(wanted.name, column));
            changes.push(SchemaChange::Added {
                table: wanted.name.to_owned(),
                column: name.to_owned(),
            });
            continue;
        };
        let widened =
            type_called(&found.type_name).map_or(ColumnType::Text, |t| t.widened(column_type));
        let widened = type_name(widened);
        if widened != found.type_name {
            refuse_decisive(wanted, name)?;
            let own = quoted(&found.name);
            statements.push(format!(
                "ALTER TABLE {table} ALTER {own} SET DATA TYPE {widened}"
            ));
            changes.push(SchemaChange::Widened {
                table: wanted.name.to_owned(),
                column: name.to_owned(),
            });
        }
    }
    Ok((changes, statements))
}

fn refuse_decisive(wanted: &Wanted<'_>, column: &str) -> Result<()> {
    if wanted.decisive.contains(&column) {
        return Err(Error::new(Code::StoreSchema, "make a table fit")
            .with("table", wanted.name)
            .with("column", column));
    }
    Ok(())
}

fn comment_on(table: &str, (name, _, comment): &Column<'_>) -> String {
    format!(
        "COMMENT ON COLUMN {}.{} IS {}",
        quoted(table),
        quoted(name),
        literal(comment)
    )
}
