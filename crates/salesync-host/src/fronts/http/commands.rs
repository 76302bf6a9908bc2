//! Requests that do work: each is one command, or a message that a queue pushes.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry::trace::SpanContext;
use salesync_core::command::{Command, Redrive, Resolve, Sync};
use salesync_core::error::{Class, Code, Error, Result};
use salesync_core::redrive::Redriven;
use serde::Deserialize;
use serde_json::json;

use super::Front;
use super::access::Caller;
use super::answer::{self, Refused};
use super::body;
use super::used::{Mark, Until};
use crate::context::now;
use crate::delivered::{Delivered, counted, redrive_delivered};
use crate::fronts::message::{Asked, comes_again};
use crate::fronts::{apart, carry_out, outside};
use crate::handle::Report;
use crate::telemetry::{of_cloud_trace, of_traceparent};

/// Which of its schedules a scheduler triggers.
const SCHEDULE: &str = "x-cloudscheduler-jobname";
/// For which time.
const SCHEDULE_TIME: &str = "x-cloudscheduler-scheduletime";
/// What a person may say of a trigger: the same key means the same trigger.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The trace that the caller has begun, as the W3C has it.
const TRACE: &str = "traceparent";
/// The same as Google's platform has it.
const CLOUD_TRACE: &str = "x-cloud-trace-context";
/// The shortest beginning of a letter's id that may stand for it.
const SHORTEST_ID: usize = 4;

/// A request of somebody who may ask, read to its end.
struct Trigger {
    caller: Caller,
    headers: HeaderMap,
    path: String,
    body: Vec<u8>,
}

impl Trigger {
    /// Sees who asks, and only then reads what.
    async fn read(front: &Front, request: Request, most_bytes: usize) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let caller = front.access.check(&parts.headers).await?;
        let body = body::read(&parts.headers, body, most_bytes).await?;
        Ok(Self {
            caller,
            headers: parts.headers,
            path: parts.uri.path().to_owned(),
            body,
        })
    }

    /// Returns what the trigger is known by: a token together with the command that it came with, however that was
    /// written, a schedule's time, a person's key. One person's two requests without a key are two triggers.
    fn marks(&self, command: &Command) -> Vec<Until> {
        let now = now();
        let path = self.path.as_bytes();
        let header = |name: &'static str| {
            let value = self.headers.get(name);
            value.map_or_else(Vec::new, |value| value.as_bytes().to_vec())
        };
        let (schedule, time) = (header(SCHEDULE), header(SCHEDULE_TIME));
        let key = header(IDEMPOTENCY_KEY);
        let mut marks = Vec::new();
        if let Caller::Identity(grant) = &self.caller {
            let command = serde_json::to_vec(command).unwrap_or_default();
            let mark = Mark::of(&[b"token", grant.mark.as_bytes(), &command]);
            marks.push(Until {
                mark,
                end: grant.end,
            });
        }
        if !time.is_empty() {
            let mark = Mark::of(&[b"schedule", path, &schedule, &time]);
            marks.push(Until::an_hour(mark, now));
        }
        if !key.is_empty() {
            let mark = Mark::of(&[b"key", path, &key]);
            marks.push(Until::an_hour(mark, now));
        }
        marks
    }

    /// Returns the trace that the caller has begun.
    fn trace(&self) -> Option<SpanContext> {
        let header = |name| self.headers.get(name).and_then(|it| it.to_str().ok());
        let own = header(TRACE).and_then(of_traceparent);
        own.or_else(|| header(CLOUD_TRACE).and_then(of_cloud_trace))
    }

    /// Returns whether a program asks, which can mend nothing.
    fn is_scheduled(&self) -> bool {
        matches!(self.caller, Caller::Identity(_)) || self.headers.contains_key(SCHEDULE_TIME)
    }
}

/// `POST /v1/syncs`.
pub(super) async fn sync(
    State(front): State<Arc<Front>>,
    request: Request,
) -> Result<Response, Refused> {
    let trigger = Trigger::read(&front, request, body::MOST_BYTES).await?;
    let sync: Sync = body::json(&trigger.headers, &trigger.body)?;
    sync.check()?;
    command(&front, Command::Sync(sync), &trigger).await
}

/// `POST /v1/resolve`.
pub(super) async fn resolve(
    State(front): State<Arc<Front>>,
    request: Request,
) -> Result<Response, Refused> {
    let trigger = Trigger::read(&front, request, body::MOST_BYTES).await?;
    let resolve: Resolve = body::json_or_nothing(&trigger.headers, &trigger.body)?;
    command(&front, Command::Resolve(resolve), &trigger).await
}

/// `POST /v1/dlq/redrive`.
pub(super) async fn redrive(
    State(front): State<Arc<Front>>,
    request: Request,
) -> Result<Response, Refused> {
    let trigger = Trigger::read(&front, request, body::MOST_BYTES).await?;
    let redrive: Redrive = body::json_or_nothing(&trigger.headers, &trigger.body)?;
    if let Some(source) = &redrive.source {
        front.cx.select(source)?;
    }
    let is_id = |id: &String| {
        (SHORTEST_ID..=64).contains(&id.len()) && id.bytes().all(|it| it.is_ascii_hexdigit())
    };
    if !redrive.ids.iter().all(is_id) {
        let error = Error::new(Code::RequestInvalid, "read a redrive");
        return Err(error.with("an id has", "4 to 64 hexadecimal digits").into());
    }
    command(&front, Command::Redrive(redrive), &trigger).await
}

/// Uses the trigger and carries its command out.
async fn command(
    front: &Arc<Front>,
    command: Command,
    trigger: &Trigger,
) -> Result<Response, Refused> {
    let marks = trigger.marks(&command);
    front.used.take(&marks, now())?;
    match run(front, (command, 0), trigger.trace()).await {
        Ok(report) => {
            // The answer asks for another try.
            if outside::worst(&report).is_some_and(|code| code.class() == Class::Retry) {
                front.used.forget(&marks);
            }
            Ok(answer::report(&report))
        }
        Err(error) => {
            // Nothing came of it: the same trigger may come again.
            front.used.forget(&marks);
            if error.code() == Code::RunOverlap && trigger.is_scheduled() {
                return Ok(answer::skipped(error.code()));
            }
            Err(error.into())
        }
    }
}

/// Carries a command out that so many runs led to, in a trace of its caller's; while it is at work no other takes the
/// same sources.
async fn run(
    front: &Arc<Front>,
    (command, hop): (Command, u32),
    trace: Option<SpanContext>,
) -> Result<Report> {
    let cx = front.cx.beginning(front.cx.allowed, hop).traced(trace);
    let lease = front.leases.take(&cx, &command)?;
    let stop = front.stop.clone();
    // The lease goes with the work, which ends also when the caller does not wait for it.
    let work = tokio::spawn(async move {
        let report = carry_out(cx, command, stop).await;
        drop(lease);
        report
    });
    work.await
        .unwrap_or_else(|_| Err(Error::new(Code::Internal, "carry out a command")))
}

/// A message that Pub/Sub pushes; it says more of it, which is passed over.
#[derive(Deserialize)]
struct Push {
    message: Pushed,
}

#[derive(Deserialize)]
struct Pushed {
    #[serde(rename = "messageId")]
    id: String,
    /// Base64.
    #[serde(default)]
    data: String,
}

/// `POST /v1/continuations`: goes on where a run was stopped.
///
/// A message is answered with 200 when it need not come again, whatever its run came to: what that could not do the next
/// scheduled one does. A message whose work could not begin comes again, also where the run that has left it is still at
/// work, and a letter that did not go through.
pub(super) async fn go_on(
    State(front): State<Arc<Front>>,
    request: Request,
) -> Result<Response, Refused> {
    let trigger = Trigger::read(&front, request, body::MOST_PUSHED_BYTES).await?;
    let push: Push = body::json(&trigger.headers, &trigger.body)?;
    let marks = [Until::an_hour(
        Mark::of(&[b"message", push.message.id.as_bytes()]),
        now(),
    )];
    let asked = STANDARD
        .decode(push.message.data)
        .map_err(|_| Error::new(Code::RequestInvalid, "read a message"))
        .and_then(|text| Asked::read_text(&String::from_utf8_lossy(&text)));
    let asked = match asked {
        Ok(asked) => asked,
        Err(error) => {
            tracing::warn!(error = %error, "message discarded");
            let document = json!({"discarded": error.code().as_str()});
            return Ok(answer::document(200, &document));
        }
    };
    if let Err(error) = front.used.take(&marks, now()) {
        return Ok(answer::skipped(error.code()));
    }
    let trace = trigger.trace();
    let done = match asked {
        Asked::GoOn(left) => run(&front, (Command::Sync(left.sync), left.hop), trace).await,
        Asked::Command(
            command @ (Command::Sync(_) | Command::Resolve(_) | Command::Redrive(_)),
        ) => run(&front, (command, 0), trace).await,
        Asked::Command(Command::Decide(_) | Command::Check { .. }) => {
            Err(Error::new(Code::RequestInvalid, "read a message"))
        }
        Asked::Letter(letter) => match send_through(&front, letter, trace).await {
            Ok(redriven) if redriven.redriven == 0 => {
                front.used.forget(&marks);
                return Ok(answer::document(503, &json!(redriven)));
            }
            redriven => redriven.map(Report::Redriven),
        },
    };
    match done {
        Ok(report) => Ok(answer::document(200, &outside::document(&report))),
        Err(error) if comes_again(&error) => {
            front.used.forget(&marks);
            Err(error.into())
        }
        Err(error) => {
            tracing::warn!(error = %error, "message has no work");
            Ok(answer::skipped(error.code()))
        }
    }
}

/// Sends a letter through that a queue delivered.
async fn send_through(
    front: &Front,
    letter: Delivered,
    trace: Option<SpanContext>,
) -> Result<Redriven> {
    let cx = front.cx.beginning(front.cx.allowed, 0).traced(trace);
    let outcomes = apart(move || async move { redrive_delivered(&cx, vec![letter]).await }).await?;
    Ok(counted(&outcomes))
}
