//! The one way in which a command is carried out, whichever front it came through.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;
use salesync_core::command::{Command, Decision, Effect, Redrive, Resolve, Sync, Takes};
use salesync_core::dead_letter::DeadLetter;
use salesync_core::error::{Class, Code, Error, Result};
#[cfg(feature = "duckdb")]
use salesync_core::memory::{MemoryQueue, MemoryWarehouse};
use salesync_core::publish::{Decided, Extent, Resolved, decide, resolve_and_publish};
use salesync_core::queue::{Outcome, Queue};
use salesync_core::redrive::{Redriven, letters, redrive};
use salesync_core::resolve;
use salesync_core::run::{Run, RunId};
use salesync_core::source::{Source, SourceDefinition};
use salesync_core::sync::{self, Observer, SyncContext};
use salesync_core::warehouse::Warehouse;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::adapters::{self, Stores};
use crate::context::Context;
use crate::outlets::{self, Outlets};

/// What a command reports.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Report {
    /// One run per stream, sources that were passed over because nobody gave their secret, and sources that were
    /// stopped and go on by a message.
    Synced {
        runs: Vec<Run>,
        not_configured: Vec<&'static str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        continued: Vec<String>,
    },
    Resolved(Resolved),
    /// What was written down, and what came of it where entities were resolved anew.
    Decided {
        decided: Decided,
        resolved: Option<Resolved>,
    },
    Redriven(Redriven),
    /// What each source said, and sources that were passed over because nobody gave their secret.
    Checked {
        checks: Vec<Checked>,
        not_configured: Vec<&'static str>,
    },
}

/// What a source said to our credentials.
#[derive(Debug, Serialize)]
pub(crate) struct Checked {
    pub(crate) source: &'static str,
    pub(crate) ok: bool,
    pub(crate) code: Option<&'static str>,
    pub(crate) message: Option<String>,
}

/// Carries a command out.
///
/// # Errors
/// Where the command could not begin; what went wrong with a single stream stands in its run.
pub(crate) async fn handle(
    cx: &Context,
    command: Command,
    observe: Observer,
    stop: watch::Receiver<bool>,
) -> Result<Report> {
    // Whoever tries, decides or checks reads the answer.
    let (name, source, is_watched) = match &command {
        Command::Sync(sync) => {
            let source = Some(sync.source.clone());
            ("sync", source, sync.effect == Effect::DryRun)
        }
        Command::Resolve(_) => ("resolve", None, false),
        Command::Decide(_) => ("decide", None, true),
        Command::Redrive(redrive) => ("redrive", redrive.source.clone(), false),
        Command::Check { .. } => ("check", None, true),
    };
    let work = Box::pin(carry_out(cx, command, observe, stop));
    let ended = cx.telemetry.around((name, cx.trace.as_ref()), work).await;
    if let Err(error) = &ended
        && is_failure(error)
        && !is_watched
    {
        outlets::tell_failure(&cx.settings, (name, source.as_deref()), (error, cx.now)).await;
    }
    ended
}

async fn carry_out(
    cx: &Context,
    command: Command,
    observe: Observer,
    stop: watch::Receiver<bool>,
) -> Result<Report> {
    let is_sync = matches!(command, Command::Sync(_));
    let mut stopped = stop.clone();
    let work = async {
        match command {
            Command::Sync(command) => run_sync(cx, &command, observe, stop).await,
            Command::Resolve(resolve) => {
                let stores = cx.stores().await?;
                let extent = match resolve {
                    Resolve {
                        in_warehouse: true, ..
                    } => Extent::InWarehouse,
                    Resolve { full: true, .. } => Extent::All,
                    _ => Extent::Changed,
                };
                let resolved = run_resolve(cx, stores.warehouse.as_ref(), extent, &observe).await;
                resolved.map(Report::Resolved)
            }
            Command::Decide(decision) => run_decide(cx, &decision, &observe).await,
            Command::Redrive(selection) => run_redrive(cx, &selection).await.map(Report::Redriven),
            Command::Check { source } => run_check(cx, &source).await,
        }
    };
    if is_sync {
        return work.await;
    }
    // What these write is whole or not there: they may end anywhere. A decision that was stopped before it showed is
    // written down all the same, and shows with the next resolve.
    tokio::select! {
        report = work => report,
        Ok(_) = stopped.wait_for(|stopped| *stopped) => {
            Err(Error::new(Code::RunStopped, "carry out a command"))
        }
    }
}

async fn run_sync(
    cx: &Context,
    command: &Sync,
    observe: Observer,
    stop: watch::Receiver<bool>,
) -> Result<Report> {
    command.check()?;
    let started = Instant::now();
    let (selected, not_configured) = configured(cx, &command.source).await?;
    let selected = with_streams(selected, &command.streams)?;
    let begun = begin(cx, command.effect, &selected).await;
    if let Err(error) = &begun
        && is_failure(error)
        && command.effect == Effect::Commit
    {
        let selected = selected.iter();
        selected.for_each(|(source, _)| cx.telemetry.failed(source.name));
    }
    let (stores, outlets, sources) = begun?;
    let run_id = RunId::new(cx.now);
    let contexts = selected.iter().map(|(definition, _)| SyncContext {
        warehouse: Arc::clone(&stores.warehouse),
        run_id: run_id.clone(),
        now: cx.now,
        started,
        deadline: cx.allowed.map(|allowed| started + allowed),
        stop: stop.clone(),
        limits: adapters::batches(&cx.settings),
        observe: Arc::clone(&observe),
        adapters: format!(
            "{} <- {}",
            stores.warehouse.describe(),
            cx.settings
                .base_urls
                .get(definition.name)
                .map_or("", String::as_str)
        ),
    });
    let syncs = selected.iter().zip(sources).zip(contexts).map(
        |(((definition, streams), source), sync_cx)| async move {
            let command = Sync {
                streams: streams.clone(),
                ..command.clone()
            };
            let ended = sync::run(&sync_cx, definition, &source, &command).await;
            ended.map_err(|error| (definition.name, error))
        },
    );
    let (mut runs, mut failed) = (Vec::new(), Vec::new());
    for result in join_all(syncs).await {
        match result {
            Ok(ended) => runs.extend(ended),
            Err(error) => failed.push(error),
        }
    }
    // What others have done is told also where one source failed as a whole.
    let mut continued = Vec::new();
    if let Some(outlets) = outlets {
        // Little time may be left: what goes on comes before what is told.
        continued = outlets.leave_the_rest((command, cx.hop), &runs).await;
        outlets.tell(&runs).await;
        cx.telemetry.runs(&runs);
        let failed = failed.iter().filter(|(_, error)| is_failure(error));
        failed.for_each(|(source, _)| cx.telemetry.failed(source));
        cx.telemetry.letters(stores.warehouse.as_ref()).await;
    }
    if let Some((_, error)) = failed.into_iter().next() {
        return Err(error);
    }
    Ok(Report::Synced {
        runs,
        not_configured,
        continued,
    })
}

/// Says whether an error is a failure of ours or the world's: not what was asked wrongly, and not what another run does already.
fn is_failure(error: &Error) -> bool {
    !matches!(error.class(), Class::Skip | Class::Request)
}

/// Opens what a sync of these sources needs: where it writes to, where it tells what it did, and the sources.
async fn begin(
    cx: &Context,
    effect: Effect,
    selected: &[(&'static SourceDefinition, Vec<String>)],
) -> Result<(Stores, Option<Outlets>, Vec<Arc<dyn Source>>)> {
    for (definition, _) in selected {
        // A secret that is missing, was never filled in or is no document stops the start, not each stream.
        let secret = cx.secrets.get(definition.name).await?;
        let document: Result<serde_json::Map<String, serde_json::Value>, _> =
            serde_json::from_str(secret.expose());
        if document.is_err() {
            return Err(Error::new(Code::ConfigInvalid, "read a secret")
                .with("setting", cx.secrets.shown(definition.name))
                .with("must be", "a JSON document, as the function's README shows"));
        }
    }
    let stores = open(cx, effect).await?;
    let outlets = match effect {
        Effect::Commit => Some(Outlets::open(&cx.settings, &stores.dead_letters, cx.now)?),
        Effect::DryRun => None,
    };
    let sources = selected.iter();
    let sources = sources.map(|(definition, _)| cx.connect(definition));
    Ok((stores, outlets, sources.collect::<Result<_>>()?))
}

/// Opens where a sync writes to: nowhere, when it only counts and there is nothing yet.
async fn open(cx: &Context, effect: Effect) -> Result<Stores> {
    match effect {
        #[cfg(feature = "duckdb")]
        Effect::DryRun if !cx.settings.warehouse.exists() => Ok(Stores {
            warehouse: Arc::new(MemoryWarehouse::new()),
            dead_letters: Arc::new(MemoryQueue::default()),
        }),
        _ => cx.stores().await,
    }
}

/// Gives each source those of the wanted streams that it has; a stream that none of them has is an error.
fn with_streams(
    sources: Vec<&'static SourceDefinition>,
    wanted: &[String],
) -> Result<Vec<(&'static SourceDefinition, Vec<String>)>> {
    let has = |source: &SourceDefinition, name: &String| source.streams.contains(&name.as_str());
    let known = |name: &&String| sources.iter().any(|source| has(source, name));
    if let Some(unknown) = wanted.iter().find(|name| !known(name)) {
        let streams: Vec<&str> = sources.iter().flat_map(|s| s.streams).copied().collect();
        return Err(Error::new(Code::RequestInvalid, "select streams")
            .with("unknown stream", unknown)
            .with("streams", streams.join(", ")));
    }
    let own = |source: &SourceDefinition| -> Vec<String> {
        let own = wanted.iter().filter(|name| has(source, name));
        own.cloned().collect()
    };
    let split = sources.iter().map(|source| (*source, own(source)));
    Ok(split
        .filter(|(_, streams)| wanted.is_empty() || !streams.is_empty())
        .collect())
}

/// Splits the sources that a command names into those whose secret was given and those that nobody set up.
/// A source that is named itself must be set up.
async fn configured(
    cx: &Context,
    name: &str,
) -> Result<(Vec<&'static SourceDefinition>, Vec<&'static str>)> {
    let selected = cx.select(name)?;
    if name != "all" {
        return Ok((selected, Vec::new()));
    }
    let (mut given, mut missing) = (Vec::new(), Vec::new());
    for source in selected {
        match cx.secrets.has(source.name).await? {
            true => given.push(source),
            false => missing.push(source.name),
        }
    }
    if given.is_empty() {
        let names = missing.iter().map(|source| cx.secrets.shown(source));
        let names: Vec<String> = names.collect();
        return Err(Error::new(Code::ConfigInvalid, "select sources")
            .with("none of these is set", names.join(", ")));
    }
    Ok((given, missing))
}

async fn run_resolve(
    cx: &Context,
    warehouse: &dyn Warehouse,
    extent: Extent,
    observe: &Observer,
) -> Result<Resolved> {
    let mut settings = resolve::Settings::default();
    settings
        .survivorship
        .sources
        .clone_from(&cx.settings.source_rank);
    settings
        .default_country
        .clone_from(&cx.settings.default_country);
    let chosen = cx.settings.resolve;
    settings.index_from = usize::try_from(chosen.index_from).unwrap_or(usize::MAX);
    settings.refresh_share = f64::from(chosen.refresh_percent) / 100.0;
    let resolved = resolve_and_publish(
        warehouse,
        &cx.sources,
        (settings, extent),
        (&RunId::new(cx.now), cx.now),
        observe,
    )
    .await?;
    cx.telemetry.matches(warehouse).await;
    Ok(resolved)
}

async fn run_decide(cx: &Context, decision: &Decision, observe: &Observer) -> Result<Report> {
    let stores = cx.stores().await?;
    let warehouse = stores.warehouse.as_ref();
    let run_id = RunId::new(cx.now);
    let decided = decide(warehouse, decision, (&run_id, cx.now)).await?;
    let resolved = match decision.takes {
        // Also where nothing is new: an earlier resolve may have been stopped.
        Takes::Now => Some(
            run_resolve(cx, warehouse, Extent::Changed, observe)
                .await
                .map_err(|error| {
                    error.with(
                        "the decision is written down and shows with",
                        "salesync resolve",
                    )
                })?,
        ),
        Takes::Later => None,
    };
    Ok(Report::Decided { decided, resolved })
}

async fn run_redrive(cx: &Context, selection: &Redrive) -> Result<Redriven> {
    let stores = cx.stores().await?;
    let home = Arc::clone(&stores.dead_letters);
    let queue = outlets::dead_letters(&cx.settings, home, cx.now)?;
    let meant = letters(queue.as_ref(), selection).await?;
    // Functions share a queue: letters of a source that this program does not hold are for another.
    let (meant, others): (Vec<DeadLetter>, Vec<DeadLetter>) = meant
        .into_iter()
        .partition(|letter| cx.select(&letter.source).is_ok());
    let others = others.into_iter().map(|letter| letter.dead_id);
    let released: Vec<_> = others.map(|id| (id, Outcome::Released)).collect();
    queue.settle_all(&released).await?;
    if meant.is_empty() && !selection.ids.is_empty() {
        return Err(Error::new(Code::RequestInvalid, "redrive dead letters")
            .with("open or parked letters with that id", 0));
    }
    let redriven = send_through(cx, &stores, queue.as_ref(), meant).await?;
    cx.telemetry.letters(stores.warehouse.as_ref()).await;
    Ok(redriven)
}

/// Sends letters through again, each by its own source, and tells `queue` what became of them. A source that can't be
/// asked costs its own letters only, which are released.
///
/// # Errors
/// The first source's that could not be asked, once all the others were.
pub(crate) async fn send_through(
    cx: &Context,
    stores: &Stores,
    queue: &dyn Queue,
    meant: Vec<DeadLetter>,
) -> Result<Redriven> {
    let mut by_source: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for letter in meant {
        by_source
            .entry(letter.source.clone())
            .or_default()
            .push(letter);
    }
    let (mut total, mut failed) = (Redriven::default(), None);
    for (name, letters) in by_source {
        match send_through_source(cx, (stores, queue), &name, &letters).await {
            Ok(part) => total.add(&part),
            Err(error) => {
                tracing::warn!(source = name, error = %error, "letters not sent through");
                let ids = letters.into_iter().map(|letter| letter.dead_id);
                let released: Vec<_> = ids.map(|id| (id, Outcome::Released)).collect();
                queue.settle_all(&released).await?;
                failed = failed.or(Some(error));
            }
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(total),
    }
}

async fn send_through_source(
    cx: &Context,
    (stores, queue): (&Stores, &dyn Queue),
    name: &str,
    letters: &[DeadLetter],
) -> Result<Redriven> {
    let run_id = RunId::new(cx.now);
    let mut total = Redriven::default();
    for definition in cx.select(name)? {
        let source = cx.connect(definition)?;
        let stores = (stores.warehouse.as_ref(), queue);
        total.add(&redrive(stores, &source, letters, &run_id).await?);
    }
    Ok(total)
}

async fn run_check(cx: &Context, name: &str) -> Result<Report> {
    let (selected, not_configured) = configured(cx, name).await?;
    let warehouse = adapters::check_warehouse(&cx.settings, cx.now).await;
    let warehouse = warehouse.map(|result| checked("warehouse", result));
    let mut checks: Vec<Checked> = warehouse.into_iter().collect();
    if let Some(queue) = &cx.settings.dead_letters {
        checks.push(checked("dead_letters", queue.check(cx.now).await));
    }
    for (name, queue) in [
        ("notify", &cx.settings.notify),
        ("continuation", &cx.settings.continuation),
    ] {
        if let Some(queue) = queue {
            checks.push(checked(name, queue.check_publishing(cx.now).await));
        }
    }
    for definition in selected {
        let result = match cx.connect(definition) {
            Ok(source) => source.check().await,
            Err(error) => Err(error),
        };
        checks.push(checked(definition.name, result));
    }
    Ok(Report::Checked {
        checks,
        not_configured,
    })
}

fn checked(source: &'static str, result: Result<()>) -> Checked {
    let error = result.err();
    Checked {
        source,
        ok: error.is_none(),
        code: error.as_ref().map(|error| error.code().as_str()),
        message: error.map(|error| format!("{error}; {}", error.code().remedy())),
    }
}
