//! The AWS that tests ask: moto, which `scripts/test.sh` starts.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_sqs::types::QueueAttributeName;
use salesync_aws::{AwsLogin, QueueUrl, SqsQueue};

static NAMES: AtomicU32 = AtomicU32::new(0);

/// Returns a name that no other test has.
pub(crate) fn new_name(begin: &str) -> String {
    let number = NAMES.fetch_add(1, Ordering::Relaxed);
    format!("{begin}-{}-{number}", std::process::id())
}

/// Returns a configuration that asks this origin, with keys that no one checks.
pub(crate) async fn asking(origin: &str, retries: RetryConfig) -> SdkConfig {
    let chain = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .endpoint_url(origin)
        .retry_config(retries)
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"));
    Box::pin(chain.load()).await
}

/// An account at moto.
pub(crate) struct Account(SdkConfig);

impl Account {
    /// Returns the account; none where no moto is there, which is said.
    pub(crate) async fn here() -> Option<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "where tests ask is no setting of the program"
        )]
        let origin = std::env::var("SALESYNC_TEST_AWS").ok();
        let Some(origin) = origin.filter(|text| !text.is_empty()) else {
            eprintln!("passed over: SALESYNC_TEST_AWS names no moto");
            return None;
        };
        Some(Self(asking(&origin, RetryConfig::standard()).await))
    }

    pub(crate) fn login(&self) -> AwsLogin {
        self.0.clone().into()
    }

    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.0)
    }

    pub(crate) fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.0)
    }

    /// Makes a queue that takes a message twice and moves nothing; returns its URL.
    pub(crate) async fn make_queue(&self, most_bytes: usize) -> QueueUrl {
        let made = self
            .sqs()
            .create_queue()
            .queue_name(new_name("queue"))
            .attributes(
                QueueAttributeName::MaximumMessageSize,
                most_bytes.to_string(),
            )
            .send()
            .await
            .unwrap();
        QueueUrl::parse(made.queue_url().unwrap()).unwrap()
    }

    /// Makes a queue that knows messages again and moves those to another one that were received so often; returns both
    /// URLs.
    pub(crate) async fn make_moving_queue(&self, most_receives: u32) -> (QueueUrl, QueueUrl) {
        let name = new_name("queue");
        let parked = self.make_fifo(&format!("{name}-parked.fifo"), None).await;
        let attributes = self.attributes(&parked).await;
        let arn = &attributes[&QueueAttributeName::QueueArn];
        let policy = format!(
            "{{\"deadLetterTargetArn\":\"{arn}\",\"maxReceiveCount\":\"{most_receives}\"}}"
        );
        let queue = self.make_fifo(&format!("{name}.fifo"), Some(policy)).await;
        (queue, parked)
    }

    async fn make_fifo(&self, name: &str, policy: Option<String>) -> QueueUrl {
        let client = self.sqs();
        let request = client
            .create_queue()
            .queue_name(name)
            .attributes(QueueAttributeName::FifoQueue, "true");
        let request = match policy {
            Some(policy) => request.attributes(QueueAttributeName::RedrivePolicy, policy),
            None => request,
        };
        let made = request.send().await.unwrap();
        QueueUrl::parse(made.queue_url().unwrap()).unwrap()
    }

    async fn attributes(&self, queue: &QueueUrl) -> HashMap<QueueAttributeName, String> {
        let answer = self
            .sqs()
            .get_queue_attributes()
            .queue_url(queue.as_str())
            .attribute_names(QueueAttributeName::All)
            .send()
            .await
            .unwrap();
        answer.attributes().unwrap().clone()
    }

    /// Returns how many messages a queue holds, those in somebody's hand too.
    pub(crate) async fn count(&self, queue: &QueueUrl) -> u32 {
        let attributes = self.attributes(queue).await;
        let of = |name: QueueAttributeName| attributes[&name].parse::<u32>().unwrap();
        of(QueueAttributeName::ApproximateNumberOfMessages)
            + of(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
    }

    pub(crate) fn open(&self, queue: &QueueUrl) -> SqsQueue {
        SqsQueue::new(queue.clone()).with_login(self.login())
    }
}
