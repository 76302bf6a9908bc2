//! The same answers whichever warehouse: what a DuckDB file holds after a scenario, a BigQuery dataset holds too, row by
//! row, in every table and view. Both are written by the program and read through the port.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::{Scan, Warehouse};
use salesync_duckdb::{DuckDbSettings, DuckDbWarehouse};
use salesync_gcp::BigQueryWarehouse;
use salesync_sandbox::{SandboxConfig, Vendor};
use salesync_testkit::warehouse::{Row, read};
use serde_json::Value;

use crate::at_rest::change_everything;
use crate::bigquery::{self, Dataset};
use crate::harness::{Bench, ends_within, from_environment, wait};

/// When and by which run a row was written.
const OF_THE_RUN: [&str; 5] = [
    "_run_id",
    "_synced_at",
    "run_id",
    "resolved_at",
    "changed_since",
];
/// What says of the logs that both must have in common; the rest is about times and requests.
const OF_LOGS: [(&str, &[&str]); 7] = [
    (
        "etl_runs",
        &[
            "source",
            "stream",
            "mode",
            "status",
            "code",
            "fetched",
            "new",
            "changed",
            "unchanged",
            "older_ignored",
            "duplicate",
            "tombstoned",
            "rejected",
            "marked",
        ],
    ),
    (
        "dead_letters",
        &[
            "dead_id",
            "source",
            "stream",
            "record_id",
            "code",
            "field",
            "message",
            "attempt",
            "state",
            "payload",
            "payload_encoding",
            "payload_bytes",
        ],
    ),
    // An entity that is no longer there had a name by chance.
    ("entity_history", &["event", "successor_id"]),
    ("match_override_events", DECISION),
    ("match_overrides", DECISION),
    ("schema_changes", &["table_name", "column_name", "change"]),
    ("data_freshness", &["source", "stream", "last_status"]),
];
/// So many records say the same.
const CROWD: i64 = 1_400;
/// A decision but for its run and time.
const DECISION: &[&str] = &[
    "kind",
    "left_source",
    "left_stream",
    "left_id",
    "right_source",
    "right_stream",
    "right_id",
    "rule",
    "decided_by",
    "reason",
];
/// What is about this run's times alone, or stands behind the views above.
const NOT_COMPARED: [&str; 6] = [
    "_seen_keys",
    "dead_letter_events",
    "dialpad_transcript_backlog",
    "etl_run_events",
    "sync_state",
    "sync_windows",
];

/// What a login at Google may need of the environment.
const LOGIN: [&str; 3] = ["HOME", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG"];

/// The same program over the same vendors, into both warehouses.
struct Both {
    duckdb: Bench,
    bigquery: Bench,
    place: Dataset,
}

impl Both {
    /// Starts vendors with mail and calls; none where no emulator of BigQuery is here.
    fn new(config: SandboxConfig, dataset: &str) -> Option<Self> {
        let place = bigquery::new_dataset(dataset)?;
        let mut duckdb = Bench::with_mail(config);
        let url = duckdb.url().to_owned();
        duckdb.set("SALESYNC_DIALPAD_BASE_URL", url);
        duckdb.set(
            "SALESYNC_SECRET_DIALPAD",
            salesync_sandbox::dialpad_secret(),
        );
        // Few as the records are, what changed is resolved alone.
        duckdb.set("SALESYNC_RESOLVE_INDEX_FROM", "1");
        duckdb.set("SALESYNC_RESOLVE_REFRESH_PERCENT", "100");
        let mut bigquery = duckdb.another();
        write_to(&mut bigquery, &place);
        Some(Self {
            duckdb,
            bigquery,
            place,
        })
    }

    fn sync(&self, words: &[&str]) {
        self.duckdb.sync(words);
        self.bigquery.sync(words);
    }

    fn json(&self, words: &[&str]) -> [Value; 2] {
        [self.duckdb.json(words), self.bigquery.json(words)]
    }

    /// Resolves all records, here and in BigQuery by itself; both must find the same. Returns what they found.
    fn resolve_apart(&self) -> Value {
        let here = self.duckdb.json(&["resolve", "--full"]);
        let there = self.bigquery.json(&["resolve", "--in-warehouse"]);
        assert_eq!(here, there);
        there
    }

    /// Reads tables and views of both through the port.
    fn read(&self, tables: &[String]) -> [BTreeMap<String, Vec<Row>>; 2] {
        let file = self.duckdb.folder().join("salesync.duckdb");
        runtime().block_on(async {
            let duckdb = DuckDbWarehouse::open(DuckDbSettings::new(file))
                .await
                .unwrap();
            let bigquery = BigQueryWarehouse::open(&self.place).await.unwrap();
            let warehouses: [Arc<dyn Warehouse>; 2] = [Arc::new(duckdb), Arc::new(bigquery)];
            let mut contents = [BTreeMap::new(), BTreeMap::new()];
            for (warehouse, content) in warehouses.iter().zip(&mut contents) {
                for table in tables {
                    let scan = Scan::of(SqlIdentifier::parse(table).unwrap());
                    content.insert(table.clone(), read(warehouse.as_ref(), &scan).await);
                }
            }
            contents
        })
    }

    /// Fails unless both answer the questions of the page about tables alike: each is made a view, and read.
    fn assert_questions(&self) {
        let questions = questions();
        assert_eq!(questions.len(), 10);
        let file = self.duckdb.folder().join("salesync.duckdb");
        let connection = duckdb::Connection::open(file).unwrap();
        for (number, question) in questions.iter().enumerate() {
            let view = format!("question_{number}");
            let sql = format!("CREATE VIEW sales.{view} AS {question}");
            connection
                .execute_batch(&sql)
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
            let dataset = format!("`{}`.`{}`.", self.place.project, self.place.dataset);
            let question = question.replace("sales.", &dataset);
            let sql = format!("CREATE VIEW {dataset}{view} AS {question}");
            runtime().block_on(bigquery::query(&self.place, &sql));
        }
        drop(connection);
        let views: Vec<String> = (0..10).map(|it| format!("question_{it}")).collect();
        let [duckdb, bigquery] = self.read(&views);
        for view in &views {
            let question = &questions[view
                .trim_start_matches("question_")
                .parse::<usize>()
                .unwrap()];
            let [one, other] = [&duckdb[view], &bigquery[view]].map(|rows| rows.len());
            assert_eq!(one, other, "{question}");
            assert_eq!(plain(&duckdb[view]), plain(&bigquery[view]), "{question}");
        }
        let answered = views
            .iter()
            .filter(|view| !duckdb[*view].is_empty())
            .count();
        assert!(answered >= 9, "{duckdb:?}");
    }

    /// Fails unless both hold the same, in so many tables and views at least.
    fn assert_equal(&self, least: usize, when: &str) {
        let tables = self.duckdb.tables().list(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'sales' UNION ALL \
             SELECT view_name FROM duckdb_views() WHERE schema_name = 'sales' ORDER BY 1",
        );
        let contents = self.read(&tables).map(comparable);
        let [duckdb, bigquery] = contents;
        assert!(tables.len() >= least, "{tables:?}");
        for table in duckdb.keys() {
            let (one, other) = (&duckdb[table], &bigquery[table]);
            assert_eq!(one.len(), other.len(), "rows of {table}, {when}");
            for (one, other) in one.iter().zip(other) {
                assert_eq!(one, other, "{table}, {when}");
            }
        }
    }
}

/// Lets the programs of a bench write to a dataset.
pub(crate) fn write_to(bench: &mut Bench, place: &Dataset) {
    let warehouse = format!("bigquery:{}/{}", place.project, place.dataset);
    bench.set("SALESYNC_WAREHOUSE", warehouse);
    match &place.emulator {
        Some(emulator) => {
            bench.set("BIGQUERY_EMULATOR_HOST", emulator.as_str());
            let write_api = place.write_emulator.as_deref().unwrap();
            bench.set("BIGQUERY_STORAGE_EMULATOR_HOST", write_api);
        }
        None => LOGIN.iter().for_each(|name| {
            if let Some(value) = from_environment(name) {
                bench.set(name, value.to_str().unwrap());
            }
        }),
    }
}

/// Returns the questions of the page about tables: the queries in its section of that name.
fn questions() -> Vec<String> {
    let page = std::fs::read_to_string("../docs/tables.md").unwrap();
    let section = page.split("## Ten questions").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sql\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().trim().to_owned())
        .collect()
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

/// Returns rows whose decimals have no zeros at their ends, since of a sum nobody says how many digits it has; and
/// without up to when a stream is complete, which is a time of the run.
fn plain(rows: &[Row]) -> Vec<Row> {
    let value = |text: &String| match text.contains('.') && text.parse::<f64>().is_ok() {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.clone(),
    };
    let row = |row: &Row| {
        row.iter()
            .filter(|(name, _)| *name != "complete_to")
            .map(|(name, text)| (name.clone(), value(text)))
            .collect()
    };
    let mut rows: Vec<Row> = rows.iter().map(row).collect();
    rows.sort();
    rows
}

/// Returns the rows of all tables in their order, without what differs from run to run.
fn comparable(mut content: BTreeMap<String, Vec<Row>>) -> BTreeMap<String, Vec<Row>> {
    content.retain(|table, _| !NOT_COMPARED.contains(&table.as_str()));
    let names = names_of_entities(content.get("entity_records").map_or(&[], Vec::as_slice));
    for (table, rows) in &mut content {
        let of_log = OF_LOGS.iter().find(|(name, _)| name == table);
        for row in rows.iter_mut() {
            row.retain(|column, _| match of_log {
                Some((_, columns)) => columns.contains(&column.as_str()),
                None => !OF_THE_RUN.contains(&column.as_str()),
            });
            for value in row.values_mut() {
                if let Some(name) = names.get(value) {
                    value.clone_from(name);
                }
            }
            // What a sweep or an owner marks has the time of the run.
            if row.contains_key("_deleted_at") {
                row.insert("_deleted_at".to_owned(), "some time".to_owned());
            }
            let is_absent = row.get("_deleted_reason").is_some_and(|it| it == "absent");
            // The version of a transcript is when it was read.
            if is_absent || table == "dialpad_transcripts" {
                row.remove("_version");
            }
        }
        rows.sort();
    }
    content
}

/// Returns a name for each entity that does not depend on chance: its first record.
fn names_of_entities(records: &[Row]) -> BTreeMap<String, String> {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for row in records {
        let name = format!("{}/{}/{}", row["source"], row["stream"], row["record_id"]);
        let known = names
            .entry(row["entity_id"].clone())
            .or_insert_with(|| name.clone());
        if name < *known {
            *known = name;
        }
    }
    names
}

#[test]
fn both_warehouses_hold_the_same_after_first_incremental_and_full_syncs_and_after_resolving() {
    let config = SandboxConfig {
        records: 1_500,
        mailboxes: 2,
        messages: Some(40),
        calls: Some(20),
        ..SandboxConfig::default()
    };
    let Some(both) = Both::new(config, "parity") else {
        return;
    };
    both.sync(&["all"]);
    let first = both.resolve_apart();
    assert!(first["created"].as_u64().unwrap() > 500, "{first}");
    both.assert_equal(40, "after a first sync");

    change_everything(both.duckdb.world());
    let world = both.duckdb.world();
    world.add_field(Vendor::HubSpot, "contacts", "shoe_size", "number");
    both.sync(&["all"]);
    for resolved in both.json(&["resolve"]) {
        assert!(resolved["changed"].as_u64().unwrap() > 0, "{resolved}");
    }
    both.assert_equal(40, "after everything changed");

    both.sync(&["all", "--full", "--confirm-absent"]);
    let of_people = |which: &str| {
        both.duckdb.tables().list(&format!(
            "SELECT {which}(concat_ws('/', source, stream, record_id)) FROM entity_records JOIN people ON person_id = entity_id \
             GROUP BY entity_id ORDER BY max(record_count) DESC, entity_id LIMIT 4"
        ))
    };
    let (record, other_record) = (of_people("max"), of_people("min"));
    let [one, other] = both.json(&["split", &record[0], "--reason", "another", "--by", "us"]);
    assert_eq!(one["decided"], other["decided"]);
    both.assert_equal(40, "after a full sync and a decision");
    both.json(&["split", &record[1], "--later"]);
    both.json(&["join", &record[2], &record[3], "--later"]);
    // What was split is one again.
    both.json(&["join", &record[0], &other_record[0], "--later"]);
    // One that is killed on its way leaves the last answer.
    let mut killed = both.bigquery.start(&["resolve", "--in-warehouse"]);
    if !ends_within(&mut killed, Duration::from_secs(6)) {
        killed.kill().unwrap();
        wait(killed);
        both.assert_equal(40, "after a resolve that was killed");
    }
    // So many share one mailbox that only neighbours meet: a long chain of pairs.
    let lead = serde_json::json!({"FirstName": "Ann", "LastName": "Crowdson", "Company": "Crowdson", "Email": "ann@crowdson.io"});
    let world = both.duckdb.world();
    (0..CROWD).for_each(|_| drop(world.salesforce_create("Lead", &lead)));
    both.sync(&["salesforce", "--streams", "leads"]);
    let last = both.resolve_apart();
    let largest = both
        .duckdb
        .tables()
        .number("SELECT max(record_count) FROM people");
    assert!(largest >= CROWD, "{largest}");
    for event in ["created", "merged", "split"] {
        assert!(last[event].as_u64().unwrap() > 0, "{event}: {last}");
    }
    both.assert_equal(40, "after decisions");
    let [one, other] = both.json(&["why", &record[0]]);
    assert_eq!(one["overrides"], other["overrides"]);
    assert_eq!(one["records"][0]["says"], other["records"][0]["says"]);
    both.assert_questions();
}

#[test]
fn letters_are_discarded_parked_and_redriven_alike() {
    let config = SandboxConfig {
        records: 200,
        mailboxes: 1,
        ..SandboxConfig::default()
    };
    let Some(mut both) = Both::new(config, "letters") else {
        return;
    };
    both.bigquery.set("SALESYNC_BIGQUERY_LOAD", "stream");
    let world = both.duckdb.world();
    for contact in world.hubspot_records("contacts").iter().take(4) {
        let id = contact["id"].as_str().unwrap();
        let sent = format!(
            "{{\"id\":\"{id}\",\"properties\":{{\"lastmodifieddate\":\"2026-01-01T00:00:00Z\",\"fit_score\":\"x\"}}}}"
        );
        world.put_raw(Vendor::HubSpot, "contacts", id, &sent);
    }
    let checked = both.bigquery.json(&["check", "hubspot"]);
    let checks = checked["checks"].as_array().unwrap().iter();
    let checks: Vec<(&str, bool)> = checks
        .map(|it| (it["source"].as_str().unwrap(), it["ok"] == true))
        .collect();
    assert_eq!(checks, [("warehouse", true), ("hubspot", true)]);
    both.sync(&["hubspot", "--streams", "contacts"]);
    let [one, other] = both.json(&["dlq", "list"]);
    let ids = |listed: &Value| -> Vec<String> {
        let letters = listed.as_array().unwrap().iter();
        letters
            .map(|it| it["dead_id"].as_str().unwrap().to_owned())
            .collect()
    };
    let letters = ids(&one);
    let mut others = ids(&other);
    others.sort();
    let mut sorted = letters.clone();
    sorted.sort();
    assert_eq!((sorted.len(), &sorted), (4, &others));

    both.json(&["dlq", "discard", &letters[0]]);
    for _ in 0..3 {
        let words = ["dlq", "redrive", letters[1].as_str(), "--json"];
        let documents = [&both.duckdb, &both.bigquery].map(|bench| bench.run(&words).document());
        assert_eq!(documents[0], documents[1]);
        assert_eq!(documents[0]["rejected"], 1);
    }
    both.assert_equal(8, "with letters that are parked and discarded");

    // The property is text from now on: the table is widened, and what was no number is good text.
    world.add_field(Vendor::HubSpot, "contacts", "fit_score", "string");
    let [one, other] = both.json(&["dlq", "redrive"]);
    assert_eq!((&one["redriven"], &one), (&Value::from(2), &other));
    both.assert_equal(8, "with letters that went through");
}
