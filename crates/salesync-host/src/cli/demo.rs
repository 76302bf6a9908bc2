//! `salesync demo` and `salesync sandbox`: the whole way without an account.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use salesync_core::command::{Command, Resolve, Sync};
use salesync_core::error::{Code, Error, Result};
use salesync_core::publish::{COMPANIES, PEOPLE};
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::{Scan, Warehouse};
use serde_json::json;

use super::args::SandboxWords;
use super::{Program, exit_code, observed, tell};
use crate::adapters;
use crate::context::Context;
use crate::demo::{LimitUsed, RunningWorld, WorldLimits, WorldOptions};
use crate::report::{self, Output};
use crate::settings::{Settings, WarehouseChoice, secret_name};
use crate::signals;

/// The demo's own file and dataset, so that it never touches real data.
const DEMO_FILE: &str = "salesync-demo.duckdb";
const DEMO_DATASET: &str = "salesync_demo";

/// Runs the demo: into a file of its own, or into a dataset of its own where `outer` names BigQuery.
pub(super) async fn demo(
    program: Program,
    outer: &Context,
    (records, keep): (usize, bool),
    output: Output,
) -> Result<u8> {
    let place = match &outer.settings.warehouse {
        WarehouseChoice::DuckDb(_) => WarehouseChoice::DuckDb(
            std::path::absolute(DEMO_FILE).unwrap_or_else(|_| PathBuf::from(DEMO_FILE)),
        ),
        WarehouseChoice::BigQuery { project, .. } => WarehouseChoice::BigQuery {
            project: project.clone(),
            dataset: Some(DEMO_DATASET.to_owned()),
        },
    };
    if !keep {
        remove(outer, &place).await?;
    }
    let world = start(program, WorldOptions::of(records)).await?;
    let settings = settings(program, world.as_ref(), (&place, &outer.settings))?;
    let cx = Context::new(settings, program.sources, outer.telemetry.clone());
    if output == Output::Text {
        report::line(&format!(
            "invented vendors with about {records} records answer at {}\n",
            world.url()
        ));
    }
    let synced = observed(&cx, all(), output).await?;
    world.stop().await;
    if output == Output::Text {
        tell(&synced);
    }
    if exit_code(&synced) != 0 {
        return Ok(exit_code(&synced));
    }
    let resolved = observed(&cx, Command::Resolve(Resolve::default()), output).await?;
    match output {
        Output::Json => report::line(
            &json!({"warehouse": place.to_string(), "synced": synced, "resolved": resolved})
                .to_string(),
        ),
        Output::Text => {
            report::line("");
            tell(&resolved);
            show(cx.stores().await?.warehouse.as_ref()).await?;
            report::line(&match &place {
                WarehouseChoice::DuckDb(file) => format!(
                    "\nEverything is in {}, schema sales. Look around:\n  duckdb {} \"SELECT * FROM sales.people LIMIT 10\"",
                    file.display(),
                    file.display()
                ),
                WarehouseChoice::BigQuery { project, .. } => format!(
                    "\nEverything is in the dataset {DEMO_DATASET} of {project}. Look around:\n  \
                     bq query --nouse_legacy_sql \"SELECT * FROM {DEMO_DATASET}.people LIMIT 10\""
                ),
            });
        }
    }
    Ok(0)
}

fn all() -> Command {
    Command::Sync(Sync {
        source: "all".to_owned(),
        ..Sync::default()
    })
}

/// Shows the entities that stand on the most records.
async fn show(warehouse: &dyn Warehouse) -> Result<()> {
    let shown: [(&str, &[&str]); 2] = [
        (
            COMPANIES.name,
            &[
                "name",
                "domain",
                "city",
                "country",
                "record_count",
                "source_count",
            ],
        ),
        (
            PEOPLE.name,
            &[
                "full_name",
                "email",
                "title",
                "company",
                "record_count",
                "source_count",
            ],
        ),
    ];
    for (table, columns) in shown {
        report::line(&format!("\n{table}, those on the most records first:"));
        let scan = Scan {
            columns: columns
                .iter()
                .map(|name| SqlIdentifier::parse(name))
                .collect::<Result<_>>()?,
            newest_by: Some(SqlIdentifier::parse("record_count")?),
            limit: Some(10),
            ..Scan::of(SqlIdentifier::parse(table)?)
        };
        report::scanned(&warehouse.scan(&scan).await?, columns, Output::Text)?;
    }
    Ok(())
}

pub(super) async fn sandbox(program: Program, words: SandboxWords, output: Output) -> Result<u8> {
    let options = WorldOptions {
        records: words.records,
        port: words.port,
        limits: if words.limits {
            WorldLimits::Vendor
        } else {
            WorldLimits::Off
        },
        latency_ms: words.latency,
        disturb: words.disturb,
        messages: words.messages,
        quota_model: words.quota_model,
    };
    let world = start(program, options).await?;
    if let Some(path) = words.truth {
        let lines = world
            .truth()
            .into_iter()
            .map(|record| format!("{}\n", json!(record)));
        std::fs::write(&path, lines.collect::<String>()).map_err(|error| {
            Error::new(Code::RequestInvalid, "write the truth")
                .with("file", path.display())
                .because(error)
        })?;
    }
    let url = world.url();
    let settings = settings_for(program, world.as_ref());
    match output {
        Output::Json => report::line(&json!({"url": url, "settings": settings}).to_string()),
        Output::Text => {
            report::line(&format!(
                "invented vendors answer at {url} until Ctrl-C; to sync from them:\n"
            ));
            for (name, value) in &settings {
                report::line(&format!("export {name}='{value}'"));
            }
            report::line("\nsalesync sync all && salesync resolve");
        }
    }
    let mut stop = signals::stop_requested();
    drop(stop.wait_for(|stop| *stop).await);
    if options.limits == WorldLimits::Vendor {
        show_limits(&world.limits_used(), output);
    }
    world.stop().await;
    Ok(0)
}

/// Shows how the vendors' limits were used: on stderr where stdout holds the one JSON document.
fn show_limits(used: &[LimitUsed], output: Output) {
    if output == Output::Json {
        report::note(&json!({"limits": used}).to_string());
        return;
    }
    let headers = [
        "source",
        "limit",
        "permitted/min",
        "busiest/min",
        "told to wait in it",
        "share",
        "admitted",
        "over the limit",
        "told to wait",
        "back too early",
    ];
    let rows = used.iter().map(|it| {
        vec![
            it.source.to_owned(),
            it.limit.clone(),
            or_dash(it.permitted.map(|units| units.to_string())),
            it.busiest.to_string(),
            format!("{:.1} s", it.held_secs),
            or_dash(it.share.map(|share| format!("{:.1} %", share * 100.0))),
            it.admitted.to_string(),
            it.over_limit.to_string(),
            it.told_to_wait.to_string(),
            it.early.to_string(),
        ]
    });
    report::line("");
    report::table(&headers, rows.collect());
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

async fn start(program: Program, options: WorldOptions) -> Result<Box<dyn RunningWorld>> {
    let Some(demo) = program.demo else {
        return Err(
            Error::new(Code::RequestInvalid, "start the invented vendors")
                .with("this program has none", "use `salesync`"),
        );
    };
    demo.start(options).await.map_err(|error| {
        Error::new(Code::RequestInvalid, "start the invented vendors")
            .with("port", options.port)
            .because(error)
    })
}

/// Returns the settings with which this program reads from the invented vendors.
fn settings_for(program: Program, world: &dyn RunningWorld) -> BTreeMap<String, String> {
    let origins = program.sources.iter().map(|source| {
        (
            format!("SALESYNC_{}_BASE_URL", source.name.to_uppercase()),
            world.url(),
        )
    });
    let secrets = world
        .secrets()
        .into_iter()
        .map(|(source, secret)| (secret_name(source), secret));
    let others = world
        .settings()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    origins.chain(secrets).chain(others).collect()
}

fn settings(
    program: Program,
    world: &dyn RunningWorld,
    (place, outer): (&WarehouseChoice, &Settings),
) -> Result<Settings> {
    let mut values = outer.of_warehouse();
    values.extend(settings_for(program, world));
    values.insert("SALESYNC_WAREHOUSE".to_owned(), place.to_string());
    Settings::from_values(values, program.sources)
}

/// Removes what the last demo left.
async fn remove(outer: &Context, place: &WarehouseChoice) -> Result<()> {
    match place {
        WarehouseChoice::DuckDb(file) => remove_file(file),
        WarehouseChoice::BigQuery { project, dataset } => {
            let place = (project.as_str(), dataset.as_deref());
            adapters::remove_bigquery(&outer.settings, place, outer.now).await
        }
    }
}

fn remove_file(file: &Path) -> Result<()> {
    let wal = PathBuf::from(format!("{}.wal", file.display()));
    for path in [file, wal.as_path()] {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::new(Code::ConfigInvalid, "remove the last demo")
                    .with("file", path.display())
                    .because(error));
            }
            _ => {}
        }
    }
    Ok(())
}
