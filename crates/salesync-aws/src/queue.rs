//! The queue port on SQS: at least once, the oldest first as far as SQS tells.
//!
//! **What fails is counted here.** SQS counts how often a message was received, not how often it failed. So this process
//! counts, and parks what has failed three times; across processes the log of dead letters counts
//! (`salesync_core::relay`). A redrive policy of the queue is for messages that nobody can take: its `maxReceiveCount` is
//! best high, since looking through what waits counts as receiving it. What it has moved is found and settled too.
//!
//! **Nothing is too large.** Beside a queue that holds every message whole, a message that is larger than SQS takes goes
//! there with its id alone. That other queue is the warehouse's, where dead letters are anyway: it needs no further
//! service, no cutting into parts that could arrive one without the other, and no packing that a still larger message
//! would outgrow. Whoever receives gets the whole message.
//!
//! **The same message twice.** A queue whose name ends with `.fifo` knows an id again for five minutes. Any other one
//! takes it twice; what this process is done with it deletes when it comes again.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use salesync_core::error::{Class, Code, Error, Result};
use salesync_core::queue::{Message, Outcome, Queue};
use tokio::sync::OnceCell;

use crate::api::{Api, Description, PUBLISH};
use crate::hand::{Body, Hand, Held, Place};
use crate::login::AwsLogin;
use crate::queue_url::QueueUrl;
use crate::send::{Outgoing, batches};

/// An SQS queue. Nothing is asked before it is used.
pub struct SqsQueue {
    url: QueueUrl,
    login: Option<AwsLogin>,
    opened: OnceCell<Opened>,
    /// The URL of the queue itself, and of the one to which its policy moves messages, once that was needed.
    waiting_url: Arc<str>,
    parked_url: OnceCell<Arc<str>>,
    home: Option<Arc<dyn Queue>>,
    hand: Mutex<Hand>,
}

/// The queue, with what it says about itself.
struct Opened {
    api: Api,
    description: Description,
}

impl SqsQueue {
    /// Returns the queue with that URL. Without [`SqsQueue::beside`] it refuses messages that are too large.
    #[must_use]
    pub fn new(url: QueueUrl) -> Self {
        Self {
            login: None,
            opened: OnceCell::new(),
            waiting_url: url.as_str().into(),
            parked_url: OnceCell::new(),
            home: None,
            hand: Mutex::default(),
            url,
        }
    }

    /// Returns the same queue, asked with this login instead of one that is looked for.
    #[must_use]
    pub fn with_login(self, login: AwsLogin) -> Self {
        Self {
            login: Some(login),
            ..self
        }
    }

    /// Returns the same queue beside another one, which holds every message whole that is published here: of what is too
    /// large for SQS the id alone is sent.
    #[must_use]
    pub fn beside(self, home: Arc<dyn Queue>) -> Self {
        Self {
            home: Some(home),
            ..self
        }
    }

    /// Asks the queue about itself, and changes nothing.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`] where there is no such queue, no region or no permission, [`Code::StoreUnavailable`]
    /// where SQS does not answer.
    pub async fn check(&self) -> Result<()> {
        self.opened().await.map(drop)
    }

    async fn opened(&self) -> Result<&Opened> {
        let open = || async {
            let login = match &self.login {
                Some(login) => login.clone(),
                None => AwsLogin::find(self.url.region()).await?,
            };
            let api = Api::new(&login);
            let description = api.describe(&self.url).await?;
            Ok::<_, Error>(Opened { api, description })
        };
        self.opened.get_or_try_init(open).await
    }

    /// Makes a message ready to be sent.
    fn ready(&self, message: &Message, most_bytes: usize) -> Result<Outgoing> {
        let whole = Outgoing::whole(message);
        if whole.size_bytes() <= most_bytes {
            return Ok(whole);
        }
        if self.home.is_some() {
            return Ok(Outgoing::spilled(message));
        }
        Err(Error::new(Code::Internal, PUBLISH)
            .with("size_bytes", whole.size_bytes())
            .with("most_bytes", most_bytes))
    }

    /// Takes up to ten more messages in hand. Returns how many came.
    async fn take(&self, place: Place) -> Result<usize> {
        let api = &self.opened().await?.api;
        let Some(url) = self.url_of(place).await? else {
            return Ok(0);
        };
        let held = api.receive(&url, place).await?;
        let count = held.len();
        let stale = self.hand(|hand| hand.take(held));
        api.delete(&stale).await?;
        Ok(count)
    }

    /// Takes more in hand until all of these messages are in it, or all that waits or is parked has been looked through.
    async fn search(&self, ids: &[&str]) -> Result<()> {
        for place in [Place::Waiting, Place::Parked] {
            loop {
                if self.hand(|hand| hand.was_searched() || hand.knows_all(ids)) {
                    return Ok(());
                }
                if self.take(place).await? == 0 {
                    break;
                }
            }
        }
        self.hand(Hand::note_searched);
        Ok(())
    }

    /// Returns the URL of the queue in which messages stand there, if there is one.
    async fn url_of(&self, place: Place) -> Result<Option<Arc<str>>> {
        let Opened { api, description } = self.opened().await?;
        match (place, &description.parked_arn) {
            (Place::Waiting, _) => Ok(Some(Arc::clone(&self.waiting_url))),
            (Place::Parked, None) => Ok(None),
            (Place::Parked, Some(arn)) => {
                let url = self.parked_url.get_or_try_init(|| api.find(arn));
                Ok(Some(Arc::clone(url.await?)))
            }
        }
    }

    /// Returns the messages with their bodies, wherever those are.
    async fn whole(&self, found: Vec<Held>) -> Result<Vec<Message>> {
        let mut messages = Vec::with_capacity(found.len());
        for held in found {
            match held.body {
                Body::Here(body) => messages.push(Message { id: held.id, body }),
                Body::Spilled => messages.extend(self.at_home(&held.id).await?),
            }
        }
        Ok(messages)
    }

    /// Returns the message from where it is whole; none where it is settled there already.
    async fn at_home(&self, id: &str) -> Result<Option<Message>> {
        let found = match &self.home {
            Some(home) => home.find(&[id.to_owned()]).await?,
            None => Vec::new(),
        };
        let found = found.into_iter().find(|message| message.id == id);
        if found.is_none() {
            tracing::warn!(
                id,
                "the body of a large message is not where it should be: it may be settled there"
            );
        }
        Ok(found)
    }

    /// Works on what is in hand; the hand is never held while SQS is asked.
    fn hand<T>(&self, work: impl FnOnce(&mut Hand) -> T) -> T {
        let mut hand = self.hand.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut hand)
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
        if messages.is_empty() {
            return Ok(());
        }
        let Opened { api, description } = self.opened().await.map_err(unpublished)?;
        let ready = messages.iter();
        let ready = ready.map(|message| self.ready(message, description.most_bytes));
        for batch in batches(ready.collect::<Result<_>>()?) {
            api.send(&self.url, batch).await.map_err(unpublished)?;
            self.hand(Hand::note_unsearched);
        }
        Ok(())
    }

    /// What is received is hidden from others for a quarter of an hour, or until it is settled.
    async fn receive(&self, limit: usize) -> Result<Vec<Message>> {
        self.hand(Hand::forget_lapsed);
        while self.hand(|hand| hand.waiting_count() < limit && !hand.is_full()) {
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
        self.hand(Hand::forget_lapsed);
        for place in [Place::Waiting, Place::Parked] {
            while self.take(place).await? > 0 {}
        }
        self.hand(Hand::note_searched);
        let found = self.hand(|hand| hand.named(ids));
        self.whole(found).await
    }

    async fn settle(&self, id: &str, outcome: Outcome) -> Result<()> {
        self.settle_all(&[(id.to_owned(), outcome)]).await
    }

    /// Looks through all that waits or is parked where one of the messages is not in hand; what was only looked through
    /// is shown to others again at once.
    async fn settle_all(&self, outcomes: &[(String, Outcome)]) -> Result<()> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let before = self.hand(|hand| {
            hand.forget_lapsed();
            hand.ids()
        });
        // What nobody worked on and is not in hand is not hidden from anybody.
        let wanted = outcomes.iter().filter(|(_, it)| *it != Outcome::Released);
        let wanted: Vec<&str> = wanted.map(|(id, _)| id.as_str()).collect();
        self.search(&wanted).await?;
        let (gone, shown) = self.hand(|hand| hand.part(outcomes, &before));
        let api = &self.opened().await?.api;
        let told = match api.delete(&gone).await {
            Ok(()) => api.show_again(&shown).await,
            refused => refused,
        };
        self.hand(|hand| match &told {
            Ok(()) => {
                let shown: HashSet<&str> = shown.iter().map(|held| held.id.as_str()).collect();
                hand.note(outcomes, &shown);
            }
            // They are still hidden, and can be settled again.
            Err(_) => {
                hand.take(gone);
                hand.take(shown);
            }
        });
        told
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
