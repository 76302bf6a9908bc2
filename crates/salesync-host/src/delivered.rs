//! Dead letters that a queue delivers to a function, many at once: each is sent through again, and what became of each
//! is known by its id.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use salesync_core::dead_letter::DeadLetter;
use salesync_core::error::Result;
use salesync_core::queue::{MAX_ATTEMPTS, Message, Outcome, Queue};
use salesync_core::redrive::Redriven;

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
    let (letters, done) = due(stores.dead_letters.as_ref(), letters).await?;
    let noting = Noting {
        home: Arc::clone(&stores.dead_letters),
        outcomes: Mutex::new(done),
    };
    // What could not be asked has no outcome.
    drop(send_through(cx, &stores, &noting, letters).await);
    cx.telemetry.letters(stores.warehouse.as_ref()).await;
    let outcomes = noting.outcomes;
    Ok(outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner))
}

/// Returns the letters that are to be sent through; and of the others that they are done: they are settled where they are
/// at home, or have failed as often as they may and wait there for a person. A letter goes through as it was delivered,
/// since somebody may have mended it.
async fn due(
    home: &dyn Queue,
    delivered: Vec<Delivered>,
) -> Result<(Vec<DeadLetter>, BTreeMap<String, Outcome>)> {
    let ids: Vec<String> = delivered.iter().map(|one| one.id().to_owned()).collect();
    let mut known = known(home, &ids).await?;
    // Home does not know what others have published, nor what is settled: only the first is there once it was taken in.
    let unknown = delivered.iter().filter_map(|one| match one {
        Delivered::Whole(letter) if !known.contains_key(&letter.dead_id) => {
            Some(letter.to_message())
        }
        _ => None,
    });
    let unknown: Vec<Message> = unknown.collect::<Result<_>>()?;
    if !unknown.is_empty() {
        home.publish(&unknown).await?;
        let taken = unknown.into_iter().map(|it| (it.id, Outcome::Forwarded));
        home.settle_all(&taken.collect::<Vec<_>>()).await?;
        known = self::known(home, &ids).await?;
    }
    let (mut letters, mut done) = (BTreeMap::new(), BTreeMap::new());
    for one in delivered {
        let id = one.id().to_owned();
        match known.get(&id) {
            Some(letter) if letter.attempt < MAX_ATTEMPTS => {
                let letter = match one {
                    Delivered::Whole(letter) => *letter,
                    Delivered::Named(_) => letter.clone(),
                };
                letters.insert(id, letter);
            }
            _ => drop(done.insert(id, Outcome::Done)),
        }
    }
    Ok((letters.into_values().collect(), done))
}

/// Returns what home has of these letters, by their ids: those that are open, forwarded or parked.
async fn known(home: &dyn Queue, ids: &[String]) -> Result<BTreeMap<String, DeadLetter>> {
    let mut known = BTreeMap::new();
    for message in home.find(ids).await? {
        known.insert(message.id.clone(), DeadLetter::in_message(&message)?);
    }
    Ok(known)
}

/// Counts what became of letters; one that was not tried is not there.
pub(crate) fn counted(outcomes: &BTreeMap<String, Outcome>) -> Redriven {
    let count = |wanted: &dyn Fn(&Outcome) -> bool| {
        u64::try_from(outcomes.values().filter(|it| wanted(it)).count()).unwrap_or(u64::MAX)
    };
    Redriven {
        tried: count(&|outcome| *outcome != Outcome::Released),
        redriven: count(&|outcome| *outcome == Outcome::Done),
        rejected: count(&|outcome| !matches!(outcome, Outcome::Done | Outcome::Released)),
    }
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
    async fn what_home_says_of_a_letter_decides_whether_it_goes_through() {
        let home = MemoryQueue::default();
        let [large, gone, parked, mended, foreign] = [1, 2, 3, 4, 5].map(letter);
        let parked = DeadLetter {
            attempt: MAX_ATTEMPTS,
            ..parked
        };
        let at_home = [&large, &gone, &parked, &mended].map(|it| it.to_message().unwrap());
        home.publish(&at_home).await.unwrap();
        home.settle(&gone.dead_id, Outcome::Discarded)
            .await
            .unwrap();
        let mended = DeadLetter {
            payload: "mended".to_owned(),
            ..mended
        };
        let whole = |letter: &DeadLetter| Delivered::Whole(Box::new(letter.clone()));
        let delivered = vec![
            Delivered::Named(large.dead_id.clone()),
            Delivered::Named("0".repeat(64)),
            whole(&gone),
            whole(&parked),
            whole(&mended),
            whole(&foreign),
        ];
        let (mut letters, done) = due(&home, delivered).await.unwrap();
        letters.sort_by_key(|letter| letter.seen_at);
        assert_eq!(letters, [large, mended, foreign.clone()]);
        let settled = [gone.dead_id, parked.dead_id, "0".repeat(64)];
        assert_eq!(done, settled.map(|id| (id, Outcome::Done)).into());
        assert_eq!(home.find(&[foreign.dead_id]).await.unwrap().len(), 1);
    }
}
