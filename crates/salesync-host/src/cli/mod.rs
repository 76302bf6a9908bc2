//! The command line: a thin translation of words into commands, and of reports into words.

mod args;
mod decisions;
mod demo;
mod dlq;
mod serve;
mod show;
mod why;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use salesync_core::command::{Absent, Command, Effect, Mode, Redrive, Ruling, Sync};
use salesync_core::error::{Class, Code, Error, Result};
use salesync_core::source::SourceDefinition;
use salesync_core::time::Timestamp;
use salesync_core::validate::parse_timestamp;

use crate::context::Context;
use crate::demo::DemoWorld;
use crate::handle::{Checked, Report, handle};
#[cfg(feature = "duckdb")]
use crate::matching;
use crate::report::{self, Output};
use crate::settings::Settings;
use crate::{logs, progress, signals};
use args::{Arguments, DlqWords, SyncWords, Words};
use decisions::OverridesWords;

#[cfg(feature = "duckdb")]
pub(crate) use args::{FormatWord, KindWord, MatchWords};

/// What a program holds.
#[derive(Clone, Copy)]
pub(crate) struct Program {
    pub(crate) sources: &'static [&'static SourceDefinition],
    pub(crate) demo: Option<&'static dyn DemoWorld>,
}

/// Carries out the words of a command line. Returns the exit code: 0 all is well, 2 the words were wrong, 75 the next
/// run may heal it, 78 a person must decide.
pub(crate) fn main(
    sources: &'static [&'static SourceDefinition],
    demo: Option<&'static dyn DemoWorld>,
) -> ExitCode {
    let matched = Arguments::command().try_get_matches();
    let arguments = match matched.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(error) => {
            if error.use_stderr() && std::env::args().any(|word| word == "--json") {
                let wrong = Error::new(Code::RequestInvalid, "read the command line");
                report::line(&report::error_json(&wrong).to_string());
            }
            error.exit()
        }
    };
    let output = if arguments.json {
        Output::Json
    } else {
        Output::Text
    };
    let result = in_runtime(run(Program { sources, demo }, arguments));
    match result {
        Ok(exit_code) => ExitCode::from(exit_code),
        Err(error) => {
            report::error(&error);
            if output == Output::Json {
                report::line(&report::error_json(&error).to_string());
            }
            ExitCode::from(exit_code_of_error(&error))
        }
    }
}

/// Returns the exit code of a program that ended with an error.
pub(crate) fn exit_code_of_error(error: &Error) -> u8 {
    match error.class() {
        Class::Skip | Class::Record => 75,
        _ => error.code().exit_code(),
    }
}

/// Starts the threads that a program needs and does its work to the end.
pub(crate) fn in_runtime<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Code::Internal, "start the runtime").because(error))?;
    let result = runtime.block_on(work);
    // Work that was stopped in its middle is not waited for.
    runtime.shutdown_background();
    result
}

async fn run(program: Program, arguments: Arguments) -> Result<u8> {
    let output = if arguments.json {
        Output::Json
    } else {
        Output::Text
    };
    let settings = Settings::read(program.sources)?;
    let telemetry = logs::start(&settings)?;
    let unknown = settings.unknown(program.sources);
    if !unknown.is_empty() {
        tracing::warn!(
            settings = unknown.join(", "),
            "these settings are not known and do nothing"
        );
    }
    let cx = Context::new(settings, program.sources, telemetry);
    match arguments.words {
        Words::Sync(words) => {
            let command = Command::Sync(sync_command(&words)?);
            carry_out(&cx, command, output).await
        }
        Words::Resolve(words) => carry_out(&cx, words.into(), output).await,
        Words::Why(words) => why::run(&cx, words, output).await,
        Words::Join(words) => carry_out(&cx, words.into(), output).await,
        Words::Split(words) => carry_out(&cx, words.into(), output).await,
        Words::Overrides { words } => match words {
            OverridesWords::List { limit } => decisions::list(&cx, limit, output).await,
            OverridesWords::Withdraw { ids, common } => {
                let command = common.decision(Ruling::Withdraw, ids, Vec::new());
                carry_out(&cx, command, output).await
            }
        },
        Words::Check { source } => {
            cx.select(&source)?;
            if output == Output::Text {
                show::settings(&cx);
            }
            carry_out(&cx, Command::Check { source }, output).await
        }
        Words::Dlq {
            words: DlqWords::Redrive { ids, source },
        } => carry_out(&cx, Command::Redrive(Redrive { source, ids }), output).await,
        Words::Dlq { words } => dlq::run(&cx, words, output).await,
        Words::Runs { limit, source } => show::runs(&cx, limit, source, output).await,
        Words::Status => show::status(&cx, output).await,
        #[cfg(feature = "duckdb")]
        Words::Match(words) => matching::run(words, output).await,
        Words::Serve(words) => serve::run(cx, &words, output).await,
        Words::Demo { records, keep } => demo::demo(program, &cx, (records, keep), output).await,
        Words::Sandbox(words) => demo::sandbox(program, words, output).await,
        Words::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "salesync", &mut script);
            report::line(&String::from_utf8_lossy(&script));
            Ok(0)
        }
    }
}

fn sync_command(words: &SyncWords) -> Result<Sync> {
    let since = words.since.as_deref().map(since).transpose()?;
    let mode = if words.full {
        Mode::Full
    } else {
        Mode::Incremental
    };
    Ok(Sync {
        source: words.source.clone(),
        streams: words.streams.clone(),
        mode,
        since,
        effect: if words.dry_run {
            Effect::DryRun
        } else {
            Effect::Commit
        },
        absent: if words.confirm_absent {
            Absent::Confirmed
        } else {
            Absent::Ask
        },
    })
}

fn since(text: &str) -> Result<Timestamp> {
    parse_timestamp(text).map_err(|_| {
        Error::new(Code::RequestInvalid, "read --since")
            .with("must be", "a day (2026-01-31) or an instant in RFC 3339")
    })
}

/// Carries a command out and writes its report.
async fn carry_out(cx: &Context, command: Command, output: Output) -> Result<u8> {
    let is_sync = matches!(command, Command::Sync(_));
    match observed(cx, command, output).await {
        Err(error) if is_sync && error.code() == Code::RunOverlap => {
            report::error(&error);
            if output == Output::Json {
                report::line(&serde_json::json!({"skipped": error.code().as_str()}).to_string());
            }
            Ok(0)
        }
        Err(error) => Err(error),
        Ok(report) => {
            match output {
                Output::Json => report::line(&serde_json::json!(report).to_string()),
                Output::Text => tell(&report),
            }
            Ok(exit_code(&report))
        }
    }
}

/// Carries a command out, with progress where a person watches.
async fn observed(cx: &Context, command: Command, output: Output) -> Result<Report> {
    let observer = match output {
        Output::Text => progress::observer(),
        Output::Json => std::sync::Arc::new(|_: &salesync_core::sync::Observation| {}),
    };
    handle(cx, command, observer, signals::stop_requested()).await
}

/// Writes a report for people.
fn tell(report: &Report) {
    match report {
        Report::Synced {
            runs,
            not_configured,
            continued,
        } => {
            report::runs(runs);
            passed_over(not_configured);
            for source in continued {
                report::note(&format!("{source} goes on by a message"));
            }
        }
        Report::Resolved(resolved) => show::resolved(resolved),
        Report::Decided { decided, resolved } => {
            decisions::tell(decided, resolved.is_some());
            if let Some(resolved) = resolved {
                show::resolved(resolved);
            }
        }
        Report::Redriven(redriven) => report::line(&format!(
            "{} sent through again: {} arrived, {} were rejected again",
            redriven.tried, redriven.redriven, redriven.rejected
        )),
        Report::Checked {
            checks,
            not_configured,
        } => {
            show::checked(checks);
            passed_over(not_configured);
        }
    }
}

fn passed_over(sources: &[&str]) {
    for source in sources {
        report::note(&format!("{source} was passed over: it has no secret"));
    }
}

fn exit_code(report: &Report) -> u8 {
    match report {
        Report::Synced { runs, .. } => report::exit_code(runs),
        Report::Resolved(_) | Report::Decided { .. } => 0,
        Report::Redriven(redriven) if redriven.rejected > 0 => 75,
        Report::Redriven(_) => 0,
        Report::Checked { checks, .. } => checks.iter().map(exit_code_of).max().unwrap_or(0),
    }
}

fn exit_code_of(checked: &Checked) -> u8 {
    checked
        .code
        .and_then(Code::parse)
        .map_or(0, |code| code.exit_code().max(75))
}
