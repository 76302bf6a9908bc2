//! Dead letters that a queue delivers to a function, many at once: each is sent through again, and what became of each
//! is known by its id.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use salesync_core::dead_letter::DeadLetter;
use salesync_core::error::Result;
use salesync_core::queue::{Message, Outcome, Queue};

use crate::context::Context;
use crate::handle::send_through;

/// Sends letters through again and returns what became of each, by its id. A letter without an outcome was not tried:
/// its source could not be asked, and it comes again.
///
/// # Errors
/// Where the warehouse can't be opened.
pub(crate) async fn redrive_delivered(
    cx: &Context,
    letters: Vec<DeadLetter>,
) -> Result<BTreeMap<String, Outcome>> {
    let caller = cx.trace.as_ref();
    let work = Box::pin(redrive(cx, letters));
    cx.telemetry.around(("redrive", caller), work).await
}

async fn redrive(cx: &Context, letters: Vec<DeadLetter>) -> Result<BTreeMap<String, Outcome>> {
    let stores = cx.stores().await?;
    let noting = Noting {
        home: Arc::clone(&stores.dead_letters),
        outcomes: Mutex::default(),
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
