//! The three ways in which commands come in. Each is a thin translation of one [`Command`] and of its report:
//!
//! | the program is started | front |
//! |---|---|
//! | by the Lambda runtime | [`lambda`]: schedules, batches of a queue, direct invokes |
//! | by a platform that gives it a port, and without words | [`http`] |
//! | otherwise | the command line; its `serve` is [`http`] too |
//!
//! What lasts (settings, secrets, logs) is built once for each start, and nothing is connected before it is needed, so
//! that a start takes milliseconds.

pub(crate) mod http;
mod lambda;
mod leases;
mod message;
mod outside;
#[cfg(test)]
#[cfg(feature = "duckdb")]
mod scene;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use salesync_core::command::{Command, Sync};
use salesync_core::error::{Code, Error, Result};
use salesync_core::source::SourceDefinition;
use salesync_core::sync::Observation;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::cli;
use crate::context::Context;
use crate::demo::DemoWorld;
use crate::handle::{Report, handle};
use crate::settings::{Platform, Settings, TriggerChoices, platform, platform_port};
use crate::{logs, report, signals};

/// How long a sync may read in a cloud function where neither a setting nor the platform says: of the 540 seconds that
/// a function has, a minute is for the last commit and the answer.
const ALLOWED: Duration = Duration::from_secs(480);

/// Runs a program with these sources, and with the demo where it carries one, behind the front that it is started for.
/// Returns its exit code: 0 all is well, 2 the words were wrong, 75 the next run may heal it, 78 a person must decide.
#[must_use]
pub fn main(
    sources: &'static [&'static SourceDefinition],
    demo: Option<&'static dyn DemoWorld>,
) -> ExitCode {
    let has_words = std::env::args_os().len() > 1;
    let ended = match platform() {
        Platform::Lambda => cli::in_runtime(as_function(sources)),
        Platform::Service if !has_words => cli::in_runtime(as_service(sources)),
        Platform::Service | Platform::Laptop => return cli::main(sources, demo),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell_end(&error);
            ExitCode::from(cli::exit_code_of_error(&error))
        }
    }
}

/// Says why a function ended: in a log line, where lines are written already.
fn tell_end(error: &Error) {
    if tracing::enabled!(tracing::Level::ERROR) {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        let (cause, remedy) = (cause.as_deref(), error.code().remedy());
        tracing::error!(error = %error, cause, remedy, "the function ended");
    } else {
        report::error(error);
    }
}

async fn as_function(sources: &[&'static SourceDefinition]) -> Result<()> {
    let cx = start(sources)?;
    lambda::serve(lambda::Front::new(cx, signals::stop_requested())).await
}

async fn as_service(sources: &[&'static SourceDefinition]) -> Result<()> {
    let cx = start(sources)?;
    if cx.settings.triggers.is_empty() {
        return Err(TriggerChoices::missing());
    }
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, platform_port()?));
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Error::new(Code::ConfigInvalid, "listen")
            .with("setting", "PORT")
            .because(error)
    })?;
    http::serve(http::Front::new(cx, signals::stop_requested()), listener).await
}

/// Builds what lasts as long as the function does. Defaults are for laptops: a function must be told where rows go.
fn start(sources: &[&'static SourceDefinition]) -> Result<Context> {
    let settings = Settings::read(sources)?;
    let telemetry = logs::start(&settings)?;
    if settings.given("SALESYNC_WAREHOUSE").is_none() {
        return Err(Error::new(Code::ConfigInvalid, "start a function")
            .with("setting", "SALESYNC_WAREHOUSE")
            .with("must be", "given in the cloud"));
    }
    let mut cx = Context::new(settings, sources, telemetry);
    cx.allowed = cx.allowed.or(Some(ALLOWED));
    Ok(cx)
}

/// Returns the command of a schedule that names none: a sync of all that the program holds.
fn scheduled() -> Command {
    Command::Sync(Sync {
        source: "all".to_owned(),
        ..Sync::default()
    })
}

/// Carries a command out apart.
///
/// # Errors
/// As `handle`, and [`Code::Internal`] where a fault of ours ended it.
async fn carry_out(cx: Context, command: Command, stop: watch::Receiver<bool>) -> Result<Report> {
    apart(move || async move { handle(&cx, command, Arc::new(|_: &Observation| {}), stop).await })
        .await
}

/// Does work on a thread of its own, to its end: the threads that answer stay free, a fault of ours costs this work
/// alone, and a caller that goes away does not cut it off.
///
/// # Errors
/// As the work, and [`Code::Internal`] where a fault of ours ended it.
async fn apart<T, F, W>(work: W) -> Result<T>
where
    W: FnOnce() -> F + Send + 'static,
    F: Future<Output = Result<T>>,
    T: Send + 'static,
{
    let joined = tokio::task::spawn_blocking(move || Handle::current().block_on(work())).await;
    joined.unwrap_or_else(|_| Err(Error::new(Code::Internal, "carry out a command")))
}
