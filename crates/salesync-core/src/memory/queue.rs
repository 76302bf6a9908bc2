//! A queue in memory.

use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::error::Result;
use crate::queue::{MAX_ATTEMPTS, Message, Outcome, Queue, RECEIVED_BYTES};

/// A queue that lives as long as the process.
#[derive(Debug, Default)]
pub struct MemoryQueue {
    messages: Mutex<Vec<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    message: Message,
    attempt: u32,
    settled: bool,
    forwarded: bool,
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn publish(&self, messages: &[Message]) -> Result<()> {
        let mut waiting = lock(&self.messages);
        for message in messages {
            if !waiting.iter().any(|known| known.message.id == message.id) {
                waiting.push(Waiting {
                    message: message.clone(),
                    attempt: 0,
                    settled: false,
                    forwarded: false,
                });
            }
        }
        Ok(())
    }

    async fn receive(&self, limit: usize) -> Result<Vec<Message>> {
        let waiting = lock(&self.messages);
        let open = waiting
            .iter()
            .filter(|w| !w.settled && !w.forwarded && w.attempt < MAX_ATTEMPTS);
        let mut size_bytes = 0;
        let fitting = open.take(limit).take_while(|waiting| {
            let fits = size_bytes < RECEIVED_BYTES;
            size_bytes += waiting.message.body.len();
            fits
        });
        Ok(fitting.map(|w| w.message.clone()).collect())
    }

    async fn find(&self, ids: &[String]) -> Result<Vec<Message>> {
        let waiting = lock(&self.messages);
        let meant = |w: &&Waiting| !w.settled && ids.iter().any(|id| w.message.id.starts_with(id));
        Ok(waiting
            .iter()
            .filter(meant)
            .map(|w| w.message.clone())
            .collect())
    }

    async fn settle(&self, id: &str, outcome: Outcome) -> Result<()> {
        let mut waiting = lock(&self.messages);
        if let Some(found) = waiting
            .iter_mut()
            .find(|w| w.message.id == id && !w.settled)
        {
            match outcome {
                Outcome::Failed => found.attempt += 1,
                Outcome::Done | Outcome::Discarded => found.settled = true,
                Outcome::Forwarded => found.forwarded = true,
                Outcome::Released => {}
            }
        }
        Ok(())
    }
}
