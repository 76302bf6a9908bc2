//! A queue on a Pub/Sub topic, received from one subscription of it.
//!
//! ```text
//! publish ─▶ topic ─▶ subscription ─ pull, held for a while ─▶ receive ─▶ settle ─┬ done: acknowledged
//!                          ▲                                                      │
//!                          └────── failed: given back, or its time is over ◀──────┘
//! ```
//!
//! Pub/Sub delivers at least once, in any order, and knows no ids of ours. What a queue promises beyond that holds within
//! one process: a message comes once, the oldest first, and is parked when it has failed three times. Across processes the
//! log of dead letters keeps it (`salesync_core::relay`).

mod api;
mod held;
mod settings;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use salesync_core::error::{Class, Code, Error, Result};
use salesync_core::queue::{Message, Outcome, Queue};
use tokio::time::sleep;

use self::api::Api;
use self::held::Held;
pub(crate) use self::settings::is_project;
pub use self::settings::{PubSubPlace, PubSubSettings};

/// How many pieces are asked for at once.
const PULLED_AT_ONCE: u32 = 100;
/// After so many answers without a message, with a pause before each, the subscription counts as empty. What was not met
/// comes the next time.
const EMPTY_ANSWERS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(250);
/// What Pub/Sub permits as the time that a message is held.
const SHORTEST_LEASE: Duration = Duration::from_secs(10);
const LONGEST_LEASE: Duration = Duration::from_secs(600);

/// A queue on a Pub/Sub topic. What it has received it holds until it is settled or the queue has been silent for the
/// time of a lease; each call renews the leases of all that is held.
pub struct PubSubQueue {
    api: Api,
    lease: Duration,
    held: Mutex<Held>,
}

impl PubSubQueue {
    /// Returns the queue; nothing is asked yet.
    ///
    /// # Errors
    /// `ERR_CONFIG_INVALID` where there is no login to be had, or the emulator's origin is none.
    pub fn new(settings: &PubSubSettings) -> Result<Self> {
        Ok(Self {
            api: Api::new(settings)?,
            lease: settings.lease.clamp(SHORTEST_LEASE, LONGEST_LEASE),
            held: Mutex::default(),
        })
    }

    /// Asks whether we may publish to the topic, and changes nothing.
    ///
    /// # Errors
    /// `ERR_SOURCE_FORBIDDEN` with the permission that is missing, or what Pub/Sub says.
    pub async fn check_publishing(&self) -> Result<()> {
        self.api.check_topic().await
    }

    /// Asks whether we may receive from the subscription, and changes nothing.
    ///
    /// # Errors
    /// As [`PubSubQueue::check_publishing`].
    pub async fn check_receiving(&self) -> Result<()> {
        self.api.check_subscription().await
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Between statements the values are whole, whoever panicked.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pulls until nothing comes, so many messages are held, or as much as may be.
    async fn fill(&self, enough: usize) -> Result<()> {
        let (mut empty, mut most) = (0, PULLED_AT_ONCE);
        while empty < EMPTY_ANSWERS && self.is_short_of(enough) {
            let pieces = match self.api.pull(most).await {
                // Large pieces come one by one.
                Err(error) if error.code() == Code::SourceBodyTooLarge && most > 1 => {
                    most /= 10;
                    continue;
                }
                pieces => pieces?,
            };
            if pieces.is_empty() {
                empty += 1;
                if empty < EMPTY_ANSWERS {
                    sleep(PAUSE).await;
                }
                continue;
            }
            empty = 0;
            let ack_ids: Vec<String> = pieces.iter().map(|piece| piece.ack_id.clone()).collect();
            self.api.hold(&ack_ids, self.lease).await?;
            let copies: Vec<String> = {
                let mut held = self.held();
                pieces.into_iter().filter_map(|it| held.take(it)).collect()
            };
            self.api.acknowledge(&copies).await?;
        }
        Ok(())
    }

    fn is_short_of(&self, enough: usize) -> bool {
        let held = self.held();
        held.count() < enough && !held.is_full()
    }

    /// Gives messages back that are held and that nobody asked for, so that others have them at once.
    async fn release(&self, ids: Vec<String>) -> Result<()> {
        let ack_ids: Vec<String> = {
            let held = self.held();
            ids.iter().flat_map(|id| held.ack_ids(id)).collect()
        };
        self.api.hold(&ack_ids, Duration::ZERO).await?;
        let mut held = self.held();
        for id in ids {
            held.release(&id);
        }
        Ok(())
    }

    /// Holds everything longer that has been held for a while.
    async fn renew(&self) -> Result<()> {
        let ack_ids = self.held().to_renew(self.lease);
        if !ack_ids.is_empty() {
            self.api.hold(&ack_ids, self.lease).await?;
            self.held().renewed();
        }
        Ok(())
    }
}

#[async_trait]
impl Queue for PubSubQueue {
    async fn publish(&self, messages: &[Message]) -> Result<()> {
        let published = self.api.publish(messages).await;
        published.map_err(|error| match error.class() {
            // Where a person must decide, the code says what.
            Class::Decide => error,
            _ => Error::new(Code::QueuePublish, "publish messages").because(error),
        })
    }

    async fn receive(&self, limit: usize) -> Result<Vec<Message>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        self.renew().await?;
        self.fill(limit).await?;
        let mut open = self.held().open(usize::MAX);
        let surplus = open.split_off(limit.min(open.len()));
        let surplus = surplus.into_iter().map(|message| message.id);
        self.release(surplus.collect()).await?;
        Ok(open)
    }

    async fn find(&self, ids: &[String]) -> Result<Vec<Message>> {
        self.renew().await?;
        self.fill(usize::MAX).await?;
        Ok(self.held().found(ids))
    }

    async fn settle(&self, id: &str, outcome: Outcome) -> Result<()> {
        self.settle_all(&[(id.to_owned(), outcome)]).await
    }

    async fn settle_all(&self, outcomes: &[(String, Outcome)]) -> Result<()> {
        self.renew().await?;
        let are_known = {
            let held = self.held();
            outcomes.iter().all(|(id, _)| held.knows(id))
        };
        let before = self.held().ids();
        if !are_known {
            self.fill(usize::MAX).await?;
        }
        let (mut done, mut back) = (Vec::new(), Vec::new());
        {
            let held = self.held();
            for (id, outcome) in outcomes {
                match outcome {
                    Outcome::Failed | Outcome::Released => back.extend(held.ack_ids(id)),
                    Outcome::Done | Outcome::Discarded | Outcome::Forwarded => {
                        done.extend(held.ack_ids(id));
                    }
                }
            }
        }
        // What fails here is held as before, and can be settled again.
        self.api.acknowledge(&done).await?;
        self.api.hold(&back, Duration::ZERO).await?;
        // What was only looked through is for others.
        let looked_through: Vec<String> = {
            let mut held = self.held();
            for (id, outcome) in outcomes {
                match outcome {
                    Outcome::Failed => held.fail(id),
                    Outcome::Released => held.release(id),
                    Outcome::Done | Outcome::Discarded | Outcome::Forwarded => held.settle(id),
                }
            }
            held.ids().difference(&before).cloned().collect()
        };
        self.release(looked_through).await
    }
}

impl fmt::Debug for PubSubQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PubSubQueue")
            .field("topic", &self.api.topic())
            .finish_non_exhaustive()
    }
}
