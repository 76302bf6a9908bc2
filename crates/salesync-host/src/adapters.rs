//! Chooses the adapters that the settings name, in one match each.

use std::sync::Arc;
use std::time::Duration;

use salesync_core::error::Result;
#[cfg(not(feature = "duckdb"))]
use salesync_core::error::{Code, Error};
use salesync_core::queue::Queue;
use salesync_core::source::SourceDefinition;
use salesync_core::sync::BatchLimits;
use salesync_core::time::Timestamp;
use salesync_core::warehouse::Warehouse;
#[cfg(feature = "duckdb")]
use salesync_duckdb::{DuckDbSettings, DuckDbWarehouse};
use salesync_gcp::{BigQuerySettings, BigQueryWarehouse, SecretSettings};

use crate::secrets::{AwsSecrets, EnvironmentSecrets, FolderSecrets, GivenSecrets, GoogleSecrets};
use crate::settings::{SecretsChoice, Settings, WarehouseChoice, secret_name};

/// The warehouse and its dead letters.
pub(crate) struct Stores {
    pub(crate) warehouse: Arc<dyn Warehouse>,
    pub(crate) dead_letters: Arc<dyn Queue>,
}

pub(crate) async fn stores(settings: &Settings, now: Timestamp) -> Result<Stores> {
    match &settings.warehouse {
        #[cfg(not(feature = "duckdb"))]
        WarehouseChoice::DuckDb(_) => Err(Error::new(Code::ConfigInvalid, "open the warehouse")
            .with("setting", "SALESYNC_WAREHOUSE")
            .with(
                "must be",
                "bigquery:PROJECT/DATASET: this program carries no DuckDB, `salesync` does",
            )),
        #[cfg(feature = "duckdb")]
        WarehouseChoice::DuckDb(path) => {
            let warehouse = DuckDbWarehouse::open(DuckDbSettings {
                schema: settings.tenant.clone(),
                memory_limit_mb: settings.duckdb_memory_mb,
                // A commit overlaps with reading and decoding; more threads of its own would only wait
                // for one another.
                threads: Some(1),
                ..DuckDbSettings::new(path)
            })
            .await?;
            let dead_letters = warehouse.queue();
            Ok(Stores {
                warehouse: Arc::new(warehouse),
                dead_letters: Arc::new(dead_letters),
            })
        }
        WarehouseChoice::BigQuery { project, dataset } => {
            let place = bigquery(settings, (project, dataset.as_deref()), now);
            let warehouse = BigQueryWarehouse::open(&place).await?;
            let dead_letters = warehouse.queue();
            Ok(Stores {
                warehouse: Arc::new(warehouse),
                dead_letters: Arc::new(dead_letters),
            })
        }
    }
}

/// Returns how much is committed at once: in BigQuery every commit is a job, which takes seconds and bills what it reads
/// of its tables, so that more is gathered for one.
pub(crate) fn batches(settings: &Settings) -> BatchLimits {
    match settings.warehouse {
        WarehouseChoice::DuckDb(_) => BatchLimits::default(),
        WarehouseChoice::BigQuery { .. } => BatchLimits {
            rows: 200_000,
            size_bytes: 32 * 1024 * 1024,
            age: Duration::from_secs(120),
        },
    }
}

/// Asks whether the warehouse can be reached, and changes nothing; none of a file, which is there when it is needed.
pub(crate) async fn check_warehouse(settings: &Settings, now: Timestamp) -> Option<Result<()>> {
    match &settings.warehouse {
        WarehouseChoice::DuckDb(_) => None,
        WarehouseChoice::BigQuery { project, dataset } => {
            let place = bigquery(settings, (project, dataset.as_deref()), now);
            Some(BigQueryWarehouse::check(&place).await)
        }
    }
}

/// Removes a dataset with all its tables.
pub(crate) async fn remove_bigquery(
    settings: &Settings,
    place: (&str, Option<&str>),
    now: Timestamp,
) -> Result<()> {
    BigQueryWarehouse::remove(&bigquery(settings, place, now)).await
}

/// Returns where a BigQuery warehouse is and how it is reached.
fn bigquery(
    settings: &Settings,
    (project, dataset): (&str, Option<&str>),
    now: Timestamp,
) -> BigQuerySettings {
    let choices = &settings.bigquery;
    BigQuerySettings {
        location: choices.location.clone(),
        emulator: choices.emulator.clone(),
        write_emulator: choices.write_emulator.clone(),
        login: choices.login.clone(),
        merging: choices.merging,
        road: choices.road,
        max_bytes_billed: u64::from(choices.max_gb_billed) << 30,
        ..BigQuerySettings::new(project, dataset.unwrap_or(&settings.tenant), now)
    }
}

pub(crate) fn secrets(
    settings: &Settings,
    sources: &[&'static SourceDefinition],
    now: Timestamp,
) -> Arc<dyn GivenSecrets> {
    match &settings.secrets {
        SecretsChoice::Environment => {
            let given = sources.iter().filter_map(|source| {
                Some((
                    source.name.to_owned(),
                    settings.given(&secret_name(source.name))?.to_owned(),
                ))
            });
            Arc::new(EnvironmentSecrets::new(given))
        }
        SecretsChoice::Folder(folder) => Arc::new(FolderSecrets {
            folder: folder.clone(),
        }),
        SecretsChoice::Google(place) => Arc::new(GoogleSecrets::new(SecretSettings {
            place: place.clone(),
            stand_in: None,
            now,
        })),
        SecretsChoice::Aws(region) => Arc::new(AwsSecrets::new(region, &settings.tenant)),
    }
}
