//! What leaves the warehouse: what is left of a sync that was stopped, dead letters that go on to another queue, and word
//! of the runs and commands that did not succeed.
//!
//! The warehouse has every letter, in the same commit as the rows beside it. What can not go out now goes out after the
//! next sync: that is said in the log, and is no failure of the command.

use std::sync::Arc;

use salesync_core::command::Sync;
use salesync_core::continuation::left_of;
use salesync_core::error::{Code, Error, Result};
use salesync_core::queue::{Message, Queue};
use salesync_core::relay::RelayedQueue;
use salesync_core::run::{Run, RunId, RunStatus};
use salesync_core::time::Timestamp;
use serde_json::json;

use crate::settings::Settings;

/// Where a sync tells what it did.
pub(crate) struct Outlets {
    /// None where the next sync finds what is left in the warehouse.
    continuations: Option<Arc<dyn Queue>>,
    letters: Option<RelayedQueue>,
    notices: Option<Arc<dyn Queue>>,
}

impl Outlets {
    /// Opens the queues that the settings name, beside the warehouse's own.
    ///
    /// # Errors
    /// Where there is no login to be had for one: before anything is read.
    pub(crate) fn open(settings: &Settings, home: &Arc<dyn Queue>, now: Timestamp) -> Result<Self> {
        let letters = settings.dead_letters.as_ref();
        let letters = letters.map(|it| it.open_beside(home, now));
        let notices = settings.notify.as_ref().map(|it| it.open(now));
        let continuations = settings.continuation.as_ref().map(|it| it.open(now));
        Ok(Self {
            continuations: continuations.transpose()?,
            letters: letters
                .transpose()?
                .map(|road| RelayedQueue::new(Arc::clone(home), road)),
            notices: notices.transpose()?,
        })
    }

    /// Leaves a message for each source that was stopped after so many runs led to this one, and returns the sources
    /// that go on by it. Where that fails, the next sync goes on all the same.
    pub(crate) async fn leave_the_rest(
        &self,
        (command, hop): (&Sync, u32),
        runs: &[Run],
    ) -> Vec<String> {
        let Some(queue) = &self.continuations else {
            return Vec::new();
        };
        let mut continued = Vec::new();
        for left in left_of(command, runs, hop) {
            let published = match left.to_message() {
                Ok(message) => queue.publish(&[message]).await,
                Err(error) => Err(error),
            };
            match published {
                Ok(()) => continued.push(left.sync.source),
                Err(error) => {
                    tracing::warn!(source = left.sync.source, error = %error, "continuation not published");
                }
            }
        }
        continued
    }

    /// Lets the letters go on that wait for it, and says which of these runs did not succeed.
    pub(crate) async fn tell(&self, runs: &[Run]) {
        if let Some(letters) = &self.letters
            && let Err(error) = letters.forward().await
        {
            tracing::error!(
                error = %error,
                "dead letters wait in the warehouse for SALESYNC_DEAD_LETTERS: the next sync forwards them"
            );
        }
        if let Some(notices) = &self.notices
            && let Err(error) = give_notice(notices.as_ref(), runs).await
        {
            tracing::error!(error = %error, "not every run was told to SALESYNC_NOTIFY");
        }
    }
}

/// Publishes one message for each run that did not succeed: which, why, and what to do. None of it is from a record.
async fn give_notice(notices: &dyn Queue, runs: &[Run]) -> Result<()> {
    let is_well = |run: &&Run| matches!(run.status, RunStatus::Succeeded | RunStatus::Skipped);
    let messages: Vec<Message> = runs
        .iter()
        .filter(|run| !is_well(run))
        .map(notice)
        .collect();
    notices.publish(&messages).await
}

/// Says that a command failed as a whole, where the settings name a queue for that.
pub(crate) async fn tell_failure(
    settings: &Settings,
    (command, source): (&str, Option<&str>),
    (error, now): (&Error, Timestamp),
) {
    let Some(choice) = &settings.notify else {
        return;
    };
    let notice = Notice {
        command,
        run_id: None,
        source,
        stream: None,
        status: RunStatus::Failed,
        code: Some(error.code()),
    };
    let message = notice.message(format!("{}-{command}", RunId::new(now)));
    let published = match choice.open(now) {
        Ok(notices) => notices.publish(&[message]).await,
        Err(error) => Err(error),
    };
    if let Err(error) = published {
        tracing::error!(error = %error, "the failure was not told to SALESYNC_NOTIFY");
    }
}

fn notice(run: &Run) -> Message {
    let notice = Notice {
        command: "sync",
        run_id: Some(&run.run_id),
        source: Some(&run.source),
        stream: Some(&run.stream),
        status: run.status,
        code: run.code.as_deref().and_then(Code::parse),
    };
    notice.message(format!("{}-{}-{}", run.run_id, run.source, run.stream))
}

/// What is said of something that did not succeed.
struct Notice<'a> {
    command: &'a str,
    run_id: Option<&'a RunId>,
    source: Option<&'a str>,
    stream: Option<&'a str>,
    status: RunStatus,
    code: Option<Code>,
}

impl Notice<'_> {
    fn message(&self, id: String) -> Message {
        let body = json!({
            "schema": 1,
            "command": self.command,
            "run_id": self.run_id,
            "source": self.source,
            "stream": self.stream,
            "status": self.status,
            "code": self.code.map(Code::as_str),
            "remedy": self.code.map(Code::remedy),
        });
        Message {
            id,
            body: body.to_string(),
        }
    }
}

/// Returns the warehouse's dead letters; where the settings name another queue, that one delivers them.
///
/// # Errors
/// Where there is no login to be had for it.
pub(crate) fn dead_letters(
    settings: &Settings,
    home: Arc<dyn Queue>,
    now: Timestamp,
) -> Result<Arc<dyn Queue>> {
    match &settings.dead_letters {
        None => Ok(home),
        Some(choice) => {
            let road = choice.open_beside(&home, now)?;
            Ok(Arc::new(RelayedQueue::new(home, road)))
        }
    }
}

#[cfg(test)]
mod tests {
    use salesync_core::memory::MemoryQueue;
    use salesync_core::run::{Counts, RunId, Traffic};

    use super::*;

    fn run(stream: &str, status: RunStatus, code: Option<&str>) -> Run {
        Run {
            run_id: RunId::new(Timestamp::EPOCH),
            source: "testkit".to_owned(),
            stream: stream.to_owned(),
            mode: "incremental".to_owned(),
            started_at: Timestamp::EPOCH,
            took_ms: Some(1),
            status,
            code: code.map(str::to_owned),
            parts: Vec::new(),
            generation: 0,
            epoch: 1,
            cursor_from: None,
            cursor_to: None,
            pages: 1,
            traffic: Traffic::default(),
            counts: Counts::default(),
            adapters: "at hunter2".to_owned(),
        }
    }

    #[tokio::test]
    async fn only_runs_that_did_not_succeed_are_told_with_what_to_do() {
        let queue = MemoryQueue::default();
        let runs = [
            run("a", RunStatus::Succeeded, None),
            run("b", RunStatus::Skipped, Some("ERR_RUN_OVERLAP")),
            run("c", RunStatus::Partial, Some("ERR_RUN_DEADLINE")),
            run("d", RunStatus::Failed, Some("ERR_SOURCE_AUTH_REVOKED")),
        ];
        give_notice(&queue, &runs).await.unwrap();
        let told = queue.receive(10).await.unwrap();
        assert_eq!(told.len(), 2);
        for (message, run) in told.iter().zip(&runs[2..]) {
            assert!(message.id.ends_with(&format!("-testkit-{}", run.stream)));
            let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
            assert_eq!(body["code"].as_str(), run.code.as_deref());
            assert_eq!(body["stream"], run.stream);
            assert!(body["remedy"].as_str().is_some_and(|text| !text.is_empty()));
            assert!(!message.body.contains("hunter2"), "{}", message.body);
        }
    }
}
