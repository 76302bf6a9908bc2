//! `salesync match`: the engine over any file.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use arrow::array::{Array, AsArray, Float64Builder, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use salesync_core::error::{Code, Error, Result};
use salesync_core::resolve::{ColumnField, ColumnMap, EntityKind, Grouped, Records, Settings};
use salesync_duckdb::files::{self, FileFormat};
use serde_json::json;

use crate::cli::{FormatWord, KindWord, MatchWords};
use crate::match_report;
use crate::progress::Counter;
use crate::report::{self, Output};

/// Matches a file and writes the answer.
pub(crate) async fn run(words: MatchWords, output: Output) -> Result<u8> {
    // Reading, resolving and writing are work on the processor from end to end.
    tokio::task::spawn_blocking(move || match_file(&words, output))
        .await
        .map_err(|error| Error::new(Code::Internal, "match a file").because(error))?
}

fn match_file(words: &MatchWords, output: Output) -> Result<u8> {
    let started = std::time::Instant::now();
    different(&words.file, &words.out, "--out")?;
    if let Some(report) = &words.report {
        different(&words.file, report, "--report")?;
        different(&words.out, report, "--report")?;
    }
    let (read_as, write_as) = (
        format_of(&words.file, None)?,
        format_of(&words.out, words.format)?,
    );
    let mut rows = Rows::new(words, output);
    read(&words.file, read_as, |batch| rows.take(batch))?;
    let grouped = match &words.report {
        None => rows.grouped(Records::grouped),
        Some(path) => {
            let (grouped, reports) = rows.grouped(Records::reported);
            match_report::write(path, &words.file, &reports)?;
            grouped
        }
    };
    let (people, companies) = (grouped.people(), grouped.companies());
    let (entities, pairs) = (people + companies, grouped.counts.candidate_pairs);
    let rows = answer(grouped)?;
    let records = rows.num_rows();
    files::write(&words.out, write_as, &rows)?;
    let secs = started.elapsed().as_secs_f64();
    match output {
        Output::Json => report::line(
            &json!({
                "records": records, "entities": entities, "people": people,
                "companies": companies, "pairs_compared": pairs,
                "seconds": secs, "out": words.out, "report": words.report,
            })
            .to_string(),
        ),
        Output::Text => {
            report::line(&format!(
                "{records} records are {entities} entities ({people} people, {companies} companies), in {secs:.2} s: {}",
                words.out.display()
            ));
            if let Some(path) = &words.report {
                report::line(&format!("how good that is: {}", path.display()));
            }
        }
    }
    Ok(0)
}

/// So many batches may be read ahead of what is taken in.
const READ_AHEAD: usize = 16;

/// Reads a file on a thread of its own, while `take` gets what was read before.
fn read(
    path: &Path,
    format: FileFormat,
    mut take: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let ended = || Error::new(Code::Internal, "read a file");
    let (batches, arrived) = sync_channel::<RecordBatch>(READ_AHEAD);
    thread::scope(|scope| {
        let reading = scope.spawn(move || {
            files::read(path, format, |batch| {
                batches.send(batch.clone()).map_err(|_| ended())
            })
        });
        let taken = arrived.iter().try_for_each(|batch| take(&batch));
        // Where a batch was refused, the reader ends at its next one.
        drop(arrived);
        let read = reading.join().map_err(|_| ended())?;
        taken.and(read)
    })
}

/// Refuses to write one file over another.
fn different(one: &Path, other: &Path, word: &'static str) -> Result<()> {
    let whole = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    if matches!((whole(one), whole(other)), (Ok(one), Ok(other)) if one == other) {
        return Err(
            Error::new(Code::RequestInvalid, "match a file").with("must be another file", word)
        );
    }
    Ok(())
}

fn format_of(path: &Path, word: Option<FormatWord>) -> Result<FileFormat> {
    match word {
        Some(FormatWord::Csv) => return Ok(FileFormat::Csv),
        Some(FormatWord::Ndjson) => return Ok(FileFormat::Ndjson),
        Some(FormatWord::Parquet) => return Ok(FileFormat::Parquet),
        None => {}
    }
    let name = path
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().to_lowercase());
    let plain = name.trim_end_matches(".gz").trim_end_matches(".zst");
    match plain.rsplit_once('.').map(|(_, ending)| ending) {
        Some("csv" | "tsv" | "txt") => Ok(FileFormat::Csv),
        Some("ndjson" | "jsonl" | "json") => Ok(FileFormat::Ndjson),
        Some("parquet" | "pq") => Ok(FileFormat::Parquet),
        _ => Err(
            Error::new(Code::RequestInvalid, "read the format of a file")
                .with("file", path.display())
                .with("ends in none of", ".csv, .tsv, .ndjson, .jsonl, .parquet"),
        ),
    }
}

fn column_map(headers: &[String], corrections: &[String]) -> Result<ColumnMap> {
    let borrowed: Vec<&str> = headers.iter().map(String::as_str).collect();
    let mut map = ColumnMap::guess(&borrowed);
    for correction in corrections {
        let invalid = || Error::new(Code::RequestInvalid, "read --map");
        let (field, column) = correction
            .split_once('=')
            .ok_or_else(|| invalid().with("must be", "FIELD=COLUMN"))?;
        let field = ColumnField::parse(field).ok_or_else(|| {
            let known: Vec<&str> = ColumnField::names().collect();
            invalid()
                .with("unknown field", field)
                .with("fields", known.join(", "))
        })?;
        map = map.with(field, column).ok_or_else(|| {
            invalid()
                .with("the file has no column", column)
                .with("columns", headers.join(", "))
        })?;
    }
    if map.columns().is_empty() {
        return Err(
            Error::new(Code::RequestInvalid, "guess what the columns mean")
                .with("columns", headers.join(", "))
                .with("say it with", "--map FIELD=COLUMN"),
        );
    }
    Ok(map)
}

fn describe(map: &ColumnMap, headers: &[String]) -> String {
    let pairs = map
        .columns()
        .iter()
        .filter_map(|(field, at)| Some(format!("{}={}", field.as_str(), headers.get(*at)?)));
    format!("columns: {}", pairs.collect::<Vec<_>>().join(" "))
}

/// The rows of the file, as they are read.
struct Rows<'a> {
    words: &'a MatchWords,
    output: Output,
    map: Option<ColumnMap>,
    records: Records,
    count: u64,
    progress: Counter,
}

impl<'a> Rows<'a> {
    fn new(words: &'a MatchWords, output: Output) -> Self {
        Self {
            words,
            output,
            map: None,
            records: Records::new(Settings::default()),
            count: 0,
            progress: Counter::start("reading"),
        }
    }

    /// Takes rows in; what the columns mean is guessed from the first batch.
    fn take(&mut self, batch: &RecordBatch) -> Result<()> {
        if self.map.is_none() {
            let schema = batch.schema();
            let headers = schema.fields().iter().map(|field| field.name().clone());
            let headers: Vec<String> = headers.collect();
            let map = column_map(&headers, &self.words.map)?;
            if self.output == Output::Text {
                report::note(&describe(&map, &headers));
            }
            self.map = Some(map);
        }
        let Some(map) = &self.map else { return Ok(()) };
        let columns: Option<Vec<&StringArray>> = batch
            .columns()
            .iter()
            .map(|column| column.as_string_opt::<i32>())
            .collect();
        let columns = columns.ok_or_else(|| Error::new(Code::Internal, "read a file as text"))?;
        let mut values = Vec::with_capacity(columns.len());
        for row in 0..batch.num_rows() {
            values.clear();
            values.extend(
                columns
                    .iter()
                    .map(|column| column.is_valid(row).then(|| column.value(row))),
            );
            self.count += 1;
            let mut said = map.said(&values, "file", self.count);
            match self.words.kind {
                Some(KindWord::Person) => said.kind = EntityKind::Person,
                Some(KindWord::Company) => {
                    said.kind = EntityKind::Company;
                    said.company = said.company.or_else(|| said.full_name.take());
                }
                None => {}
            }
            self.records.add(&said);
        }
        self.progress.show(self.count);
        Ok(())
    }

    /// Says which rows are one.
    fn grouped<T>(self, group: impl FnOnce(Records) -> T) -> T {
        self.progress.turn("matching");
        let grouped = group(self.records);
        self.progress.end();
        grouped
    }
}

/// Returns one row per row of the file, in the file's order.
fn answer(grouped: Grouped) -> Result<RecordBatch> {
    let mut ids = StringBuilder::new();
    let mut entities = StringBuilder::new();
    let mut confidences = Float64Builder::new();
    for (record, entity, confidence) in grouped.rows() {
        ids.append_value(record);
        entities.append_value(entity.as_str());
        confidences.append_value(f64::from(confidence));
    }
    drop(grouped);
    let schema = Schema::new(vec![
        Field::new("record_id", DataType::Utf8, false),
        Field::new("entity_id", DataType::Utf8, false),
        Field::new("confidence", DataType::Float64, false),
    ]);
    let columns: Vec<arrow::array::ArrayRef> = vec![
        Arc::new(ids.finish()),
        Arc::new(entities.finish()),
        Arc::new(confidences.finish()),
    ];
    RecordBatch::try_new(Arc::new(schema), columns)
        .map_err(|error| Error::new(Code::Internal, "build a batch").because(error))
}
