//! Files of rows: CSV, NDJSON and Parquet, read and written by DuckDB without a database; plain CSV is read by a reader of
//! its own.

mod csv;

use std::path::Path;

use arrow::array::RecordBatch;
use duckdb::Connection;
use duckdb::vtab::arrow::{ArrowVTab, arrow_recordbatch_to_query_params};
use salesync_core::error::{Code, Error, Result};

/// How a file holds its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// Values separated by commas, semicolons, tabs or bars, with a header.
    Csv,
    /// One JSON document per line.
    Ndjson,
    /// Parquet.
    Parquet,
}

/// Reads a file batch by batch; every column comes as text, nulls stay nulls. The first batch that `take` gets has no rows,
/// but tells the columns.
///
/// # Errors
/// [`Code::RequestInvalid`] where the file is not there or is not of that format, and what `take` says. What `take` got
/// before an error is then a part of the file only.
pub fn read(
    path: &Path,
    format: FileFormat,
    take: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let unreadable =
        || Error::new(Code::RequestInvalid, "read a file").with("file", path.display());
    std::fs::File::open(path)
        .map_err(|error| unreadable().with("reason", error.kind()).because(error))?;
    let file = text_literal(&path.to_string_lossy());
    let connection = Connection::open_in_memory().map_err(|error| unreadable().because(error))?;
    let rows = match format {
        FileFormat::Csv => {
            if let Some(dialect) = csv::Dialect::of_plain(&connection, path, &file) {
                return dialect.read(path, take, unreadable);
            }
            format!("read_csv({})", csv::arguments(&file))
        }
        FileFormat::Ndjson => {
            format!("read_json({file}, format = 'auto', maximum_object_size = 33554432)")
        }
        FileFormat::Parquet => format!("read_parquet({file})"),
    };
    read_with_duckdb(&connection, &rows, take, unreadable)
}

/// Reads the rows of a table function.
fn read_with_duckdb(
    connection: &Connection,
    rows: &str,
    mut take: impl FnMut(&RecordBatch) -> Result<()>,
    unreadable: impl Fn() -> Error,
) -> Result<()> {
    let mut statement = connection
        .prepare(&format!("SELECT COLUMNS(*)::VARCHAR FROM {rows}"))
        .map_err(|error| {
            unreadable()
                .with("reason", "it is not of the format that its ending says")
                .because(error)
        })?;
    let bad_row = |error| bad_row(unreadable(), error);
    let schema = statement.stream_arrow([]).map_err(bad_row)?.get_schema();
    take(&RecordBatch::new_empty(schema))?;
    // The iterator over a result that is still being read panics at a bad row; a step says it.
    while let Some(rows) = statement.step().map_err(bad_row)? {
        take(&RecordBatch::from(rows))?;
    }
    Ok(())
}

/// Says why a file could be read only in part.
fn bad_row(unreadable: Error, because: impl std::error::Error + Send + Sync + 'static) -> Error {
    let reason = "a row is not of the format that the file's ending says";
    unreadable.with("reason", reason).because(because)
}

/// Writes rows to a file; an old one of that name is replaced only when the new one is whole.
///
/// # Errors
/// [`Code::RequestInvalid`] where the file can't be written.
pub fn write(path: &Path, format: FileFormat, rows: &RecordBatch) -> Result<()> {
    let unwritable =
        || Error::new(Code::RequestInvalid, "write a file").with("file", path.display());
    let options = match format {
        FileFormat::Csv => "FORMAT csv, HEADER",
        FileFormat::Ndjson => "FORMAT json",
        FileFormat::Parquet => "FORMAT parquet",
    };
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let file = text_literal(&partial.to_string_lossy());
    let connection = Connection::open_in_memory().map_err(|error| unwritable().because(error))?;
    connection
        .register_table_function::<ArrowVTab>("rows_of")
        .and_then(|()| {
            connection.execute(
                &format!("COPY (SELECT * FROM rows_of(?, ?)) TO {file} ({options})"),
                arrow_recordbatch_to_query_params(rows.clone()),
            )
        })
        .map_err(|error| unwritable().because(error))?;
    std::fs::rename(&partial, path).map_err(|error| unwritable().because(error))
}

/// Returns text as it stands in a statement.
fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    #[test]
    fn rows_written_in_any_format_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Utf8, true)]));
        let values = StringArray::from(vec![Some("x,\"y\"\n"), Some("é"), Some("7")]);
        let rows = RecordBatch::try_new(schema, vec![Arc::new(values.clone())]).unwrap();
        for (format, name) in [
            (FileFormat::Csv, "it's.csv"),
            (FileFormat::Ndjson, "b.ndjson"),
            (FileFormat::Parquet, "c.parquet"),
        ] {
            let path = folder.path().join(name);
            write(&path, format, &rows).unwrap();
            let mut read_back = Vec::new();
            read(&path, format, |batch| {
                let column = batch.column(0).as_string::<i32>();
                read_back.extend(column.iter().map(|value| value.map(str::to_owned)));
                Ok(())
            })
            .unwrap();
            let written: Vec<_> = values
                .iter()
                .map(|value| value.map(str::to_owned))
                .collect();
            assert_eq!(read_back, written, "{format:?}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_or_of_another_format_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none.csv");
        assert_eq!(
            read(&missing, FileFormat::Csv, |_| Ok(()))
                .unwrap_err()
                .code(),
            Code::RequestInvalid
        );
        let late = folder.path().join("late.ndjson");
        let good = "{\"a\": 1}\n".repeat(300_000);
        std::fs::write(&late, format!("{good}{{\"a\": \n")).unwrap();
        let mut seen = 0;
        let read_late = read(&late, FileFormat::Ndjson, |batch| {
            seen += batch.num_rows();
            Ok(())
        });
        assert_eq!(read_late.unwrap_err().code(), Code::RequestInvalid);
        assert!(seen > 0, "rows before the bad one were taken");
        let text = folder.path().join("text.parquet");
        std::fs::write(&text, "hello").unwrap();
        assert_eq!(
            read(&text, FileFormat::Parquet, |_| Ok(()))
                .unwrap_err()
                .code(),
            Code::RequestInvalid
        );
    }
}
