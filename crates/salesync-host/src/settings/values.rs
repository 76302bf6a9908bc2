//! What single settings may hold.

use std::path::{Path, PathBuf};
use std::time::Duration;

use salesync_core::error::{Code, Error, Result};
use salesync_core::normalise::country;
use salesync_core::source::SourceDefinition;
use salesync_gcp::{Federation, SecretPlace};
use url::Url;

use super::general::LOGIN;
use super::{SecretsChoice, WarehouseChoice};

/// Reads which warehouse.
pub(super) fn warehouse(text: &str) -> Result<WarehouseChoice> {
    match text.split_once(':') {
        Some(("duckdb", file)) if !file.is_empty() => {
            Ok(WarehouseChoice::DuckDb(PathBuf::from(file)))
        }
        Some(("bigquery", place)) => bigquery(place),
        _ => Err(wrong(
            "SALESYNC_WAREHOUSE",
            "duckdb:FILE or bigquery:PROJECT/DATASET",
        )),
    }
}

/// Reads `PROJECT/DATASET`, or `PROJECT` alone.
fn bigquery(place: &str) -> Result<WarehouseChoice> {
    let (project, dataset) = match place.split_once('/') {
        Some((project, dataset)) => (project, Some(dataset)),
        None => (place, None),
    };
    let is_project = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:".contains(c);
    let is_dataset = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_good = |text: &str, is_char: &dyn Fn(char) -> bool| {
        !text.is_empty() && text.len() <= 128 && text.chars().all(is_char)
    };
    if is_good(project, &is_project) && dataset.is_none_or(|it| is_good(it, &is_dataset)) {
        return Ok(WarehouseChoice::BigQuery {
            project: project.to_owned(),
            dataset: dataset.map(str::to_owned),
        });
    }
    Err(wrong(
        "SALESYNC_WAREHOUSE",
        "bigquery:PROJECT/DATASET, with the project's id and letters, digits and _ in the dataset",
    ))
}

/// Reads where datasets are made.
pub(super) fn location(text: &str) -> Result<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    match text.chars().all(is_name) {
        true => Ok(text.to_owned()),
        false => Err(wrong(
            "SALESYNC_BIGQUERY_LOCATION",
            "such as US, EU or europe-west3",
        )),
    }
}

/// Reads the description of a federation; nothing of it is in an error.
pub(super) fn login(text: &str) -> Result<Option<Federation>> {
    if text.is_empty() {
        return Ok(None);
    }
    let federation = Federation::parse(text).map(Some);
    federation.ok_or_else(|| wrong(LOGIN, "JSON of the type external_account"))
}

/// Returns the origin of an emulator, which is given as HOST:PORT or with `http://` before it.
pub(crate) fn emulator(name: &'static str, text: &str) -> Result<Option<String>> {
    match text {
        "" => Ok(None),
        text if text.contains("://") => check_base_url(name, text).map(Some),
        text => check_base_url(name, &format!("http://{text}")).map(Some),
    }
}

/// Reads where secrets are.
pub(super) fn secrets(text: &str) -> Result<SecretsChoice> {
    match text.split_once(':') {
        None if text == "env" => Ok(SecretsChoice::Environment),
        Some(("file", folder)) if Path::new(folder).is_dir() => {
            Ok(SecretsChoice::Folder(folder.into()))
        }
        Some(("file", _)) => Err(wrong(
            "SALESYNC_SECRETS",
            "file:DIR names a folder that exists",
        )),
        Some(("gcp", place)) => SecretPlace::parse(place)
            .map(SecretsChoice::Google)
            .ok_or_else(|| wrong("SALESYNC_SECRETS", "gcp:PROJECT or gcp:PROJECT/PREFIX")),
        Some(("aws", region)) if is_region(region) => Ok(SecretsChoice::Aws(region.to_owned())),
        Some(("aws", _)) => Err(wrong(
            "SALESYNC_SECRETS",
            "aws:REGION names a region such as eu-west-1",
        )),
        _ => Err(wrong(
            "SALESYNC_SECRETS",
            "env, file:DIR, gcp:PROJECT or aws:REGION",
        )),
    }
}

/// Returns whether a text is spelt like a region of AWS: `eu-west-1`, `us-gov-east-1`.
fn is_region(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.split('-').count() >= 3
        && text.split('-').all(|part| !part.is_empty())
        && text.chars().all(is_letter)
        && text.ends_with(|c: char| c.is_ascii_digit())
}

/// Returns an origin without the slash at its end.
pub(super) fn check_base_url(name: &str, text: &str) -> Result<String> {
    let url =
        Url::parse(text).map_err(|_| wrong(name, "an origin such as https://api.example.com"))?;
    let loopback = is_loopback(&url);
    let plain = url.path() == "/"
        && url.query().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if plain && (url.scheme() == "https" || (url.scheme() == "http" && loopback)) {
        return Ok(url.as_str().trim_end_matches('/').to_owned());
    }
    Err(wrong(
        name,
        "an https origin without a path (http only on this machine)",
    ))
}

/// Returns whether an address is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(host)) => host == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Reads names of sources, the most trusted first.
pub(super) fn source_rank(
    text: &str,
    sources: &[&'static SourceDefinition],
) -> Result<Vec<String>> {
    let named = text.split(',').map(str::trim);
    let named: Vec<String> = named
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    let known: Vec<&str> = sources.iter().map(|source| source.name).collect();
    if named.iter().all(|name| known.contains(&name.as_str())) {
        return Ok(named);
    }
    let rule = "names of sources, separated by commas";
    Err(wrong("SALESYNC_SOURCE_RANK", rule).with("sources", known.join(", ")))
}

/// Reads a country, by name or code, as a code; none where nothing is said.
pub(super) fn default_country(text: &str) -> Result<Option<String>> {
    let found = country::normalise(text);
    if found.is_none() && !text.is_empty() {
        let rule = "a country, as a name or a code of two or three letters";
        return Err(wrong("SALESYNC_DEFAULT_COUNTRY", rule));
    }
    Ok(found.map(str::to_owned))
}

/// Reads after how many seconds a sync stops; none where nothing is said.
pub(super) fn deadline(text: &str) -> Result<Option<Duration>> {
    if text.is_empty() {
        return Ok(None);
    }
    let secs = positive("SALESYNC_DEADLINE_SECS", text)?;
    Ok(Some(Duration::from_secs(secs.into())))
}

/// Reads a whole number above 0.
pub(super) fn positive(name: &'static str, text: &str) -> Result<u32> {
    match text.parse() {
        Ok(number) if (1..=10_000_000).contains(&number) => Ok(number),
        _ => Err(wrong(name, "a whole number above 0")),
    }
}

/// Returns the error of a setting that breaks a rule.
pub(crate) fn wrong(name: &str, rule: &'static str) -> Error {
    Error::new(Code::ConfigInvalid, "read settings")
        .with("setting", name)
        .with("must be", rule)
}
