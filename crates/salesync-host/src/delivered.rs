//! Dead letters that a queue delivers to a function, many at once: each is sent through again, and what became of each
//! is known by its id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use salesync_core::dead_letter::DeadLetter;
use salesync_core::error::Result;
use salesync_core::queue::{Message, Outcome, Queue};

use crate::context::Context;
use crate::handle::send_through;

/// A dead letter as a queue delivers it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Delivered {
    /// All of it.
    Whole(Box<DeadLetter>),
    /// Its id alone: it was too large for the queue, and is whole in the warehouse.
    Named(String),
}

impl Delivered {
    /// Returns the letter's id.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Whole(letter) => &letter.dead_id,
            Self::Named(id) => id,
        }
    }
}

/// Sends letters through again and returns what became of each, by its id. A letter without an outcome was not tried:
/// its source could not be asked, and it comes again.
///
/// # Errors
/// Where the warehouse can't be opened.
pub(crate) async fn redrive_delivered(
    cx: &Context,
    letters: Vec<Delivered>,
) -> Result<BTreeMap<String, Outcome>> {
    let caller = cx.trace.as_ref();
    let work = Box::pin(redrive(cx, letters));
    cx.telemetry.around(("redrive", caller), work).await
}

async fn redrive(cx: &Context, letters: Vec<Delivered>) -> Result<BTreeMap<String, Outcome>> {
    let stores = cx.stores().await?;
    let (letters, settled) = whole(stores.dead_letters.as_ref(), letters).await?;
    let noting = Noting {
        home: Arc::clone(&stores.dead_letters),
        outcomes: Mutex::new(settled),
    };
    // One after another: a source that can't be asked costs its own letters only.
    let mut by_source: BTreeMap<String, Vec<DeadLetter>> = BTreeMap::new();
    for letter in letters {
        by_source
            .entry(letter.source.clone())
            .or_default()
            .push(letter);
    }
    for (source, letters) in by_source {
        if let Err(error) = send_through(cx, &stores, &noting, letters).await {
            tracing::warn!(source, error = %error, "letters not sent through");
        }
    }
    cx.telemetry.letters(stores.warehouse.as_ref()).await;
    let outcomes = noting.outcomes;
    Ok(outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner))
}

/// Returns letters as they stand where they are at home; and of those that came as an id alone and are not there any
/// more, since they are settled, that they are done.
async fn whole(
    home: &dyn Queue,
    delivered: Vec<Delivered>,
) -> Result<(Vec<DeadLetter>, BTreeMap<String, Outcome>)> {
    let (mut letters, mut named) = (Vec::new(), BTreeSet::new());
    for one in delivered {
        match one {
            Delivered::Whole(letter) => letters.push(*letter),
            Delivered::Named(id) => drop(named.insert(id)),
        }
    }
    if !named.is_empty() {
        let ids: Vec<String> = named.iter().cloned().collect();
        for message in home.find(&ids).await? {
            if named.remove(&message.id) {
                letters.push(DeadLetter::in_message(&message)?);
            }
        }
    }
    let settled = named.into_iter().map(|id| (id, Outcome::Done)).collect();
    Ok((letters, settled))
}

/// The queue where dead letters are at home, with what was said of each letter.
#[derive(Debug)]
struct Noting {
    home: Arc<dyn Queue>,
    outcomes: Mutex<BTreeMap<String, Outcome>>,
}

#[async_trait]
impl Queue for Noting {
    async fn publish(&self, messages: &[Message]) -> Result<()> {
        self.home.publish(messages).await
    }

    async fn receive(&self, limit: usize) -> Result<Vec<Message>> {
        self.home.receive(limit).await
    }

    async fn find(&self, ids: &[String]) -> Result<Vec<Message>> {
        self.home.find(ids).await
    }

    async fn settle(&self, id: &str, outcome: Outcome) -> Result<()> {
        self.settle_all(&[(id.to_owned(), outcome)]).await
    }

    async fn settle_all(&self, outcomes: &[(String, Outcome)]) -> Result<()> {
        self.home.settle_all(outcomes).await?;
        let mut noted = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        noted.extend(outcomes.iter().cloned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use salesync_core::error::Code;
    use salesync_core::memory::MemoryQueue;
    use salesync_core::record::{RawRecord, Reject};
    use salesync_core::run::RunId;
    use salesync_core::time::Timestamp;

    use super::*;

    fn letter(number: i64) -> DeadLetter {
        let raw = RawRecord::new(format!("{{\"id\":{number}}}").into_bytes());
        let now = Timestamp::from_millis(number);
        let reject = Reject::new(Code::RecordType, "a value is of its type");
        DeadLetter::new(("crm", "things"), &raw, reject, (&RunId::new(now), now))
    }

    #[tokio::test]
    async fn a_letter_that_came_as_an_id_alone_is_taken_whole_from_home_or_is_settled() {
        let home = MemoryQueue::default();
        let (large, gone) = (letter(1), letter(2));
        home.publish(&[large.to_message().unwrap()]).await.unwrap();
        let delivered = vec![
            Delivered::Named(large.dead_id.clone()),
            Delivered::Named(gone.dead_id.clone()),
            Delivered::Whole(Box::new(letter(3))),
        ];
        let (letters, settled) = whole(&home, delivered).await.unwrap();
        assert_eq!(letters, [letter(3), large]);
        assert_eq!(settled, [(gone.dead_id, Outcome::Done)].into());
    }
}
