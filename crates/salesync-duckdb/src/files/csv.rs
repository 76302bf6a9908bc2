//! Reads CSV files in the dialect that DuckDB finds them to be in: a reader of CSV alone takes a fifth of its time.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use arrow_csv::ReaderBuilder;
use duckdb::Connection;
use salesync_core::error::{Error, Result};

/// So many rows are a batch.
const ROWS: usize = 8_192;
/// So many bytes are read at once.
const BUFFER: usize = 1 << 20;

/// How a file of several columns separates and quotes its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dialect {
    delimiter: u8,
    quote: u8,
    /// What stands before a quote that is part of a value; nothing where that is another quote.
    escape: Option<u8>,
    columns: Vec<String>,
}

impl Dialect {
    /// Asks DuckDB for the dialect of what `read_csv` with `arguments` would read. Nothing where only DuckDB reads it: a
    /// file that is packed or has comments, lines before the header, marks of several letters or a single column, of
    /// which an empty line is a row; and what is no CSV.
    pub(super) fn of(connection: &Connection, path: &Path, arguments: &str) -> Option<Self> {
        let is_packed = path.extension().is_some_and(|it| it == "gz" || it == "zst");
        if is_packed || !path.metadata().is_ok_and(|it| it.is_file()) {
            return None;
        }
        let asked = format!(
            "SELECT Delimiter, Quote, Escape, Comment, SkipRows, unnest(Columns).name FROM sniff_csv({arguments})"
        );
        let mut statement = connection.prepare(&asked).ok()?;
        let mut rows = statement.query([]).ok()?;
        let mut found: Option<Self> = None;
        while let Ok(Some(row)) = rows.next() {
            let [delimiter, quote, escape, comment] =
                [0, 1, 2, 3].map(|at| mark(&row.get::<_, String>(at).ok()?));
            let before_header: i64 = row.get(4).ok()?;
            if comment? != Mark::None || before_header != 0 {
                return None;
            }
            let Mark::Byte(delimiter) = delimiter? else {
                return None;
            };
            // Where none was seen in the rows that were looked at, later ones may have the usual one.
            let quote = match quote? {
                Mark::Byte(quote) => quote,
                Mark::None => b'"',
            };
            let escape = match escape? {
                Mark::Byte(escape) => Some(escape).filter(|it| *it != quote),
                Mark::None => None,
            };
            let columns = Vec::new();
            let found = found.get_or_insert(Self {
                delimiter,
                quote,
                escape,
                columns,
            });
            found.columns.push(row.get(5).ok()?);
        }
        found.filter(|it| it.columns.len() > 1)
    }

    /// Reads a file of the dialect batch by batch, as [`read`](super::read) does. An empty value is null.
    pub(super) fn read(
        &self,
        path: &Path,
        mut take: impl FnMut(&RecordBatch) -> Result<()>,
        unreadable: impl Fn() -> Error,
    ) -> Result<()> {
        let bad_row = |error| super::bad_row(unreadable(), error);
        let fields = self.columns.iter();
        let fields = fields.map(|name| Field::new(name, DataType::Utf8, true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        take(&RecordBatch::new_empty(schema.clone()))?;
        let file = at_first_letter(path).map_err(|error| unreadable().because(error))?;
        let mut reader = ReaderBuilder::new(schema)
            .with_header(true)
            .with_delimiter(self.delimiter)
            .with_quote(self.quote)
            .with_batch_size(ROWS);
        if let Some(escape) = self.escape {
            reader = reader.with_escape(escape);
        }
        for batch in reader.build_buffered(file).map_err(bad_row)? {
            take(&batch.map_err(bad_row)?)?;
        }
        Ok(())
    }
}

/// Opens a file behind the mark by which some programs say that it is UTF-8.
fn at_first_letter(path: &Path) -> io::Result<BufReader<File>> {
    const MARK: &[u8] = "\u{feff}".as_bytes();
    let mut file = BufReader::with_capacity(BUFFER, File::open(path)?);
    if file.fill_buf()?.starts_with(MARK) {
        file.consume(MARK.len());
    }
    Ok(file)
}

/// What separates, quotes or escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    None,
    Byte(u8),
}

/// Reads a mark as DuckDB writes it; nothing where it is more than a byte.
fn mark(word: &str) -> Option<Mark> {
    match word.as_bytes() {
        b"(empty)" | b"" => Some(Mark::None),
        [byte] => Some(Mark::Byte(*byte)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FileFormat, read};
    use super::*;
    use arrow::array::AsArray;
    use salesync_core::error::Code;

    /// Reads a file's columns and rows, and whether DuckDB left them to the reader of CSV alone.
    fn table(name: &str, bytes: &[u8]) -> (Result<Vec<Vec<Option<String>>>>, bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let connection = Connection::open_in_memory().unwrap();
        let file = super::super::text_literal(&path.to_string_lossy());
        let arguments = format!("{file}, all_varchar = true, header = true");
        let is_left = Dialect::of(&connection, &path, &arguments).is_some();
        let mut rows = Vec::new();
        let whole = read(&path, FileFormat::Csv, |batch| {
            if rows.is_empty() {
                let schema = batch.schema();
                let names = schema.fields().iter().map(|it| Some(it.name().clone()));
                rows.push(names.collect());
            }
            let columns: Vec<_> = batch
                .columns()
                .iter()
                .map(|it| it.as_string::<i32>())
                .collect();
            rows.extend((0..batch.num_rows()).map(|row| {
                let values = columns.iter().map(|it| it.iter().nth(row).flatten());
                values
                    .map(|value| value.map(str::to_owned))
                    .collect::<Vec<_>>()
            }));
            Ok(())
        });
        (whole.map(|()| rows), is_left)
    }

    #[test]
    fn a_file_is_read_in_whatever_dialect_it_is() {
        let ann = ["name,note", "Lee, Ann|say \"hi\"\nagain", "Bo|"];
        for (text, expected) in [
            (
                "name,note\n\"Lee, Ann\",\"say \"\"hi\"\"\nagain\"\nBo,\n",
                ann,
            ),
            (
                "name;note\r\n\"Lee, Ann\";\"say \"\"hi\"\"\nagain\"\r\nBo;\r\n",
                ann,
            ),
            (
                "name\tnote\nLee, Ann\t\"say \"\"hi\"\"\nagain\"\nBo\t\"\"",
                ann,
            ),
            (
                "name,note\n\"Lee, Ann\",\"say \\\"hi\\\"\nagain\"\n\"Bo\",\n",
                ann,
            ),
            (
                "\u{feff}\"name\",note\n'Lee',x\n\n\"Bo\",y\n",
                ["name,note", "'Lee'|x", "Bo|y"],
            ),
            (
                "name|note\n'Lee, Ann'|x\n'Bo'|\n",
                ["name,note", "Lee, Ann|x", "Bo|"],
            ),
        ] {
            let (rows, is_left) = table("a.csv", text.as_bytes());
            let expected = expected.iter().enumerate().map(|(at, row)| {
                let values = row.split(if at == 0 { ',' } else { '|' });
                values
                    .map(|it| Some(it.to_owned()).filter(|it| !it.is_empty()))
                    .collect()
            });
            assert_eq!(rows.unwrap(), expected.collect::<Vec<Vec<_>>>(), "{text}");
            assert!(is_left, "{text}");
        }
    }

    #[test]
    fn a_value_is_quoted_however_late_it_comes() {
        let plain = "Ann,x\n".repeat(50_000);
        let (rows, is_left) = table("a.csv", format!("a,b\n{plain}\"Lee, Bo\",y\n").as_bytes());
        let last = rows.unwrap().pop().unwrap();
        assert_eq!(last, ["Lee, Bo", "y"].map(|it| Some(it.to_owned())));
        assert!(is_left);
    }

    #[test]
    fn what_only_duckdb_reads_it_reads() {
        for (name, text, rows) in [
            ("one.csv", "name\nAnn\n\nBo\n", 4),
            (
                "remarks.csv",
                "# of today\n# and before\na,b\n1,2\n3,4\n",
                3,
            ),
        ] {
            let (read, is_left) = table(name, text.as_bytes());
            assert_eq!((read.unwrap().len(), is_left), (rows, false), "{name}");
        }
    }

    #[test]
    fn a_row_with_too_few_values_or_bad_letters_is_an_error() {
        let good = "Ann,x\n".repeat(50_000);
        for bad in [&b"Bo\n"[..], b"Bo,y,z\n", b"B\xf6,y\n"] {
            let bytes = [b"a,b\n", good.as_bytes(), bad].concat();
            let (read, is_left) = table("a.csv", &bytes);
            assert_eq!(read.unwrap_err().code(), Code::RequestInvalid, "{bad:?}");
            assert!(is_left, "{bad:?}");
        }
    }
}
