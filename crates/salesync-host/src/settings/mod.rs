//! Every setting, read once: from the environment, or under the same name from `salesync.toml`.

mod general;
mod otlp;
mod triggers;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use salesync_core::error::{Code, Error, Result};
use salesync_core::source::SourceDefinition;
use salesync_core::validate::check_name;
use salesync_gcp::{Federation, Merging, Road, SecretPlace};

use self::general::{
    EMULATOR, GENERAL, LOGIN, OF_OTHERS, OF_SCRIPTS, OTLP_HEADERS, WRITE_EMULATOR,
};
use self::values::{
    check_base_url, deadline, default_country, location, login, positive, secrets, source_rank,
    warehouse,
};
use crate::queues::QueueChoice;

pub(crate) use self::general::PUBSUB_EMULATOR;
pub(crate) use self::otlp::OtlpChoice;
pub(crate) use self::triggers::{IdentityChoice, TriggerChoices};
pub(crate) use self::values::{emulator, wrong};

/// The file that settings are read from beside the environment.
const SETTINGS_FILE: &str = "salesync.toml";

/// Which warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WarehouseChoice {
    /// One DuckDB file.
    DuckDb(PathBuf),
    /// One dataset of a BigQuery project.
    BigQuery {
        /// The project's id.
        project: String,
        /// The dataset; none is the one that is called like the tenant.
        dataset: Option<String>,
    },
}

impl WarehouseChoice {
    /// Returns whether there is anything in it yet, where that can be told without asking.
    pub(crate) fn exists(&self) -> bool {
        match self {
            Self::DuckDb(path) => path.exists(),
            Self::BigQuery { .. } => true,
        }
    }
}

impl fmt::Display for WarehouseChoice {
    /// Writes the choice as the setting has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuckDb(path) => write!(f, "duckdb:{}", path.display()),
            Self::BigQuery { project, dataset } => {
                write!(f, "bigquery:{project}")?;
                dataset
                    .as_ref()
                    .map_or(Ok(()), |dataset| write!(f, "/{dataset}"))
            }
        }
    }
}

/// How BigQuery is used, where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BigQueryChoices {
    pub(crate) location: String,
    pub(crate) max_gb_billed: u32,
    pub(crate) merging: Merging,
    pub(crate) road: Road,
    /// The origin of an emulator.
    pub(crate) emulator: Option<String>,
    /// The origin of its Storage Write API.
    pub(crate) write_emulator: Option<String>,
    /// The description of a federation, by which BigQuery knows who asks.
    pub(crate) login: Option<Federation>,
}

impl BigQueryChoices {
    fn read<'a>(get: &dyn Fn(&str) -> &'a str) -> Result<Self> {
        let billed = "SALESYNC_BIGQUERY_MAX_GB_BILLED";
        let merging = "SALESYNC_BIGQUERY_MERGE";
        let road = "SALESYNC_BIGQUERY_LOAD";
        Ok(Self {
            location: location(get("SALESYNC_BIGQUERY_LOCATION"))?,
            max_gb_billed: positive(billed, get(billed))?,
            merging: Merging::parse(get(merging))
                .ok_or_else(|| wrong(merging, "auto, whole, partitions or daily"))?,
            road: Road::parse(get(road)).ok_or_else(|| wrong(road, "jobs or stream"))?,
            emulator: emulator(EMULATOR, get(EMULATOR))?,
            write_emulator: emulator(WRITE_EMULATOR, get(WRITE_EMULATOR))?,
            login: login(get(LOGIN))?,
        })
    }
}

/// Where secrets are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretsChoice {
    /// In the environment, as `SALESYNC_SECRET_<SOURCE>`.
    Environment,
    /// In a folder, as `<source>.json`.
    Folder(PathBuf),
    /// In Secret Manager of a project at Google.
    Google(SecretPlace),
    /// In AWS Secrets Manager of that region, as `salesync/<tenant>/<source>`.
    Aws(String),
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON document per line.
    Json,
}

/// When a resolve looks only at what changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResolveChoices {
    /// From so many records on.
    pub(crate) index_from: u32,
    /// Where no more than so many of a hundred records changed since all were resolved.
    pub(crate) refresh_percent: u32,
}

impl ResolveChoices {
    fn read<'a>(get: &dyn Fn(&str) -> &'a str) -> Result<Self> {
        let name = "SALESYNC_RESOLVE_REFRESH_PERCENT";
        let refresh_percent = match get(name).parse() {
            Ok(number) if (1..=100).contains(&number) => number,
            _ => return Err(wrong(name, "a whole number from 1 to 100")),
        };
        let name = "SALESYNC_RESOLVE_INDEX_FROM";
        Ok(Self {
            index_from: positive(name, get(name))?,
            refresh_percent,
        })
    }
}

/// The settings, all checked.
#[derive(Clone)]
pub struct Settings {
    values: BTreeMap<String, String>,
    pub(crate) warehouse: WarehouseChoice,
    pub(crate) tenant: String,
    pub(crate) secrets: SecretsChoice,
    /// Where dead letters go on to; the warehouse has them all.
    pub(crate) dead_letters: Option<QueueChoice>,
    /// Where is said which runs did not succeed.
    pub(crate) notify: Option<QueueChoice>,
    pub(crate) deadline: Option<Duration>,
    /// Sources, the most trusted first.
    pub(crate) source_rank: Vec<String>,
    /// The country of phone numbers on records that name none, as a code.
    pub(crate) default_country: Option<String>,
    pub(crate) resolve: ResolveChoices,
    #[cfg_attr(
        not(feature = "duckdb"),
        expect(
            dead_code,
            reason = "a program without DuckDB checks the setting and has no use for it"
        )
    )]
    pub(crate) duckdb_memory_mb: u32,
    pub(crate) bigquery: BigQueryChoices,
    pub(crate) triggers: TriggerChoices,
    /// Where a sync that was stopped leaves what is left of it; none where the next sync finds it in the warehouse.
    pub(crate) continuation: Option<QueueChoice>,
    /// Where metrics and traces are sent.
    pub(crate) otlp: Option<OtlpChoice>,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
    pub(crate) base_urls: BTreeMap<&'static str, String>,
    /// What is set for each source alone, by the source's name and the setting's.
    pub(crate) of_sources: OfSources,
    own: Vec<Shown>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("warehouse", &self.warehouse)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads the environment and `salesync.toml` in the present folder; the environment wins.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`] with the name of the setting that is wrong.
    pub(crate) fn read(sources: &[&'static SourceDefinition]) -> Result<Self> {
        let mut values = from_file(Path::new(SETTINGS_FILE), sources)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place where the environment is read"
        )]
        let environment = std::env::vars();
        values.extend(environment.filter(|(name, _)| {
            name.starts_with("SALESYNC_") || OF_OTHERS.contains(&name.as_str())
        }));
        Self::from_values(values, sources)
    }

    /// Checks settings given by name.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`] with the name of the setting that is wrong.
    pub fn from_values(
        values: BTreeMap<String, String>,
        sources: &[&'static SourceDefinition],
    ) -> Result<Self> {
        let get = |name: &str| {
            let default = GENERAL
                .iter()
                .find(|(own, _, _)| *own == name)
                .map_or("", |(_, default, _)| default);
            values
                .get(name)
                .map(|value| value.trim())
                .filter(|value| !value.is_empty())
                .unwrap_or(default)
        };
        let tenant = get("SALESYNC_TENANT").to_owned();
        check_name("tenant", &tenant).map_err(|_| {
            wrong(
                "SALESYNC_TENANT",
                "lower-case letters, digits and _, beginning with a letter",
            )
        })?;
        let dead_letters = QueueChoice::parse("SALESYNC_DEAD_LETTERS", &["warehouse"], &get)?;
        let notify = QueueChoice::parse("SALESYNC_NOTIFY", &[""], &get)?;
        let none = ["warehouse", "none"];
        let continuation = QueueChoice::parse("SALESYNC_CONTINUATION", &none, &get)?;
        let deadline = deadline(get("SALESYNC_DEADLINE_SECS"))?;
        let source_rank = source_rank(get("SALESYNC_SOURCE_RANK"), sources)?;
        let default_country = default_country(get("SALESYNC_DEFAULT_COUNTRY"))?;
        let log_format = match get("SALESYNC_LOG_FORMAT") {
            "text" => LogFormat::Text,
            "json" => LogFormat::Json,
            _ => return Err(wrong("SALESYNC_LOG_FORMAT", "text or json")),
        };
        let mut base_urls = BTreeMap::new();
        for source in sources {
            let name = base_url_name(source.name);
            let text = values
                .get(&name)
                .map_or(source.base_url, |value| value.trim());
            base_urls.insert(source.name, check_base_url(&name, text)?);
        }
        let (of_sources, own) = of_sources(&values, sources)?;
        Ok(Self {
            warehouse: warehouse(get("SALESYNC_WAREHOUSE"))?,
            tenant,
            secrets: secrets(get("SALESYNC_SECRETS"))?,
            dead_letters,
            notify,
            deadline,
            source_rank,
            default_country,
            resolve: ResolveChoices::read(&get)?,
            duckdb_memory_mb: positive(
                "SALESYNC_DUCKDB_MEMORY_MB",
                get("SALESYNC_DUCKDB_MEMORY_MB"),
            )?,
            bigquery: BigQueryChoices::read(&get)?,
            triggers: TriggerChoices::read(&get)?,
            continuation,
            otlp: OtlpChoice::read(&get)?,
            log: get("SALESYNC_LOG").to_owned(),
            log_format,
            base_urls,
            of_sources,
            own,
            values,
        })
    }

    /// Returns the value that was given under this name.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Returns what was given of how warehouses are reached, by the settings' names.
    pub(crate) fn of_warehouse(&self) -> BTreeMap<String, String> {
        let names =
            |name: &String| name.starts_with("SALESYNC_BIGQUERY_") || name.starts_with("BIGQUERY_");
        let given = self.values.iter().filter(|(name, _)| names(name));
        given
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Returns every setting with its value and meaning, for `salesync check`; secrets are not among them.
    pub(crate) fn shown(&self) -> Vec<Shown> {
        let general = GENERAL.iter().map(|(name, default, meaning)| {
            let value = match self.given(name) {
                Some(_) if [LOGIN, OTLP_HEADERS, triggers::SECRET].contains(name) => "(given)",
                given => given.unwrap_or(default),
            };
            ((*name).to_owned(), value.to_owned(), *meaning)
        });
        let origins = self.base_urls.iter().map(|(source, url)| {
            (
                base_url_name(source),
                url.clone(),
                "the origin that the source is reached at",
            )
        });
        general
            .chain(origins)
            .chain(self.own.iter().cloned())
            .collect()
    }

    /// Returns the names that were given and that no setting has: likely misspelt.
    pub(crate) fn unknown(&self, sources: &[&'static SourceDefinition]) -> Vec<String> {
        self.values
            .keys()
            .filter(|name| !is_known(name, sources))
            .cloned()
            .collect()
    }
}

/// A setting's name, value and meaning.
type Shown = (String, String, &'static str);
type OfSources = BTreeMap<&'static str, BTreeMap<&'static str, String>>;

/// Returns the settings that only one source has, by the source's name and the setting's; and all of them with their
/// whole names and meanings.
fn of_sources(
    values: &BTreeMap<String, String>,
    sources: &[&'static SourceDefinition],
) -> Result<(OfSources, Vec<Shown>)> {
    let (mut of_sources, mut own) = (BTreeMap::new(), Vec::new());
    for source in sources {
        let mut of_source = BTreeMap::new();
        for setting in source.settings {
            let name = own_name(source.name, setting.name);
            let given = values.get(&name).map(|value| value.trim());
            let given = given.filter(|value| !value.is_empty());
            let value = given.unwrap_or(setting.default);
            if let Some(rule) = (setting.check)(value) {
                return Err(wrong(&name, rule));
            }
            of_source.insert(setting.name, value.to_owned());
            own.push((name, value.to_owned(), setting.meaning));
        }
        of_sources.insert(source.name, of_source);
    }
    Ok((of_sources, own))
}

/// Where the program runs, as the platform's own variables say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    /// It takes its events from the Lambda runtime.
    Lambda,
    /// It is asked over HTTP, on a port that it is told.
    Service,
    /// It is started by a person.
    Laptop,
}

/// Returns where the program runs.
pub(crate) fn platform() -> Platform {
    let has = |name| of_platform(name).is_some();
    match () {
        () if has("AWS_LAMBDA_RUNTIME_API") => Platform::Lambda,
        () if has("K_SERVICE") || has("PORT") => Platform::Service,
        () => Platform::Laptop,
    }
}

/// Returns the port that the platform gives to a service.
///
/// # Errors
/// [`Code::ConfigInvalid`] where it is none.
pub(crate) fn platform_port() -> Result<u16> {
    let port = of_platform("PORT").unwrap_or_else(|| "8080".to_owned());
    port.parse().map_err(|_| wrong("PORT", "a port"))
}

fn of_platform(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one file in which the environment is read"
    )]
    let value = std::env::var(name);
    value.ok().filter(|value| !value.is_empty())
}

/// Returns the name under which a source's secret stands in the environment.
pub(crate) fn secret_name(source: &str) -> String {
    format!("SALESYNC_SECRET_{}", source.to_uppercase())
}

fn base_url_name(source: &str) -> String {
    own_name(source, "BASE_URL")
}

/// Returns the whole name of a setting that only one source has.
fn own_name(source: &str, setting: &str) -> String {
    format!("SALESYNC_{}_{setting}", source.to_uppercase())
}

fn is_known(name: &str, sources: &[&'static SourceDefinition]) -> bool {
    OF_SCRIPTS.contains(&name)
        || GENERAL.iter().any(|(own, _, _)| *own == name)
        || sources.iter().any(|source| {
            let mut own = source.settings.iter();
            name == base_url_name(source.name)
                || name == secret_name(source.name)
                || own.any(|setting| name == own_name(source.name, setting.name))
        })
}

fn from_file(
    path: &Path,
    sources: &[&'static SourceDefinition],
) -> Result<BTreeMap<String, String>> {
    let unreadable =
        |what: &'static str| Error::new(Code::ConfigInvalid, what).with("file", path.display());
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(unreadable("open the settings file").because(error)),
    };
    // The parser's own message quotes the line, which may hold a secret.
    let table: toml::Table =
        toml::from_str(&text).map_err(|_| unreadable("read the settings file as TOML"))?;
    let mut values = BTreeMap::new();
    for (name, value) in table {
        if !is_known(&name, sources) {
            return Err(wrong(
                &name,
                "salesync.toml holds names that `salesync check` shows",
            ));
        }
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            _ => return Err(wrong(&name, "text or a whole number")),
        };
        values.insert(name, value);
    }
    Ok(values)
}

#[cfg(test)]
mod tests;
