//! Log lines on stderr, so that stdout stays for results.

mod json;

use std::io::IsTerminal as _;

use salesync_core::error::{Code, Error, Result};
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Filter, Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::json::{JsonFields, JsonLines};
use crate::settings::{LogFormat, Settings, WarehouseChoice};
use crate::telemetry::{Heard, Telemetry};

/// The traces of AWS's SDK quote what is sent, secrets too, and those of its runtime whole events: they are never written.
const QUIET: &str = "aws_config=warn,aws_smithy_runtime=warn,aws_smithy_runtime_api=warn,aws_runtime=warn,\
                     aws_sigv4=warn,aws_sdk_sqs=warn,aws_sdk_secretsmanager=warn,aws_smithy_http_client=warn,\
                     lambda_runtime=warn,lambda_runtime_api_client=warn";

/// Starts the log and what is measured beside it. Called once per process.
pub(crate) fn start(settings: &Settings) -> Result<Telemetry> {
    let telemetry = Telemetry::new(settings.otlp.clone(), &settings.tenant);
    let lines = fmt::layer::<Registry>()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines: Heard = match settings.log_format {
        LogFormat::Text => lines
            .with_target(false)
            .with_filter(logged(settings)?)
            .boxed(),
        LogFormat::Json => lines
            .event_format(JsonLines::of(&settings.tenant, project(settings)))
            .fmt_fields(JsonFields)
            .with_filter(with_runs(logged(settings)?))
            .boxed(),
    };
    let mut heard = vec![lines, telemetry.facts()];
    let is_span = filter_fn(|about| about.is_span()).with_max_level_hint(LevelFilter::TRACE);
    let spans = FilterExt::<Registry>::and(with_runs(logged(settings)?), is_span);
    heard.extend(telemetry.traces(spans));
    let started = tracing_subscriber::registry().with(heard).try_init();
    started.map_err(|error| Error::new(Code::Internal, "start the log").because(error))?;
    hide_panics();
    Ok(telemetry)
}

/// Returns what the settings want logged.
fn logged(settings: &Settings) -> Result<EnvFilter> {
    EnvFilter::try_new(format!("{},{QUIET}", settings.log)).map_err(|error| {
        Error::new(Code::ConfigInvalid, "read settings")
            .with("setting", "SALESYNC_LOG")
            .because(error)
    })
}

/// Adds our commands and runs, whatever is logged: their lines say by them whose they are.
fn with_runs(filter: EnvFilter) -> impl Filter<Registry> + Send + Sync + 'static {
    let runs = filter_fn(is_run).with_max_level_hint(LevelFilter::INFO);
    FilterExt::<Registry>::or(filter, runs)
}

fn is_run(about: &Metadata<'_>) -> bool {
    about.is_span() && *about.level() <= Level::INFO && about.target().starts_with("salesync_")
}

/// Returns the project at Google whose traces are meant.
fn project(settings: &Settings) -> Option<&str> {
    match &settings.warehouse {
        WarehouseChoice::BigQuery { project, .. } => Some(project),
        WarehouseChoice::DuckDb(_) => None,
    }
}

/// Makes a fault of ours a log line that says where it happened, and nothing of what it met: that could be a record.
fn hide_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location();
        tracing::error!(
            file = place.map(|place| place.file()),
            line = place.map(|place| place.line()),
            code = Code::Internal.as_str(),
            "a fault of ours"
        );
    }));
}
