//! Results on stdout: a table for people, or one JSON document.

use std::collections::BTreeSet;
use std::io::Write as _;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::util::display::array_value_to_string;
use comfy_table::{Table, presets};
use salesync_core::error::{Code, Error, Result};
use salesync_core::run::{Run, RunStatus};
use serde_json::{Map, Value, json};

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// Writes a line to stdout. A reader that has gone away (`| head`) is no error. Control characters, which could make a
/// terminal do something, are shown as a mark: what records say is anybody's.
pub(crate) fn line(text: &str) {
    let is_harmless = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\t');
    let shown = |letter| {
        if is_harmless(letter) {
            letter
        } else {
            char::REPLACEMENT_CHARACTER
        }
    };
    let text: String = text.chars().map(shown).collect();
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// Writes an error to stderr in one line: code, what was done, what to do.
pub(crate) fn error(error: &Error) {
    let mut text = error.to_string();
    if error.code() == Code::ConfigInvalid
        && let Some(cause) = std::error::Error::source(error)
    {
        text = format!("{text}: {cause}");
    }
    drop(writeln!(
        std::io::stderr(),
        "{text}; {}",
        error.code().remedy()
    ));
}

/// Returns an error as a JSON document.
pub(crate) fn error_json(error: &Error) -> Value {
    let code = error.code();
    json!({"error": {"code": code.as_str(), "message": error.to_string(), "remedy": code.remedy()}})
}

/// Writes a table with these columns.
pub(crate) fn table(headers: &[&str], rows: Vec<Vec<String>>) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(headers);
    table.add_rows(rows);
    line(&table.trim_fmt());
}

/// Writes the runs of a sync and what to do about those that did not succeed.
pub(crate) fn runs(runs: &[Run]) {
    let headers = [
        "source",
        "stream",
        "status",
        "fetched",
        "new",
        "changed",
        "unchanged",
        "gone",
        "rejected",
        "requests",
        "code",
    ];
    let rows = runs.iter().map(|run| {
        let counts = &run.counts;
        vec![
            run.source.clone(),
            run.stream.clone(),
            run.status.as_str().to_owned(),
            counts.fetched.to_string(),
            counts.new.to_string(),
            counts.changed.to_string(),
            (counts.unchanged + counts.older_ignored + counts.duplicate).to_string(),
            (counts.tombstoned + counts.marked).to_string(),
            counts.rejected.to_string(),
            run.traffic.requests.to_string(),
            run.code.clone().unwrap_or_default(),
        ]
    });
    table(&headers, rows.collect());
    let mut parts = BTreeSet::new();
    for run in runs {
        let ends = run
            .parts
            .iter()
            .filter_map(|end| Some((end.part.as_deref()?, end)));
        parts.extend(ends.map(|(part, end)| (run.source.as_str(), part, end.code.as_str())));
    }
    for (source, part, code) in parts {
        line(&format!(
            " {source}: {part} was not read to the end: {code}"
        ));
    }
    let mut told = Vec::new();
    for code in runs.iter().filter_map(|run| run.code.as_deref()) {
        if !told.contains(&code) {
            told.push(code);
            if let Some(known) = Code::parse(code) {
                drop(writeln!(std::io::stderr(), "{code}: {}", known.remedy()));
            }
        }
    }
    if runs.iter().any(|run| run.counts.rejected > 0) {
        drop(writeln!(
            std::io::stderr(),
            "some records were set aside: see `salesync dlq list`"
        ));
    }
}

/// Returns the exit code of a sync: a person decides before the next run heals.
pub(crate) fn exit_code(runs: &[Run]) -> u8 {
    runs.iter()
        .filter(|run| !matches!(run.status, RunStatus::Succeeded | RunStatus::Skipped))
        .map(|run| {
            run.code
                .as_deref()
                .and_then(Code::parse)
                .map_or(75, Code::exit_code)
                .max(75)
        })
        .max()
        .unwrap_or(0)
}

/// Writes rows of a scan, the named columns as a table or all columns as JSON.
pub(crate) fn scanned(batches: &[RecordBatch], columns: &[&str], output: Output) -> Result<()> {
    if output == Output::Json {
        line(&Value::from(documents(batches)?).to_string());
        return Ok(());
    }
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cell = |name: &&str| {
                batch
                    .column_by_name(name)
                    .map_or(Ok(String::new()), |column| shown(column, row))
            };
            rows.push(columns.iter().map(cell).collect::<Result<_>>()?);
        }
    }
    table(columns, rows);
    Ok(())
}

/// Returns rows as JSON documents.
pub(crate) fn documents(batches: &[RecordBatch]) -> Result<Vec<Value>> {
    let mut documents = Vec::new();
    for batch in batches {
        let schema = batch.schema();
        for row in 0..batch.num_rows() {
            let mut document = Map::new();
            for (field, column) in schema.fields().iter().zip(batch.columns()) {
                document.insert(field.name().clone(), json_of(column, row)?);
            }
            documents.push(Value::Object(document));
        }
    }
    Ok(documents)
}

fn json_of(column: &ArrayRef, row: usize) -> Result<Value> {
    if column.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match column.data_type() {
        DataType::Int64 => Value::from(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Value::from(column.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => Value::from(column.as_boolean().value(row)),
        _ => Value::from(shown(column, row)?),
    })
}

fn shown(column: &ArrayRef, row: usize) -> Result<String> {
    array_value_to_string(column, row)
        .map_err(|error| Error::new(Code::StoreSchema, "show a value").because(error))
}

/// Writes a remark to stderr.
pub(crate) fn note(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
