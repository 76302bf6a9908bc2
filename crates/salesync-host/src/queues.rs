//! Which queues beside the warehouse the settings name.

use std::sync::Arc;

use async_trait::async_trait;
use salesync_aws::{QueueUrl, SqsQueue};
use salesync_core::error::Result;
use salesync_core::queue::{Outcome, Queue};

use crate::settings::wrong;

const RULE: &str = "its default, or sqs:QUEUE_URL with a URL such as \
                    https://sqs.eu-west-1.amazonaws.com/123456789012/letters";

/// A queue with copies of what another one holds.
#[async_trait]
pub(crate) trait Copies: Queue {
    /// Says what became of many messages at once. May be repeated.
    ///
    /// # Errors
    /// Where the queue does not answer.
    async fn settle_all(&self, outcomes: &[(String, Outcome)]) -> Result<()>;
}

#[async_trait]
impl Copies for SqsQueue {
    async fn settle_all(&self, outcomes: &[(String, Outcome)]) -> Result<()> {
        SqsQueue::settle_all(self, outcomes).await
    }
}

/// A queue of a cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum QueueChoice {
    /// A queue of SQS.
    Sqs(QueueUrl),
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
        let text = get(name);
        if text == none {
            return Ok(None);
        }
        match text.split_once(':') {
            Some(("sqs", url)) => QueueUrl::parse(url)
                .map(|url| Some(Self::Sqs(url)))
                .ok_or_else(|| wrong(name, RULE)),
            _ => Err(wrong(name, RULE)),
        }
    }

    /// Opens the queue.
    ///
    /// # Errors
    /// Where the queue is not there, may not be used or does not answer.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Queue>> {
        match self {
            Self::Sqs(url) => Ok(Arc::new(SqsQueue::open(url).await?)),
        }
    }

    /// Opens the queue for copies of what `home` has: what is too large for it is read there.
    ///
    /// # Errors
    /// As [`QueueChoice::open`].
    pub(crate) async fn open_beside(&self, home: Arc<dyn Queue>) -> Result<Arc<dyn Copies>> {
        match self {
            Self::Sqs(url) => Ok(Arc::new(SqsQueue::open(url).await?.spilling_to(home))),
        }
    }

    /// Asks whether the queue is there and may be looked at.
    ///
    /// # Errors
    /// As [`QueueChoice::open`].
    pub(crate) async fn check(&self) -> Result<()> {
        match self {
            Self::Sqs(url) => SqsQueue::open(url).await.map(drop),
        }
    }
}
