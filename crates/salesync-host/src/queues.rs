//! Which queues beside the warehouse the settings name.

use std::sync::Arc;

use salesync_aws::{QueueUrl, SqsQueue};
use salesync_core::error::Result;
use salesync_core::queue::Queue;
use salesync_core::time::Timestamp;
use salesync_gcp::{PubSubPlace, PubSubQueue, PubSubSettings};

use crate::settings::{PUBSUB_EMULATOR, emulator, wrong};

const RULE: &str = "its default; pubsub:PROJECT/TOPIC, perhaps with /SUBSCRIPTION; or sqs:QUEUE_URL with a URL such as \
                    https://sqs.eu-west-1.amazonaws.com/123456789012/letters";

/// A queue of a cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum QueueChoice {
    /// A topic of Pub/Sub.
    PubSub {
        place: PubSubPlace,
        /// The origin of an emulator.
        emulator: Option<String>,
    },
    /// A queue of SQS.
    Sqs(QueueUrl),
}

impl QueueChoice {
    /// Reads the setting of that name; `none` are the texts that choose no queue.
    ///
    /// # Errors
    /// `ERR_CONFIG_INVALID` with the setting's name.
    pub(crate) fn parse<'a>(
        name: &'static str,
        none: &[&str],
        get: &dyn Fn(&str) -> &'a str,
    ) -> Result<Option<Self>> {
        let emulator = emulator(PUBSUB_EMULATOR, get(PUBSUB_EMULATOR))?;
        let text = get(name);
        if none.contains(&text) {
            return Ok(None);
        }
        let choice = match text.split_once(':') {
            Some(("pubsub", place)) => {
                PubSubPlace::parse(place).map(|place| Self::PubSub { place, emulator })
            }
            Some(("sqs", url)) => QueueUrl::parse(url).map(Self::Sqs),
            _ => None,
        };
        match choice {
            Some(choice) => Ok(Some(choice)),
            None => Err(wrong(name, RULE)),
        }
    }

    /// Opens the queue; nothing is asked yet.
    ///
    /// # Errors
    /// Where there is no login to be had.
    pub(crate) fn open(&self, now: Timestamp) -> Result<Arc<dyn Queue>> {
        match self {
            Self::PubSub { place, emulator } => Ok(Arc::new(pubsub((place, emulator), now)?)),
            Self::Sqs(url) => Ok(Arc::new(SqsQueue::new(url.clone()))),
        }
    }

    /// Opens the queue as the one that delivers what `home` keeps: what is too large for it is read there.
    ///
    /// # Errors
    /// As [`QueueChoice::open`].
    pub(crate) fn open_beside(
        &self,
        home: &Arc<dyn Queue>,
        now: Timestamp,
    ) -> Result<Arc<dyn Queue>> {
        match self {
            Self::PubSub { .. } => self.open(now),
            Self::Sqs(url) => {
                let queue = SqsQueue::new(url.clone()).beside(Arc::clone(home));
                Ok(Arc::new(queue))
            }
        }
    }

    /// Asks whether we may publish to the queue, as far as that can be asked without publishing.
    ///
    /// # Errors
    /// Where we may not, or the queue is not there or does not answer.
    pub(crate) async fn check_publishing(&self, now: Timestamp) -> Result<()> {
        match self {
            Self::PubSub { place, emulator } => {
                pubsub((place, emulator), now)?.check_publishing().await
            }
            Self::Sqs(url) => SqsQueue::new(url.clone()).check().await,
        }
    }

    /// Asks whether we may publish to the queue and receive from it.
    ///
    /// # Errors
    /// As [`QueueChoice::check_publishing`].
    pub(crate) async fn check(&self, now: Timestamp) -> Result<()> {
        self.check_publishing(now).await?;
        match self {
            Self::PubSub { place, emulator } => {
                pubsub((place, emulator), now)?.check_receiving().await
            }
            Self::Sqs(_) => Ok(()),
        }
    }
}

fn pubsub(
    (place, emulator): (&PubSubPlace, &Option<String>),
    now: Timestamp,
) -> Result<PubSubQueue> {
    PubSubQueue::new(&PubSubSettings {
        emulator: emulator.clone(),
        ..PubSubSettings::new(place.clone(), now)
    })
}
