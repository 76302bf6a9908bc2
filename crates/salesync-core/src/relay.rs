//! Dead letters that are kept in one place and delivered by another: nothing is lost between the two, whenever a process
//! ends.
//!
//! ```text
//! commit ─▶ log: open ── forward ──▶ road: published ── receive ──▶ redrive ──▶ log and road: settled
//!                └── log: forwarded ◀── only when the road has it
//! ```
//!
//! The log (the warehouse's table, written in the commit that set the record aside) is the truth: it keeps each letter
//! whole, counts its attempts and knows how it ended. The road (a cloud's queue) delivers. A process that ends between
//! publishing and marking publishes again, and a letter that comes twice is settled once.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;

use crate::dead_letter::DeadLetter;
use crate::error::Result;
use crate::queue::{MAX_ATTEMPTS, Message, Outcome, Queue};

/// So many letters are forwarded or looked up at once.
const LETTERS_AT_ONCE: usize = 500;

/// A log of dead letters whose letters travel on another queue.
#[derive(Debug)]
pub struct RelayedQueue {
    log: Arc<dyn Queue>,
    road: Arc<dyn Queue>,
}

impl RelayedQueue {
    /// Returns the queue of letters that `log` keeps and `road` delivers.
    #[must_use]
    pub fn new(log: Arc<dyn Queue>, road: Arc<dyn Queue>) -> Self {
        Self { log, road }
    }

    /// Publishes every letter of the log that the road has not carried yet; returns how many there were. May be
    /// repeated, and beside itself: a letter may be published twice, never left out.
    ///
    /// # Errors
    /// What either queue says; the rest is forwarded the next time.
    ///
    /// # Cancel safety
    /// A dropped call has published some letters, which may be published again.
    pub async fn forward(&self) -> Result<usize> {
        let mut total = 0;
        loop {
            let open = self.log.receive(LETTERS_AT_ONCE).await?;
            if open.is_empty() {
                return Ok(total);
            }
            self.road.publish(&open).await?;
            total += open.len();
            self.log.settle_all(&all(open, Outcome::Forwarded)).await?;
        }
    }

    /// Returns what the log has of these letters, open, forwarded or parked.
    async fn known(&self, ids: &[String]) -> Result<Vec<Message>> {
        let mut known = Vec::with_capacity(ids.len());
        for ids in ids.chunks(LETTERS_AT_ONCE) {
            known.extend(self.log.find(ids).await?);
        }
        Ok(known)
    }

    /// Takes letters that only the road knows into the log: what others have published, or a log that was begun anew.
    /// A letter that the log has settled before stays as it is.
    async fn take_in(&self, letters: Vec<Message>) -> Result<()> {
        self.log.publish(&letters).await?;
        self.log.settle_all(&all(letters, Outcome::Forwarded)).await
    }
}

#[async_trait]
impl Queue for RelayedQueue {
    async fn publish(&self, messages: &[Message]) -> Result<()> {
        self.log.publish(messages).await?;
        self.forward().await.map(drop)
    }

    async fn receive(&self, limit: usize) -> Result<Vec<Message>> {
        self.forward().await?;
        let heard = self.road.receive(limit).await?;
        let (heard, foreign): (Vec<Message>, Vec<Message>) = heard
            .into_iter()
            .partition(|message| DeadLetter::in_message(message).is_ok());
        if !foreign.is_empty() {
            let count = foreign.len();
            tracing::warn!(
                count,
                "messages on the queue are no dead letters and are left there"
            );
        }
        if heard.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<String> = heard.iter().map(|message| message.id.clone()).collect();
        let mut known = self.known(&ids).await?;
        let (_, unknown) = split(heard, &known);
        if !unknown.is_empty() {
            self.take_in(unknown).await?;
            known = self.known(&ids).await?;
        }
        known.retain(|message| !is_parked(message));
        let waiting: HashSet<&str> = known.iter().map(|message| message.id.as_str()).collect();
        let settled = ids.into_iter().filter(|id| !waiting.contains(id.as_str()));
        let settled: Vec<(String, Outcome)> = settled.map(|id| (id, Outcome::Done)).collect();
        // What the log has done with, the road need not bring again.
        self.road.settle_all(&settled).await?;
        Ok(known)
    }

    async fn find(&self, ids: &[String]) -> Result<Vec<Message>> {
        self.log.find(ids).await
    }

    async fn settle(&self, id: &str, outcome: Outcome) -> Result<()> {
        self.settle_all(&[(id.to_owned(), outcome)]).await
    }

    async fn settle_all(&self, outcomes: &[(String, Outcome)]) -> Result<()> {
        self.log.settle_all(outcomes).await?;
        let failed = outcomes.iter().filter(|(_, it)| *it == Outcome::Failed);
        let failed: Vec<String> = failed.map(|(id, _)| id.clone()).collect();
        let parked: HashSet<String> = match failed.is_empty() {
            true => HashSet::new(),
            false => {
                let found = self.known(&failed).await?;
                let parked = found.into_iter().filter(is_parked);
                parked.map(|message| message.id).collect()
            }
        };
        // A parked letter waits in the log for a person, not on the road.
        let on_road = outcomes.iter().map(|(id, outcome)| match outcome {
            Outcome::Failed if parked.contains(id) => (id.clone(), Outcome::Done),
            outcome => (id.clone(), *outcome),
        });
        self.road.settle_all(&on_road.collect::<Vec<_>>()).await
    }
}

fn all(messages: Vec<Message>, outcome: Outcome) -> Vec<(String, Outcome)> {
    let ids = messages.into_iter().map(|message| message.id);
    ids.map(|id| (id, outcome)).collect()
}

/// Splits messages into those that are among `known` and the others.
fn split(messages: Vec<Message>, known: &[Message]) -> (Vec<Message>, Vec<Message>) {
    let known: HashSet<&str> = known.iter().map(|message| message.id.as_str()).collect();
    messages
        .into_iter()
        .partition(|message| known.contains(message.id.as_str()))
}

/// Returns whether a letter of the log has failed as often as it may.
fn is_parked(message: &Message) -> bool {
    DeadLetter::in_message(message).is_ok_and(|letter| letter.attempt >= MAX_ATTEMPTS)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::error::Code;
    use crate::memory::MemoryQueue;
    use crate::record::{RawRecord, Reject};
    use crate::run::RunId;
    use crate::time::Timestamp;

    /// The run that has set all of them aside: a letter is the same each time it is made.
    static RUN: LazyLock<RunId> = LazyLock::new(|| RunId::new(Timestamp::EPOCH));

    fn letter(n: i64) -> Message {
        let raw = RawRecord::new(format!("{{\"id\":{n}}}").into_bytes());
        let now = Timestamp::from_millis(n);
        let reject = Reject::new(Code::RecordType, "a value is of its type");
        DeadLetter::new(("crm", "things"), &raw, reject, (&RUN, now))
            .to_message()
            .unwrap()
    }

    fn queues() -> (Arc<MemoryQueue>, Arc<MemoryQueue>, RelayedQueue) {
        let (log, road) = (Arc::<MemoryQueue>::default(), Arc::<MemoryQueue>::default());
        let relayed = RelayedQueue::new(log.clone(), road.clone());
        (log, road, relayed)
    }

    #[tokio::test]
    async fn every_letter_of_the_log_is_on_the_road_once_it_was_forwarded() {
        let (log, road, relayed) = queues();
        log.publish(&[letter(1), letter(2)]).await.unwrap();
        assert_eq!(relayed.forward().await.unwrap(), 2);
        assert_eq!(relayed.forward().await.unwrap(), 0);
        assert_eq!(road.receive(9).await.unwrap(), [letter(1), letter(2)]);
        // The log still finds what it no longer delivers.
        assert!(log.receive(9).await.unwrap().is_empty());
        assert_eq!(log.find(&[letter(1).id]).await.unwrap().len(), 1);
    }

    /// The process ended after it had published and before it had marked.
    #[tokio::test]
    async fn a_letter_that_was_published_twice_is_delivered_and_settled_once() {
        let (log, road, relayed) = queues();
        log.publish(&[letter(1)]).await.unwrap();
        road.publish(&[letter(1)]).await.unwrap();
        assert_eq!(relayed.receive(9).await.unwrap(), [letter(1)]);
        relayed.settle(&letter(1).id, Outcome::Done).await.unwrap();
        assert!(relayed.receive(9).await.unwrap().is_empty());
        assert!(log.find(&[letter(1).id]).await.unwrap().is_empty());
    }

    /// The road delivers again what it was not told of.
    #[tokio::test]
    async fn what_the_log_has_settled_is_not_delivered_again() {
        let (log, road, relayed) = queues();
        log.publish(&[letter(1), letter(2)]).await.unwrap();
        relayed.forward().await.unwrap();
        log.settle(&letter(1).id, Outcome::Discarded).await.unwrap();
        assert_eq!(relayed.receive(9).await.unwrap(), [letter(2)]);
        assert_eq!(road.receive(9).await.unwrap(), [letter(2)]);
    }

    #[tokio::test]
    async fn a_letter_that_others_have_published_is_taken_into_the_log() {
        let (log, road, relayed) = queues();
        let foreign = Message {
            id: "x".to_owned(),
            body: "hello".to_owned(),
        };
        road.publish(&[letter(1), foreign.clone()]).await.unwrap();
        assert_eq!(relayed.receive(9).await.unwrap(), [letter(1)]);
        assert_eq!(log.find(&[letter(1).id]).await.unwrap(), [letter(1)]);
        assert_eq!(road.receive(9).await.unwrap(), [letter(1), foreign]);
    }
}
