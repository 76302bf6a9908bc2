//! A queue that delivers at least once: dead letters and notifications travel on it.

use std::fmt;

use async_trait::async_trait;

use crate::error::Result;

/// How often a message may fail before it is parked.
pub const MAX_ATTEMPTS: u32 = 3;

/// How many bytes of bodies one call receives at most, or a little more than that, and never less than one message: a
/// letter holds its record whole.
pub const RECEIVED_BYTES: usize = 32 * 1024 * 1024;

/// A message on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The message's id; publishing the same id twice is publishing once where the queue can tell.
    pub id: String,
    /// JSON.
    pub body: String,
}

/// What became of a message that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is done with, and goes.
    Done,
    /// It failed and is delivered again; after [`MAX_ATTEMPTS`] it is parked.
    Failed,
    /// Nobody wants it, and it goes.
    Discarded,
    /// Another queue delivers it from here on. A log keeps it, still to be found by name and to be settled, and no
    /// longer delivers it by itself; in any other queue it goes.
    Forwarded,
    /// Nobody worked on it: it is delivered again at once, and no failure is counted.
    Released,
}

/// A queue. Every implementation passes the contract suite of `salesync-testkit`;
/// [`crate::memory::MemoryQueue`] defines the meaning.
#[async_trait]
pub trait Queue: Send + Sync + fmt::Debug {
    /// Makes messages durable. May be repeated.
    ///
    /// # Errors
    /// `ERR_QUEUE_PUBLISH`.
    async fn publish(&self, messages: &[Message]) -> Result<()>;

    /// Returns up to `limit` waiting messages, the oldest first, or fewer where they are large ([`RECEIVED_BYTES`]). They
    /// stay until they are settled.
    ///
    /// # Errors
    /// `ERR_STORE_UNAVAILABLE`.
    async fn receive(&self, limit: usize) -> Result<Vec<Message>>;

    /// Returns the messages whose id is one of these or begins with it, waiting or parked, each once. They stay
    /// until they are settled.
    ///
    /// # Errors
    /// `ERR_STORE_UNAVAILABLE`.
    async fn find(&self, ids: &[String]) -> Result<Vec<Message>>;

    /// Says what became of a message, waiting or parked. May be repeated.
    ///
    /// # Errors
    /// `ERR_STORE_UNAVAILABLE`.
    async fn settle(&self, id: &str, outcome: Outcome) -> Result<()>;

    /// Says what became of many messages, as [`Queue::settle`] does of each, in fewer requests where the queue has
    /// them. May be repeated, also after an error, which leaves some of them settled.
    ///
    /// # Errors
    /// `ERR_STORE_UNAVAILABLE`.
    async fn settle_all(&self, outcomes: &[(String, Outcome)]) -> Result<()> {
        for (id, outcome) in outcomes {
            self.settle(id, *outcome).await?;
        }
        Ok(())
    }
}
