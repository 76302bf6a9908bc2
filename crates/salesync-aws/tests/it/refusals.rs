//! What moto can't show: refusals, limits and silence, told by a server that answers as a test says. Its answers have
//! the forms of AWS's JSON protocol.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use salesync_aws::{AwsLogin, AwsSecretStore, QueueUrl, SqsQueue};
use salesync_core::error::{Class, Code, Error};
use salesync_core::queue::{Message, Queue};
use salesync_core::secret::SecretStore;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::account::asking;
use crate::wire::read_request;

/// A status, further headers, and a body.
type Answer = (u16, &'static str, &'static str);

const OPENED: Answer = (
    200,
    "",
    r#"{"Attributes":{"MaximumMessageSize":"1048576"}}"#,
);

/// A server that gives these answers, the last one again and again.
struct Scripted {
    origin: String,
    asked: Arc<AtomicUsize>,
}

impl Scripted {
    async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let answer = answers.get(number).or(answers.last());
                say(socket, *answer.unwrap()).await;
            }
        });
        Self { origin, asked }
    }

    async fn login(&self, retries: RetryConfig) -> AwsLogin {
        asking(&self.origin, retries).await.into()
    }

    fn queue(&self) -> QueueUrl {
        queue_at(&self.origin)
    }

    /// Asks the queue about itself; nothing is tried again.
    async fn open(&self) -> Result<SqsQueue, Error> {
        let login = self.login(RetryConfig::disabled()).await;
        asked(login, self.queue()).await
    }

    /// Reads a secret; nothing is tried again.
    async fn secrets(&self) -> AwsSecretStore {
        let login = self.login(RetryConfig::disabled()).await;
        AwsSecretStore::new("us-east-1", "salesync/sales/").with_login(&login)
    }
}

/// Returns a queue that was asked about itself.
async fn asked(login: AwsLogin, url: QueueUrl) -> Result<SqsQueue, Error> {
    let queue = SqsQueue::new(url).with_login(login);
    queue.check().await?;
    Ok(queue)
}

fn queue_at(origin: &str) -> QueueUrl {
    QueueUrl::parse(&format!("{origin}/123456789012/letters")).unwrap()
}

async fn say(mut socket: TcpStream, (status, headers, body): Answer) {
    if read_request(&mut socket).await.is_none() {
        return;
    }
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.0\r\n\
         {headers}content-length: {length}\r\n\r\n{body}"
    );
    socket.write_all(answer.as_bytes()).await.unwrap();
}

fn message(id: &str) -> Message {
    Message {
        id: id.to_owned(),
        body: "{}".to_owned(),
    }
}

#[tokio::test]
async fn a_missing_permission_is_for_a_person_and_names_the_reason_and_not_the_text() {
    const DENIED: Answer = (
        400,
        "x-amzn-requestid: 4711\r\n",
        r#"{"__type":"com.amazonaws#AccessDeniedException","message":"user hunter2 may not"}"#,
    );
    let server = Scripted::start(vec![DENIED]).await;
    let of_queue = server.open().await.unwrap_err();
    let of_secret = server.secrets().await.get("hubspot").await.unwrap_err();
    let of_asking = server.secrets().await.has("hubspot").await.unwrap_err();
    for (error, name) in [
        (of_queue, "letters"),
        (of_secret, "salesync/sales/hubspot"),
        (of_asking, "salesync/sales/hubspot"),
    ] {
        assert_eq!(
            (error.code(), error.class()),
            (Code::ConfigInvalid, Class::Decide)
        );
        let text = error.to_string();
        for part in ["AccessDeniedException", "4711", name] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_queue_or_secret_that_is_not_there_is_told_apart_from_one_that_may_not_be_read() {
    const MISSING: Answer = (
        400,
        "x-amzn-query-error: AWS.SimpleQueueService.NonExistentQueue;Sender\r\n",
        r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"none"}"#,
    );
    let server = Scripted::start(vec![MISSING]).await;
    let error = server.open().await.unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid, "{error}");
    const ABSENT: Answer = (
        400,
        "",
        r#"{"__type":"ResourceNotFoundException","Message":"none"}"#,
    );
    let server = Scripted::start(vec![ABSENT]).await;
    assert!(!server.secrets().await.has("hubspot").await.unwrap());
}

#[tokio::test]
async fn who_asks_too_fast_is_told_how_long_to_wait() {
    const THROTTLED: &str = r#"{"__type":"ThrottlingException","message":"slow down"}"#;
    let server = Scripted::start(vec![
        OPENED,
        (400, "", THROTTLED),
        (400, "x-amz-retry-after: 3500\r\n", THROTTLED),
    ])
    .await;
    let queue = server.open().await.unwrap();
    for wait_ms in [2_000, 3_500] {
        let error = queue.publish(&[message("one")]).await.unwrap_err();
        assert_eq!(
            (error.code(), error.class()),
            (Code::QueuePublish, Class::Retry)
        );
        assert_eq!(error.retry_after(), Some(Duration::from_millis(wait_ms)));
    }
    let error = queue.receive(1).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnavailable);
    assert_eq!(error.retry_after(), Some(Duration::from_millis(3_500)));
}

#[tokio::test]
async fn what_may_heal_is_sent_again_four_times_at_most() {
    const BUSY: Answer = (503, "", "<html>busy</html>");
    let retries = || {
        RetryConfig::standard()
            .with_max_attempts(4)
            .with_initial_backoff(Duration::from_millis(1))
    };
    let healing = Scripted::start(vec![BUSY, BUSY, OPENED]).await;
    let login = healing.login(retries()).await;
    asked(login, healing.queue()).await.unwrap();
    assert_eq!(healing.asked.load(Ordering::SeqCst), 3);
    let lasting = Scripted::start(vec![BUSY]).await;
    let login = lasting.login(retries()).await;
    let error = asked(login, lasting.queue()).await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnavailable, "{error}");
    assert_eq!(lasting.asked.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn one_message_of_a_batch_that_was_not_taken_is_an_error() {
    const PARTLY: Answer = (
        200,
        "",
        r#"{"Successful":[],"Failed":[{"Id":"0","SenderFault":false,"Code":"InternalError"}]}"#,
    );
    let server = Scripted::start(vec![OPENED, PARTLY]).await;
    let queue = server.open().await.unwrap();
    let error = queue.publish(&[message("one")]).await.unwrap_err();
    assert_eq!(error.code(), Code::QueuePublish, "{error}");
}

#[tokio::test]
async fn where_nobody_answers_the_next_run_tries_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let login: AwsLogin = asking(&origin, RetryConfig::disabled()).await.into();
    let error = asked(login, queue_at(&origin)).await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnavailable, "{error}");
}

/// Someone without any login.
#[derive(Debug)]
struct NoKeys;

impl ProvideCredentials for NoKeys {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded_no_source()))
    }
}

#[tokio::test]
async fn without_credentials_a_person_reads_what_to_set() {
    let server = Scripted::start(vec![OPENED]).await;
    let config = asking(&server.origin, RetryConfig::disabled()).await;
    let keys = aws_sdk_sqs::config::SharedCredentialsProvider::new(NoKeys);
    let config = config.into_builder().credentials_provider(keys).build();
    let error = asked(config.into(), server.queue()).await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid, "{error}");
    assert!(error.to_string().contains("AWS_PROFILE"), "{error}");
    assert_eq!(server.asked.load(Ordering::SeqCst), 0);
}
