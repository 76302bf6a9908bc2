//! Which queues beside the warehouse the settings name.

use std::sync::Arc;

use salesync_core::error::Result;
use salesync_core::queue::Queue;
use salesync_core::time::Timestamp;
use salesync_gcp::{PubSubPlace, PubSubQueue, PubSubSettings};

use crate::settings::{PUBSUB_EMULATOR, emulator, wrong};

/// A queue of a cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum QueueChoice {
    /// A topic of Pub/Sub.
    PubSub {
        place: PubSubPlace,
        /// The origin of an emulator.
        emulator: Option<String>,
    },
}

impl QueueChoice {
    /// Reads the setting of that name; `none` is the text that chooses no queue.
    ///
    /// # Errors
    /// `ERR_CONFIG_INVALID` with the setting's name.
    pub(crate) fn parse<'a>(
        name: &'static str,
        none: &str,
        get: &impl Fn(&str) -> &'a str,
    ) -> Result<Option<Self>> {
        let emulator = emulator(PUBSUB_EMULATOR, get(PUBSUB_EMULATOR))?;
        let text = get(name);
        if text == none {
            return Ok(None);
        }
        let rule = "pubsub:PROJECT/TOPIC, or pubsub:PROJECT/TOPIC/SUBSCRIPTION";
        match text.split_once(':') {
            Some(("pubsub", place)) => PubSubPlace::parse(place)
                .map(|place| Some(Self::PubSub { place, emulator }))
                .ok_or_else(|| wrong(name, rule)),
            _ => Err(wrong(name, rule)),
        }
    }

    /// Opens the queue; nothing is asked yet.
    ///
    /// # Errors
    /// Where there is no login to be had.
    pub(crate) fn open(&self, now: Timestamp) -> Result<Arc<dyn Queue>> {
        Ok(Arc::new(self.pubsub(now)?))
    }

    /// Asks whether we may publish to the queue.
    ///
    /// # Errors
    /// Where we may not, or the queue is not there or does not answer.
    pub(crate) async fn check_publishing(&self, now: Timestamp) -> Result<()> {
        self.pubsub(now)?.check_publishing().await
    }

    /// Asks whether we may publish to the queue and receive from it.
    ///
    /// # Errors
    /// As [`QueueChoice::check_publishing`].
    pub(crate) async fn check(&self, now: Timestamp) -> Result<()> {
        let queue = self.pubsub(now)?;
        queue.check_publishing().await?;
        queue.check_receiving().await
    }

    fn pubsub(&self, now: Timestamp) -> Result<PubSubQueue> {
        match self {
            Self::PubSub { place, emulator } => PubSubQueue::new(&PubSubSettings {
                emulator: emulator.clone(),
                ..PubSubSettings::new(place.clone(), now)
            }),
        }
    }
}
