//! What goes on by itself: a sync that its deadline or a signal stopped leaves a message that says what is left, and
//! the run that takes it finishes the work.
//!
//! It comes to an end. A message counts the runs that led to it, and a run that moved nothing leaves none. A message
//! that is lost costs time only: the next scheduled sync goes on from the same cursor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::command::{Effect, Sync};
use crate::error::{Code, Error, Result};
use crate::queue::Message;
use crate::run::{Run, RunId};

/// So many runs may follow one trigger by themselves.
pub const MOST_HOPS: u32 = 50;

/// What is left of a sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Continuation {
    /// What is to be read: the streams of one source that were stopped.
    #[serde(rename = "continue")]
    pub sync: Sync,
    /// How many runs led to it.
    pub hop: u32,
    /// The run that left it.
    pub after: RunId,
}

impl Continuation {
    /// Returns it as a message. One run leaves one message for each source, whose id is always the same.
    ///
    /// # Errors
    /// [`Code::Internal`] where it can't be written as JSON.
    pub fn to_message(&self) -> Result<Message> {
        let body = serde_json::to_string(self)
            .map_err(|error| Error::new(Code::Internal, "write a continuation").because(error))?;
        Ok(Message {
            id: format!("{}-{}", self.after, self.sync.source),
            body,
        })
    }
}

/// Returns what is left of a sync, by source; `hop` is how many runs led to this one.
///
/// | the run | leaves |
/// |---|---|
/// | ended by its deadline or a signal, and read something | what was stopped |
/// | the same, and read nothing | nothing: it would be so again |
/// | ended for another reason | nothing: the next scheduled run goes on |
/// | was a dry run, or the last of [`MOST_HOPS`] | nothing |
#[must_use]
pub fn left_of(command: &Sync, runs: &[Run], hop: u32) -> Vec<Continuation> {
    if command.effect == Effect::DryRun || hop >= MOST_HOPS {
        return Vec::new();
    }
    let mut stopped: BTreeMap<&str, Vec<&Run>> = BTreeMap::new();
    for run in runs.iter().filter(|run| was_stopped(run)) {
        stopped.entry(&run.source).or_default().push(run);
    }
    let mut left = Vec::new();
    for (source, runs) in stopped {
        let Some(first) = runs.first() else { continue };
        if !runs.iter().any(|run| has_moved(run)) {
            continue;
        }
        left.push(Continuation {
            sync: Sync {
                source: source.to_owned(),
                streams: runs.iter().map(|run| run.stream.clone()).collect(),
                // The first run has set the cursor back; once more, and it would begin anew.
                since: None,
                ..command.clone()
            },
            hop: hop + 1,
            after: first.run_id.clone(),
        });
    }
    left
}

/// Returns whether time or a signal ended a run, or a part of it.
fn was_stopped(run: &Run) -> bool {
    let ends = [Code::RunDeadline.as_str(), Code::RunStopped.as_str()];
    let parts = run.parts.iter().map(|part| part.code.as_str());
    parts
        .chain(run.code.as_deref())
        .any(|code| ends.contains(&code))
}

fn has_moved(run: &Run) -> bool {
    run.cursor_from != run.cursor_to || run.counts.written() > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Mode;
    use crate::cursor::Cursor;
    use crate::run::{Counts, PartEnd, RunStatus};
    use crate::time::Timestamp;

    fn run(source: &str, stream: &str, code: Option<Code>) -> Run {
        Run {
            run_id: RunId::new(Timestamp::EPOCH),
            source: source.to_owned(),
            stream: stream.to_owned(),
            mode: "incremental".to_owned(),
            started_at: Timestamp::EPOCH,
            took_ms: Some(1),
            status: code.map_or(RunStatus::Succeeded, RunStatus::because_of),
            code: code.map(|code| code.as_str().to_owned()),
            parts: Vec::new(),
            generation: 0,
            epoch: 1,
            cursor_from: None,
            cursor_to: Some(Cursor::between_windows(Timestamp::from_micros(7))),
            pages: 1,
            traffic: Default::default(),
            counts: Counts::default(),
            adapters: String::new(),
        }
    }

    fn full() -> Sync {
        Sync {
            source: "all".to_owned(),
            mode: Mode::Full,
            ..Sync::default()
        }
    }

    #[test]
    fn what_was_stopped_goes_on_by_source_and_the_rest_does_not() {
        let runs = [
            run("crm", "people", Some(Code::RunDeadline)),
            run("crm", "deals", None),
            run("crm", "notes", Some(Code::RunStopped)),
            run("mail", "messages", Some(Code::SourceForbidden)),
        ];
        let left = left_of(&full(), &runs, 0);
        let [only] = left.as_slice() else {
            panic!("one source goes on: {left:?}");
        };
        assert_eq!(only.sync.source, "crm");
        assert_eq!(only.sync.streams, ["people", "notes"]);
        assert_eq!((only.sync.mode, only.hop), (Mode::Full, 1));
        assert_eq!(only.after, runs[0].run_id);
    }

    #[test]
    fn a_mailbox_that_was_stopped_goes_on_whatever_became_of_the_others() {
        let mut messages = run("mail", "messages", Some(Code::SourceForbidden));
        messages.parts = vec![PartEnd {
            part: Some("second".to_owned()),
            status: RunStatus::Partial,
            code: Code::RunDeadline.as_str().to_owned(),
        }];
        assert_eq!(left_of(&full(), &[messages], 0).len(), 1);
    }

    #[test]
    fn it_comes_to_an_end() {
        let mut stopped = run("crm", "people", Some(Code::RunDeadline));
        let left = |run: &Run, hop| left_of(&full(), std::slice::from_ref(run), hop).len();
        assert_eq!(left(&stopped, MOST_HOPS - 1), 1);
        assert_eq!(left(&stopped, MOST_HOPS), 0, "after so many runs");
        stopped.cursor_to = None;
        assert_eq!(left(&stopped, 0), 0, "nothing was read");
        stopped.counts.new = 1;
        assert_eq!(left(&stopped, 0), 1, "rows were written inside of a window");
        let dry = Sync {
            effect: Effect::DryRun,
            ..full()
        };
        assert_eq!(left_of(&dry, &[stopped], 0).len(), 0, "nothing is kept");
    }

    #[test]
    fn a_message_is_read_back_and_does_not_set_the_cursor_back_again() {
        let command = Sync {
            source: "crm".to_owned(),
            since: Some(Timestamp::EPOCH),
            ..Sync::default()
        };
        let runs = [run("crm", "people", Some(Code::RunDeadline))];
        let left = left_of(&command, &runs, 3).remove(0);
        let message = left.to_message().unwrap();
        assert_eq!(message.id, format!("{}-crm", runs[0].run_id));
        let read: Continuation = serde_json::from_str(&message.body).unwrap();
        assert_eq!((read.sync.since, read.hop), (None, 4));
        assert_eq!(read, left);
    }
}
