//! The Lambda front. An event is one of three:
//!
//! | event | what is done |
//! |---|---|
//! | from a schedule | its command; a sync of everything where it names none |
//! | a batch of an SQS queue | each message: a continuation, a dead letter or a command; those that must come again are named |
//! | a direct invoke | its command |
//!
//! Who may invoke the function is for IAM to say; the function has no address of its own.

mod time;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use opentelemetry::trace::SpanContext;
use salesync_core::command::Command;
use salesync_core::error::{Class, Code, Error, Result};
use salesync_core::queue::Outcome;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::watch;

use self::time::TimeLeft;
use super::message::{Asked, comes_again};
use super::{apart, carry_out, outside, scheduled};
use crate::context::{Context, now};
use crate::delivered::{Delivered, counted, redrive_delivered};
use crate::handle::Report;
use crate::telemetry::of_xray;

/// What all events share; built once for each start.
pub(crate) struct Front {
    cx: Context,
    stop: watch::Receiver<bool>,
}

/// What the platform says of one invocation.
#[derive(Debug)]
struct Invoked {
    time: TimeLeft,
    /// The trace that it belongs to.
    trace: Option<SpanContext>,
}

/// What an event is.
#[derive(Debug)]
enum Event {
    Batch(SqsEvent),
    One(Asked),
}

/// Takes events until the platform ends the process.
///
/// # Errors
/// `ERR_INTERNAL` where the runtime is lost.
pub(crate) async fn serve(front: Front) -> Result<()> {
    let front = Arc::new(front);
    let service = service_fn(move |event: LambdaEvent<Value>| {
        let front = Arc::clone(&front);
        async move { front.answer(event).await }
    });
    lambda_runtime::run(service)
        .await
        .map_err(|error| Error::new(Code::Internal, "take events").because(error))
}

impl Front {
    /// Returns a front that carries commands out until `stop` turns true.
    pub(crate) fn new(cx: Context, stop: watch::Receiver<bool>) -> Self {
        Self { cx, stop }
    }

    /// Answers an event: with a report, or with the messages that must come again.
    async fn answer(&self, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
        let (document, context) = event.into_parts();
        let invoked = Invoked {
            time: TimeLeft::until(context.deadline),
            trace: context.xray_trace_id.as_deref().and_then(of_xray),
        };
        match read(document).map_err(|error| failed(&error))? {
            Event::Batch(batch) => {
                let failures = self.take_batch(batch, &invoked).await;
                Ok(json!(failures))
            }
            Event::One(asked) => match self.take(asked, &invoked).await {
                Ok(report) => reported(&report),
                Err(error) if error.class() == Class::Skip => {
                    Ok(json!({"skipped": error.code().as_str()}))
                }
                Err(error) => Err(failed(&error)),
            },
        }
    }

    /// Does what one event or message asks for.
    async fn take(&self, asked: Asked, invoked: &Invoked) -> Result<Report> {
        let (command, hop) = match asked {
            Asked::Command(command) => (command, 0),
            Asked::GoOn(left) => (Command::Sync(left.sync), left.hop),
            Asked::Letter(letter) => {
                let outcomes = self.redrive(vec![letter], invoked).await?;
                return Ok(Report::Redriven(counted(&outcomes)));
            }
        };
        let cx = self.beginning(invoked, hop);
        carry_out(cx, command, self.stop.clone()).await
    }

    /// Takes the messages of a batch one after the other, then its letters together, and returns those that must come
    /// again: what could not be read (the queue sets it aside when it has come often enough), what could not begin, and
    /// what the time does not suffice for.
    async fn take_batch(&self, batch: SqsEvent, invoked: &Invoked) -> SqsBatchResponse {
        let mut failures = SqsBatchResponse::default();
        let mut letters: BTreeMap<String, Delivered> = BTreeMap::new();
        for message in batch.records {
            let id = message.message_id.unwrap_or_default();
            match Asked::read_text(message.body.as_deref().unwrap_or_default()) {
                Err(error) => {
                    tracing::warn!(message_id = id, error = %error, "message not read");
                    failures.add_failure(id);
                }
                Ok(Asked::Letter(letter)) => {
                    letters.insert(id, letter);
                }
                Ok(_) if !invoked.time.suffices(now()) => failures.add_failure(id),
                Ok(asked) => match self.take(asked, invoked).await {
                    Err(error) if comes_again(&error) => {
                        tracing::warn!(message_id = id, error = %error, "message comes again");
                        failures.add_failure(id);
                    }
                    // What a run could not do is in its rows, and the next scheduled one does it.
                    Err(error) => {
                        tracing::warn!(message_id = id, error = %error, "message has no work")
                    }
                    Ok(_) => {}
                },
            }
        }
        self.take_letters(letters, invoked, &mut failures).await;
        failures
    }

    async fn take_letters(
        &self,
        letters: BTreeMap<String, Delivered>,
        invoked: &Invoked,
        failures: &mut SqsBatchResponse,
    ) {
        let outcomes = match letters.is_empty() || !invoked.time.suffices(now()) {
            true => BTreeMap::new(),
            false => {
                let meant = letters.values().cloned().collect();
                let outcomes = self.redrive(meant, invoked).await;
                outcomes.unwrap_or_else(|error| {
                    tracing::warn!(error = %error, "letters not sent through");
                    BTreeMap::new()
                })
            }
        };
        for (id, letter) in letters {
            let outcome = outcomes.get(letter.id());
            if !matches!(outcome, Some(Outcome::Done | Outcome::Discarded)) {
                failures.add_failure(id);
            }
        }
    }

    async fn redrive(
        &self,
        letters: Vec<Delivered>,
        invoked: &Invoked,
    ) -> Result<BTreeMap<String, Outcome>> {
        let cx = self.beginning(invoked, 0);
        apart(move || async move { redrive_delivered(&cx, letters).await }).await
    }

    /// Returns the context of a command that begins now and that so many runs led to.
    fn beginning(&self, invoked: &Invoked, hop: u32) -> Context {
        let cx = self.cx.beginning(self.allowed(invoked.time), hop);
        cx.traced(invoked.trace.clone())
    }

    /// Returns how long a sync may read: what the invocation leaves, and never more than the setting.
    fn allowed(&self, time: TimeLeft) -> Option<Duration> {
        let given = self.cx.settings.deadline;
        match time.to_read(now()) {
            Some(left) => Some(given.map_or(left, |given| given.min(left))),
            None => self.cx.allowed,
        }
    }
}

/// Reads what an event is.
fn read(document: Value) -> Result<Event> {
    if document.get("Records").is_some() {
        let batch: SqsEvent = shaped(document)?;
        let is_sqs = |source: Option<&str>| source == Some("aws:sqs");
        let mut sources = batch.records.iter().map(|it| it.event_source.as_deref());
        return match sources.all(is_sqs) {
            true => Ok(Event::Batch(batch)),
            false => Err(invalid("of an SQS queue")),
        };
    }
    if document.get("detail-type").is_some() {
        let event: EventBridgeEvent<Value> = shaped(document)?;
        return detail(event.detail).map(Event::One);
    }
    Asked::read(document).map(Event::One)
}

/// Reads the command of a schedule. One that was made without words sends an empty detail, or one that is a text.
fn detail(detail: Value) -> Result<Asked> {
    let is_empty = match &detail {
        Value::Null => true,
        Value::Object(members) => members.is_empty(),
        Value::String(text) => matches!(text.trim(), "" | "{}"),
        _ => false,
    };
    match detail {
        _ if is_empty => Ok(Asked::Command(scheduled())),
        Value::String(text) => Asked::read_text(&text),
        detail => Asked::read(detail),
    }
}

fn shaped<T: DeserializeOwned>(document: Value) -> Result<T> {
    serde_json::from_value(document).map_err(|_| invalid("of the platform's shape"))
}

fn invalid(rule: &'static str) -> Error {
    Error::new(Code::RequestInvalid, "read an event").with("must be", rule)
}

/// Returns a report, or a failure where a person or a later run has something to mend: so the platform counts it.
fn reported(report: &Report) -> Result<Value, Diagnostic> {
    match outside::worst(report) {
        Some(code) if code.http_status() >= 500 => {
            tracing::warn!(code = code.as_str(), "a run did not succeed");
            Err(diagnostic(code, "see the run log"))
        }
        _ => Ok(outside::document(report)),
    }
}

fn failed(error: &Error) -> Diagnostic {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::warn!(error = %error, cause = cause.as_deref(), "event failed");
    diagnostic(error.code(), error.code().remedy())
}

fn diagnostic(code: Code, remedy: &str) -> Diagnostic {
    Diagnostic {
        error_type: code.as_str().to_owned(),
        error_message: format!("{} ({remedy})", code.meaning()),
    }
}

#[cfg(test)]
#[cfg(feature = "duckdb")]
mod tests;
