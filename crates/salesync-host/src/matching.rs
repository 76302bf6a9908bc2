//! `salesync match`: the engine over any file.

use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
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
    let progress = Counter::start("reading");
    let Taken { records, parts } = read(words, read_as, (output, &progress))?;
    progress.turn("matching");
    let (grouped, reports) = match &words.report {
        None => (records.grouped(), Vec::new()),
        Some(_) => records.reported(),
    };
    progress.end();
    if let Some(path) = &words.report {
        match_report::write(path, &words.file, &reports)?;
    }
    let (people, companies) = (grouped.people(), grouped.companies());
    let (entities, pairs) = (people + companies, grouped.counts.candidate_pairs);
    let rows = answer(grouped, parts)?;
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

/// On more threads than this, putting together what each took in takes longer than they save.
const MOST_TAKERS: usize = 4;

/// Rows of the file, and how many come before them.
type Batch = (u64, RecordBatch);

/// Reads a file on a thread of its own, while others take in what was read before.
fn read(
    words: &MatchWords,
    format: FileFormat,
    (output, progress): (Output, &Counter),
) -> Result<Taken> {
    let ended = || Error::new(Code::Internal, "read a file");
    let (batches, arrived) = sync_channel::<Batch>(READ_AHEAD);
    thread::scope(|scope| {
        let reading = scope.spawn(move || {
            let mut before = 0;
            files::read(&words.file, format, |batch| {
                let first = before;
                before += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
                batches.send((first, batch.clone())).map_err(|_| ended())
            })
        });
        let taken = take(arrived, words, (output, progress));
        // Where rows were refused, that is why the reader ended.
        let read = reading.join().map_err(|_| ended())?;
        let taken = taken?;
        read.map(|()| taken)
    })
}

/// Takes in what arrives, on several threads. What they do not take any more the reader is told of by then.
fn take(
    arrived: Receiver<Batch>,
    words: &MatchWords,
    (output, progress): (Output, &Counter),
) -> Result<Taken> {
    // A reader that fails before its first batch says why.
    let Ok((_, columns)) = arrived.recv() else {
        return Ok(Taken::new(words));
    };
    let taker = Taker {
        map: &understood(&columns, words, output)?,
        words,
        progress,
    };
    let arrived = Mutex::new(arrived);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let taken: Vec<Result<Taken>> = thread::scope(|scope| {
        let takers = (0..threads.min(MOST_TAKERS)).map(|_| scope.spawn(|| taker.take(&arrived)));
        let takers: Vec<_> = takers.collect();
        let ended = |_| Error::new(Code::Internal, "match rows");
        let taken = takers.into_iter().map(|it| it.join().map_err(ended)?);
        taken.collect()
    });
    let taken = taken.into_iter().collect::<Result<Vec<Taken>>>()?;
    let taken = taken.into_iter().reduce(Taken::and);
    Ok(taken.unwrap_or_else(|| Taken::new(words)))
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

/// Guesses what the columns mean and says so, but for what the caller says of them.
fn understood(batch: &RecordBatch, words: &MatchWords, output: Output) -> Result<ColumnMap> {
    let schema = batch.schema();
    let headers = schema.fields().iter().map(|field| field.name().clone());
    let headers: Vec<String> = headers.collect();
    let map = column_map(&headers, &words.map)?;
    if output == Output::Text {
        report::note(&describe(&map, &headers));
    }
    Ok(map)
}

/// Takes in rows, on one thread of several.
struct Taker<'a> {
    map: &'a ColumnMap,
    words: &'a MatchWords,
    progress: &'a Counter,
}

impl Taker<'_> {
    /// Takes in what arrives, until there is no more.
    fn take(&self, arrived: &Mutex<Receiver<Batch>>) -> Result<Taken> {
        let mut taken = Taken::new(self.words);
        let next = || {
            let arrived = arrived.lock().unwrap_or_else(PoisonError::into_inner);
            arrived.recv().ok()
        };
        while let Some((first, batch)) = next() {
            self.take_batch(first, &batch, &mut taken)?;
        }
        Ok(taken)
    }

    fn take_batch(&self, first: u64, batch: &RecordBatch, taken: &mut Taken) -> Result<()> {
        let columns: Option<Vec<&StringArray>> = batch
            .columns()
            .iter()
            .map(|column| column.as_string_opt::<i32>())
            .collect();
        let columns = columns.ok_or_else(|| Error::new(Code::Internal, "read a file as text"))?;
        let before = taken.records.count();
        let mut values = Vec::with_capacity(columns.len());
        for (row, number) in (0..batch.num_rows()).zip(first + 1..) {
            values.clear();
            values.extend(
                columns
                    .iter()
                    .map(|column| column.is_valid(row).then(|| column.value(row))),
            );
            let mut said = self.map.said(&values, "file", number);
            match self.words.kind {
                Some(KindWord::Person) => said.kind = EntityKind::Person,
                Some(KindWord::Company) => {
                    said.kind = EntityKind::Company;
                    said.company = said.company.or_else(|| said.full_name.take());
                }
                None => {}
            }
            taken.records.add(&said);
        }
        taken.parts.push((first, before..taken.records.count()));
        self.progress.add(batch.num_rows());
        Ok(())
    }
}

/// What was taken in.
struct Taken {
    records: Records,
    /// Of rows that follow one another in the file how many come before them, and as which records they came.
    parts: Vec<(u64, Range<usize>)>,
}

impl Taken {
    fn new(words: &MatchWords) -> Self {
        let settings = Settings {
            default_country: words.country.clone(),
            ..Settings::default()
        };
        Self {
            records: Records::new(settings),
            parts: Vec::new(),
        }
    }

    /// Puts what others took in after what these did.
    fn and(mut self, others: Self) -> Self {
        let before = self.records.count();
        self.records.absorb(others.records);
        let parts = others.parts.into_iter();
        let parts =
            parts.map(|(first, records)| (first, before + records.start..before + records.end));
        self.parts.extend(parts);
        self
    }
}

/// Returns one row per row of the file, in the file's order.
fn answer(grouped: Grouped, mut parts: Vec<(u64, Range<usize>)>) -> Result<RecordBatch> {
    parts.sort_unstable_by_key(|(first, _)| *first);
    let mut ids = StringBuilder::new();
    let mut entities = StringBuilder::new();
    let mut confidences = Float64Builder::new();
    let rows = parts.into_iter();
    for (record, entity, confidence) in rows.flat_map(|(_, records)| grouped.rows(records)) {
        ids.append_value(record);
        entities.append_value(&*entity.text());
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
