//! `salesync match`: the engine over any file.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use salesync_core::error::{Code, Error, Result};
use salesync_core::resolve::{
    ColumnField, ColumnMap, EntityKind, Identity, Membership, Previous, Resolution, Settings,
    resolve,
};
use salesync_duckdb::files::{self, FileFormat};
use serde_json::json;

use crate::cli::{FormatWord, KindWord, MatchWords};
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
    if let (Ok(file), Ok(out)) = (words.file.canonicalize(), words.out.canonicalize())
        && file == out
    {
        return Err(Error::new(Code::RequestInvalid, "match a file")
            .with("--out must be", "another file than the one that is read"));
    }
    let batches = files::read(&words.file, format_of(&words.file, None)?)?;
    let headers: Vec<String> = batches.first().map_or_else(Vec::new, |batch| {
        batch
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    });
    let map = column_map(&headers, &words.map)?;
    if output == Output::Text {
        report::note(&describe(&map, &headers));
    }
    let identities = identities(&batches, &map, words)?;
    let resolution = resolve(&identities, &Previous::default(), &Settings::default());
    let rows = answer(&identities, &resolution)?;
    files::write(&words.out, format_of(&words.out, words.format)?, &rows)?;
    let entities = resolution.people.len() + resolution.companies.len();
    let secs = started.elapsed().as_secs_f64();
    match output {
        Output::Json => report::line(
            &json!({
                "records": identities.len(), "entities": entities, "people": resolution.people.len(),
                "companies": resolution.companies.len(), "pairs_compared": resolution.counts.candidate_pairs,
                "seconds": secs, "out": words.out,
            })
            .to_string(),
        ),
        Output::Text => report::line(&format!(
            "{} records are {entities} entities ({} people, {} companies), in {secs:.2} s: {}",
            identities.len(),
            resolution.people.len(),
            resolution.companies.len(),
            words.out.display()
        )),
    }
    Ok(0)
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

fn identities(
    batches: &[RecordBatch],
    map: &ColumnMap,
    words: &MatchWords,
) -> Result<Vec<Identity>> {
    let mut identities = Vec::new();
    for batch in batches {
        let columns: Option<Vec<&StringArray>> = batch
            .columns()
            .iter()
            .map(|column| column.as_string_opt::<i32>())
            .collect();
        let columns = columns.ok_or_else(|| Error::new(Code::Internal, "read a file as text"))?;
        for row in 0..batch.num_rows() {
            let values: Vec<Option<&str>> = columns
                .iter()
                .map(|column| column.is_valid(row).then(|| column.value(row)))
                .collect();
            let number = u64::try_from(identities.len() + 1).unwrap_or(u64::MAX);
            let mut identity = map.identity(&values, "file", number);
            match words.kind {
                Some(KindWord::Person) => identity.kind = EntityKind::Person,
                Some(KindWord::Company) => {
                    identity.kind = EntityKind::Company;
                    identity.company = identity.company.or_else(|| identity.full_name.take());
                }
                None => {}
            }
            identities.push(identity);
        }
    }
    Ok(identities)
}

/// Returns one row per row of the file, in the file's order.
fn answer(identities: &[Identity], resolution: &Resolution) -> Result<RecordBatch> {
    let by_record: std::collections::HashMap<_, &Membership> = resolution
        .memberships
        .iter()
        .map(|member| ((member.kind, &member.record), member))
        .collect();
    let mut ids = Vec::with_capacity(identities.len());
    let mut entities = Vec::with_capacity(identities.len());
    let mut confidences = Vec::with_capacity(identities.len());
    for identity in identities {
        let Some(member) = by_record.get(&(identity.kind, &identity.record)) else {
            return Err(Error::new(Code::Internal, "find the entity of a record"));
        };
        ids.push(identity.record.id.to_string());
        entities.push(member.entity_id.as_str().to_owned());
        confidences.push(f64::from(member.confidence));
    }
    let schema = Schema::new(vec![
        Field::new("record_id", DataType::Utf8, false),
        Field::new("entity_id", DataType::Utf8, false),
        Field::new("confidence", DataType::Float64, false),
    ]);
    let columns: Vec<arrow::array::ArrayRef> = vec![
        Arc::new(StringArray::from(ids)),
        Arc::new(StringArray::from(entities)),
        Arc::new(Float64Array::from(confidences)),
    ];
    RecordBatch::try_new(Arc::new(schema), columns)
        .map_err(|error| Error::new(Code::Internal, "build a batch").because(error))
}
