//! Reads plain CSV files in the dialect that DuckDB finds them to be in: a reader of CSV alone takes a third of its time.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use arrow_csv::ReaderBuilder;
use duckdb::Connection;
use salesync_core::error::{Error, Result};

/// So many rows are a batch, as DuckDB has it.
const ROWS: usize = 2_048;
/// So many bytes are read at once.
const BUFFER: usize = 1 << 20;
/// A row with more bytes DuckDB refuses.
const LONGEST_ROW: usize = 2_000_000;

/// What DuckDB is asked for the rows of a file, which is given as it stands in a statement.
pub(super) fn arguments(file: &str) -> String {
    format!(
        "{file}, all_varchar = true, auto_type_candidates = ['VARCHAR'], header = true, buffer_size = 4194304"
    )
}

/// How a file separates and quotes its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dialect {
    delimiter: u8,
    /// Doubled, it is a part of a quoted value.
    quote: u8,
    columns: Vec<String>,
}

impl Dialect {
    /// Returns the dialect of a file that is plain, so that every reader finds the same in it: each row has a value for
    /// each of several columns, and quotes are around whole values. All else is for DuckDB to read, or to refuse.
    pub(super) fn of_plain(connection: &Connection, path: &Path, file: &str) -> Option<Self> {
        let is_packed = path.extension().is_some_and(|it| it == "gz" || it == "zst");
        let is_pattern = file.contains(['*', '?', '[']);
        if is_packed || is_pattern || !path.metadata().is_ok_and(|it| it.is_file()) {
            return None;
        }
        let found = Self::sniffed(connection, file)?;
        let mut plain = Plain::of(&found);
        let mut read = open(path).ok()?;
        loop {
            let bytes = read.fill_buf().ok()?;
            if bytes.is_empty() {
                break;
            }
            if !plain.take(bytes) {
                return None;
            }
            let taken = bytes.len();
            read.consume(taken);
        }
        plain.end().then_some(found)
    }

    /// Asks DuckDB; nothing where a reader of CSV alone does not know such a dialect.
    fn sniffed(connection: &Connection, file: &str) -> Option<Self> {
        let asked = format!(
            "SELECT Delimiter, Quote, Escape, Comment, SkipRows, unnest(Columns).name FROM sniff_csv({})",
            arguments(file)
        );
        let mut statement = connection.prepare(&asked).ok()?;
        let mut rows = statement.query([]).ok()?;
        let mut found: Option<Self> = None;
        while let Some(row) = rows.next().ok()? {
            let [delimiter, quote, escape, comment] =
                [0, 1, 2, 3].map(|at| mark(&row.get::<_, String>(at).ok()?));
            let before_header: i64 = row.get(4).ok()?;
            // Where no quotes were among the rows that were looked at, later ones may have the usual ones.
            let quote = quote?.unwrap_or(b'"');
            let is_known = escape?.is_none_or(|it| it == quote) && comment?.is_none();
            if !is_known || before_header != 0 {
                return None;
            }
            let found = found.get_or_insert(Self {
                delimiter: delimiter??,
                quote,
                columns: Vec::new(),
            });
            found.columns.push(row.get(5).ok()?);
        }
        // Of a single column, an empty line is a row.
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
        let file = open(path).map_err(|error| unreadable().because(error))?;
        let rows = ReaderBuilder::new(schema)
            .with_header(true)
            .with_delimiter(self.delimiter)
            .with_quote(self.quote)
            .with_batch_size(ROWS)
            .build_buffered(file)
            .map_err(bad_row)?;
        for batch in rows {
            take(&batch.map_err(bad_row)?)?;
        }
        Ok(())
    }
}

/// Opens a file behind the mark by which some programs say that it is UTF-8.
fn open(path: &Path) -> io::Result<BufReader<File>> {
    const MARK: &[u8] = "\u{feff}".as_bytes();
    let mut file = BufReader::with_capacity(BUFFER, File::open(path)?);
    if file.fill_buf()?.starts_with(MARK) {
        file.consume(MARK.len());
    }
    Ok(file)
}

/// Reads a mark as DuckDB writes it, which may be none; nothing where it is more than a byte.
fn mark(word: &str) -> Option<Option<u8>> {
    match word.as_bytes() {
        b"(empty)" | b"" => Some(None),
        [byte] => Some(Some(*byte)),
        _ => None,
    }
}

/// Follows a file byte by byte as long as it is plain.
struct Plain {
    delimiter: u8,
    quote: u8,
    /// By byte, whether it may mean something.
    marks: [bool; 256],
    columns: usize,
    at: At,
    /// The values of the row that are behind.
    values: usize,
    row_len: usize,
    /// Whether a carriage return stands before the end of a row; it does so everywhere or nowhere.
    with_return: Option<bool>,
}

/// Where in a row the next byte is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Bare,
    Quoted,
    /// Behind a quote, which closes the value unless another follows.
    Closed,
    /// Behind a carriage return.
    Return,
}

impl Plain {
    fn of(dialect: &Dialect) -> Self {
        let mut marks = [false; 256];
        for byte in [dialect.delimiter, dialect.quote, b'\n', b'\r'] {
            if let Some(mark) = marks.get_mut(usize::from(byte)) {
                *mark = true;
            }
        }
        Self {
            delimiter: dialect.delimiter,
            quote: dialect.quote,
            marks,
            columns: dialect.columns.len(),
            at: At::Start,
            values: 0,
            row_len: 0,
            with_return: None,
        }
    }

    /// Takes the next bytes; says whether the file is plain so far.
    fn take(&mut self, mut bytes: &[u8]) -> bool {
        while let Some((byte, rest)) = bytes.split_first() {
            if !self.take_one(*byte) {
                return false;
            }
            bytes = rest;
            if matches!(self.at, At::Bare | At::Quoted) {
                let mark = rest.iter().position(|byte| self.is_mark(*byte));
                let letters = mark.unwrap_or(rest.len());
                self.row_len += letters;
                bytes = rest.get(letters..).unwrap_or_default();
            }
        }
        true
    }

    fn is_mark(&self, byte: u8) -> bool {
        self.marks
            .get(usize::from(byte))
            .copied()
            .unwrap_or_default()
    }

    fn take_one(&mut self, byte: u8) -> bool {
        self.row_len += 1;
        self.at = match self.at {
            At::Quoted if byte == self.quote => At::Closed,
            At::Quoted => At::Quoted,
            At::Closed if byte == self.quote => At::Quoted,
            At::Return if byte != b'\n' => return false,
            _ if byte == self.delimiter => {
                self.values += 1;
                At::Start
            }
            at if byte == b'\n' => return self.ends_row(at == At::Return),
            _ if byte == b'\r' => At::Return,
            At::Start if byte == self.quote => At::Quoted,
            At::Start | At::Bare if byte != self.quote => At::Bare,
            _ => return false,
        };
        true
    }

    fn ends_row(&mut self, with_return: bool) -> bool {
        let is_plain = self.values + 1 == self.columns
            && self.row_len <= LONGEST_ROW
            && *self.with_return.get_or_insert(with_return) == with_return;
        (self.at, self.values, self.row_len) = (At::Start, 0, 0);
        is_plain
    }

    /// Says whether the file may end here: behind a row, or with one that no mark ends.
    fn end(&self) -> bool {
        match self.at {
            At::Quoted | At::Return => false,
            At::Start if self.values == 0 => true,
            _ => self.values + 1 == self.columns && self.row_len <= LONGEST_ROW,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FileFormat, read, read_with_duckdb, text_literal};
    use super::*;
    use arrow::array::AsArray;
    use salesync_core::error::Code;

    type Table = Vec<Vec<Option<String>>>;

    /// Takes batches into a table, the columns' names first.
    fn into(table: &mut Table) -> impl FnMut(&RecordBatch) -> Result<()> {
        |batch| {
            if table.is_empty() {
                let schema = batch.schema();
                let names = schema.fields().iter().map(|it| Some(it.name().clone()));
                table.push(names.collect());
            }
            let columns = batch.columns().iter().map(|it| it.as_string::<i32>());
            let columns: Vec<_> = columns.collect();
            let value = |row: usize, at: usize| columns.get(at)?.iter().nth(row).flatten();
            for row in 0..batch.num_rows() {
                let values = (0..columns.len()).map(|at| value(row, at).map(str::to_owned));
                table.push(values.collect());
            }
            Ok(())
        }
    }

    /// Reads a file, and says whether DuckDB left it to the reader of CSV alone.
    fn table(name: &str, bytes: &[u8]) -> (Result<Table>, bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let connection = Connection::open_in_memory().unwrap();
        let file = text_literal(&path.to_string_lossy());
        let is_left = Dialect::of_plain(&connection, &path, &file).is_some();
        let mut table = Vec::new();
        let whole = read(&path, FileFormat::Csv, into(&mut table));
        (whole.map(|()| table), is_left)
    }

    fn rows<const N: usize>(rows: [&str; N]) -> Table {
        let values = rows.map(|row| row.split('|').map(str::to_owned));
        let some = |value: String| Some(value).filter(|it| !it.is_empty());
        values.map(|values| values.map(some).collect()).to_vec()
    }

    #[test]
    fn a_file_is_read_in_whatever_dialect_it_is() {
        let ann = rows(["name|note", "Lee, Ann|say \"hi\"\nagain", "Bo|"]);
        let bo = rows(["name|note", "'Lee'|x", "Bo|y"]);
        let late = "Ann,x\n".repeat(50_000);
        for (text, expected, plain) in [
            (
                "name,note\n\"Lee, Ann\",\"say \"\"hi\"\"\nagain\"\nBo,\n",
                &ann,
                true,
            ),
            (
                "name;note\r\n\"Lee, Ann\";\"say \"\"hi\"\"\nagain\"\r\nBo;\r\n",
                &ann,
                true,
            ),
            (
                "name\tnote\nLee, Ann\t\"say \"\"hi\"\"\nagain\"\nBo\t\"\"",
                &ann,
                true,
            ),
            (
                "name,note\n\"Lee, Ann\",\"say \\\"hi\\\"\nagain\"\n\"Bo\",\n",
                &ann,
                false,
            ),
            ("\u{feff}\"name\",note\n'Lee',x\n\"Bo\",y\n", &bo, true),
            ("\u{feff}name,note\n'Lee',x\n\n\"Bo\",y\n", &bo, false),
            ("name, note\n'Lee', \"x\"\n\"Bo\" ,y\n", &bo, false),
            (
                "name|note\n'Lee, Ann'|x\n'Bo'|\n",
                &rows(["name|note", "Lee, Ann|x", "Bo|"]),
                true,
            ),
            (
                "name|note\nBo|x|\nAnn|y|\n",
                &rows(["name|note", "Bo|x", "Ann|y"]),
                false,
            ),
            ("name,name\nBo,x\n", &rows(["name|name_1", "Bo|x"]), true),
            ("name,note\n", &rows(["name|note"]), true),
            ("name\nBo\n\nAnn\n", &rows(["name", "Bo", "", "Ann"]), false),
            (
                "# of today\n# or so\na,b\n1,2\n3,4\n",
                &rows(["a|b", "1|2", "3|4"]),
                false,
            ),
            (
                "name,note\nBo,\"x\nAnn,y\nCy,z\n",
                &rows(["name|note", "Bo|\"x", "Ann|y", "Cy|z"]),
                false,
            ),
        ] {
            let (read, is_left) = table("a.csv", text.as_bytes());
            assert_eq!(&read.unwrap(), expected, "{text}");
            assert_eq!(is_left, plain, "{text}");
        }
        let (read, is_left) = table("a.csv", format!("a,b\n{late}\"Lee, Bo\",y\n").as_bytes());
        let last = read.unwrap().pop();
        assert_eq!((last, is_left), (rows(["Lee, Bo|y"]).pop(), true));
    }

    #[test]
    fn a_row_that_is_not_like_the_others_is_an_error_and_no_row_is_swallowed() {
        let good = "Ann,x\n".repeat(50_000);
        let refused = Err(Code::RequestInvalid);
        for (bad, expected, plain) in [
            (&b"Bo\n"[..], refused, false),
            (b"Bo,y,z\n", refused, false),
            (b"B\xf6,y\n", refused, true),
            (b"Bo,\"y\nCy,z\n", Ok(50_003), false),
        ] {
            let bytes = [b"a,b\n", good.as_bytes(), bad].concat();
            let (read, is_left) = table("a.csv", &bytes);
            let read = read.map(|rows| rows.len()).map_err(|error| error.code());
            assert_eq!(read, expected, "{bad:?}");
            assert_eq!(is_left, plain, "{bad:?}");
        }
    }

    #[test]
    fn what_is_left_to_the_reader_of_csv_alone_duckdb_reads_alike() {
        const PIECES: [&str; 6] = ["a", ",", "\"", "\n", " ", "\r\n"];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let file = text_literal(&path.to_string_lossy());
        let connection = Connection::open_in_memory().unwrap();
        let mut left = 0;
        for number in 0..PIECES.len().pow(4) {
            let pieces = (0..4).map(|at| PIECES[number / PIECES.len().pow(at) % PIECES.len()]);
            let text = format!("name,\"note\"\nb,\"c\"\n{}", pieces.collect::<String>());
            std::fs::write(&path, &text).unwrap();
            let Some(dialect) = Dialect::of_plain(&connection, &path, &file) else {
                continue;
            };
            let unreadable = || Error::new(Code::RequestInvalid, "read a file");
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            dialect.read(&path, into(&mut ours), unreadable).unwrap();
            let asked = format!("read_csv({})", arguments(&file));
            read_with_duckdb(&connection, &asked, into(&mut theirs), unreadable).unwrap();
            assert_eq!(ours, theirs, "{text:?}");
            left += 1;
        }
        assert!(left > 50, "{left} files were plain");
    }
}
