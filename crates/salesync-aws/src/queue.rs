//! The queue port on SQS: at least once, the oldest first as far as SQS tells, parked by the queue's own redrive policy.
//!
//! **Nothing is too large.** A message that is larger than the queue takes is published to another queue first, in its
//! whole, and only then to SQS with its id alone. The other queue is the warehouse's, where dead letters are anyway:
//! that needs no further service, no cutting into parts that could arrive one without the other, and no packing that a
//! still larger message would outgrow. Whoever receives gets the whole message; what becomes of it is said here, and to
//! the other queue by its own users.
//!
//! **A receive counts.** SQS counts how often a message was received, not how often it failed, and parks it when the
//! redrive policy's `maxReceiveCount` is reached; [`MAX_ATTEMPTS`] is the number to set. A reader that was killed counts
//! as a failure. Where the queue has no redrive policy, a message that was received more often stays where it is and
//! counts as parked.
//!
//! **The same message twice.** A queue whose name ends with `.fifo` knows an id again for five minutes. Any other one
//! takes it twice; what this process is done with it deletes when it comes again.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use salesync_core::error::{Class, Code, Error, Result};
use salesync_core::queue::{MAX_ATTEMPTS, Message, Outcome, Queue};
use tokio::sync::OnceCell;

use crate::api::{Api, Description, PUBLISH};
use crate::hand::{Body, Hand, Held, Place};
use crate::login::AwsLogin;
use crate::queue_url::QueueUrl;
use crate::send::{Outgoing, batches};

/// An SQS queue.
pub struct SqsQueue {
    api: Api,
    url: QueueUrl,
    description: Description,
    /// The URL of the queue itself, and of the one in which its policy parks messages, once that was needed.
    waiting_url: Arc<str>,
    parked_url: OnceCell<Arc<str>>,
    spill: Option<Arc<dyn Queue>>,
    hand: Mutex<Hand>,
}

impl SqsQueue {
    /// Opens a queue that is there, with what it says about itself. Without [`SqsQueue::spilling_to`] it refuses
    /// messages that are too large.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`] where there is no such queue, no region or no permission, [`Code::StoreUnavailable`]
    /// where SQS does not answer.
    pub async fn open(url: &QueueUrl) -> Result<Self> {
        let login = AwsLogin::find(url.region()).await?;
        Self::open_with(&login, url).await
    }

    /// Opens a queue with this login.
    ///
    /// # Errors
    /// As [`SqsQueue::open`].
    pub async fn open_with(login: &AwsLogin, url: &QueueUrl) -> Result<Self> {
        let api = Api::new(login);
        let description = api.describe(url).await?;
        Ok(Self {
            api,
            url: url.clone(),
            description,
            waiting_url: url.as_str().into(),
            parked_url: OnceCell::new(),
            spill: None,
            hand: Mutex::default(),
        })
    }

    /// Returns the same queue, with another one for the messages that are too large for it.
    #[must_use]
    pub fn spilling_to(self, spill: Arc<dyn Queue>) -> Self {
        Self {
            spill: Some(spill),
            ..self
        }
    }

    /// Says what became of many messages, in one pass over all that waits or is parked. What is not among them is shown
    /// to others again at once. May be repeated.
    ///
    /// # Errors
    /// [`Code::StoreUnavailable`] where SQS does not answer; some of the messages may be settled then.
    pub async fn settle_all(&self, outcomes: &[(String, Outcome)]) -> Result<()> {
        if outcomes.is_empty() {
            return Ok(());
        }
        self.take_all().await?;
        let done: HashSet<&str> = outcomes
            .iter()
            .filter(|(_, outcome)| *outcome != Outcome::Failed)
            .map(|(id, _)| id.as_str())
            .collect();
        let held = self.hand(|hand| {
            done.iter().for_each(|id| hand.note_gone(id));
            hand.note_unsearched();
            hand.empty()
        });
        let (done, rest): (Vec<Held>, Vec<Held>) = held
            .into_iter()
            .partition(|held| done.contains(held.id.as_str()));
        self.api.delete(&done).await?;
        self.api.show_again(&rest).await
    }

    /// Makes a message ready to be sent; where it is too large its body is durable elsewhere on return.
    async fn ready(&self, message: &Message) -> Result<Outgoing> {
        let whole = Outgoing::whole(message);
        let most_bytes = self.description.most_bytes;
        if whole.size_bytes() <= most_bytes {
            return Ok(whole);
        }
        let Some(spill) = &self.spill else {
            return Err(Error::new(Code::Internal, PUBLISH)
                .with("size_bytes", whole.size_bytes())
                .with("most_bytes", most_bytes));
        };
        spill.publish(std::slice::from_ref(message)).await?;
        Ok(Outgoing::spilled(message))
    }

    /// Takes up to ten more messages in hand. Returns how many came.
    async fn take(&self, place: Place) -> Result<usize> {
        let Some(url) = self.url_of(place).await? else {
            return Ok(0);
        };
        let mut held = self.api.receive(&url, place).await?;
        let count = held.len();
        if self.description.parked_arn.is_none() {
            let has_failed = |held: &&mut Held| held.receive_count > i64::from(MAX_ATTEMPTS);
            for failed in held.iter_mut().filter(has_failed) {
                failed.place = Place::Parked;
            }
        }
        let stale = self.hand(|hand| hand.take(held));
        self.api.delete(&stale).await?;
        Ok(count)
    }

    /// Takes everything in hand that waits or is parked.
    async fn take_all(&self) -> Result<()> {
        self.hand(Hand::forget_lapsed);
        for place in [Place::Waiting, Place::Parked] {
            while self.take(place).await? > 0 {}
        }
        self.hand(Hand::note_searched);
        Ok(())
    }

    /// Returns the URL of the queue in which messages stand there, if there is one.
    async fn url_of(&self, place: Place) -> Result<Option<Arc<str>>> {
        match (place, &self.description.parked_arn) {
            (Place::Waiting, _) => Ok(Some(Arc::clone(&self.waiting_url))),
            (Place::Parked, None) => Ok(None),
            (Place::Parked, Some(arn)) => {
                let url = self.parked_url.get_or_try_init(|| self.api.find(arn));
                Ok(Some(Arc::clone(url.await?)))
            }
        }
    }

    /// Takes a message's deliveries out of the hand; searches all that waits or is parked where there is none in it.
    async fn deliveries(&self, id: &str) -> Result<Vec<Held>> {
        let (held, is_over) = self.hand(|hand| {
            hand.forget_lapsed();
            let held = hand.remove(id);
            (held, hand.is_gone(id) || hand.was_searched())
        });
        if !held.is_empty() || is_over {
            return Ok(held);
        }
        for place in [Place::Waiting, Place::Parked] {
            while self.take(place).await? > 0 {
                let held = self.hand(|hand| hand.remove(id));
                if !held.is_empty() {
                    return Ok(held);
                }
            }
        }
        self.hand(Hand::note_searched);
        Ok(Vec::new())
    }

    /// Returns the messages with their bodies, wherever those are.
    async fn whole(&self, found: Vec<Held>) -> Result<Vec<Message>> {
        let mut messages = Vec::with_capacity(found.len());
        for held in found {
            match held.body {
                Body::Here(body) => messages.push(Message { id: held.id, body }),
                Body::Spilled => messages.extend(self.spilled(&held.id).await?),
            }
        }
        Ok(messages)
    }

    /// Returns the message from where it was spilled to; none where it is settled there already.
    async fn spilled(&self, id: &str) -> Result<Option<Message>> {
        let found = match &self.spill {
            Some(spill) => spill.find(&[id.to_owned()]).await?,
            None => Vec::new(),
        };
        let found = found.into_iter().find(|message| message.id == id);
        if found.is_none() {
            tracing::warn!(
                id,
                "the body of a large message is not where it was put: it was settled there"
            );
        }
        Ok(found)
    }

    /// Works on what is in hand; the hand is never held while SQS is asked.
    fn hand<T>(&self, work: impl FnOnce(&mut Hand) -> T) -> T {
        work(&mut self.hand.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for SqsQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqsQueue")
            .field("name", &self.url.name())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Queue for SqsQueue {
    /// A future that is dropped may have published some of the messages.
    async fn publish(&self, messages: &[Message]) -> Result<()> {
        let mut ready = Vec::with_capacity(messages.len());
        for message in messages {
            ready.push(self.ready(message).await?);
        }
        for batch in batches(ready) {
            let sent = self.api.send(&self.url, batch).await;
            sent.map_err(unpublished)?;
            self.hand(Hand::note_unsearched);
        }
        Ok(())
    }

    /// What is received is hidden from others for a quarter of an hour, or until it is settled.
    async fn receive(&self, limit: usize) -> Result<Vec<Message>> {
        self.hand(Hand::forget_lapsed);
        while self.hand(|hand| hand.waiting_count()) < limit {
            if self.take(Place::Waiting).await? == 0 {
                break;
            }
        }
        let found = self.hand(|hand| hand.waiting(limit));
        self.whole(found).await
    }

    /// Takes everything in hand that waits or is parked, since SQS can't be asked for one message.
    async fn find(&self, ids: &[String]) -> Result<Vec<Message>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.take_all().await?;
        let found = self.hand(|hand| hand.named(ids));
        self.whole(found).await
    }

    async fn settle(&self, id: &str, outcome: Outcome) -> Result<()> {
        let deliveries = self.deliveries(id).await?;
        if deliveries.is_empty() {
            return Ok(());
        }
        let settled = match outcome {
            Outcome::Done | Outcome::Discarded => self.api.delete(&deliveries).await,
            Outcome::Failed => self.api.show_again(&deliveries).await,
        };
        self.hand(|hand| match (&settled, outcome) {
            (Err(_), _) => {
                // It is still hidden, and can be settled again.
                hand.take(deliveries);
            }
            (Ok(()), Outcome::Failed) => hand.note_unsearched(),
            (Ok(()), Outcome::Done | Outcome::Discarded) => hand.note_gone(id),
        });
        settled
    }
}

/// Returns what a message that could not be published means: what another try may heal is the queue's own code.
fn unpublished(error: Error) -> Error {
    if error.class() != Class::Retry {
        return error;
    }
    let wait = error.retry_after();
    let ours = Error::new(Code::QueuePublish, PUBLISH).because(error);
    match wait {
        Some(wait) => ours.after(wait),
        None => ours,
    }
}
