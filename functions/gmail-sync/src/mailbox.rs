//! The requests to one mailbox, each with its price.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use salesync_core::error::{Code, Error, Result};
use salesync_core::retry::{MAX_RETRIES, wait_before};
use salesync_core::time::Timestamp;
use salesync_http::{Client, Expected, Request, segment};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::batch::{self, Part};
use crate::client::{BATCH, GO_ON_HISTORY, GO_ON_LISTING, Meaning, READ_HISTORY, meaning};
use crate::quota::{Quota, UNITS};
use crate::settings::Bodies;

/// The headers that rows are made of; the others are not sent where only headers are asked for.
const HEADERS: [&str; 11] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
];
/// The most that Gmail lists on a page.
const PAGE: u32 = 500;

/// One mailbox, and how to ask for what is in it.
pub(crate) struct Mailbox {
    pub(crate) address: String,
    pub(crate) http: Client,
    pub(crate) quota: Quota,
    pub(crate) bodies: Bodies,
}

/// What a mailbox says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) raw: Box<RawValue>,
    pub(crate) address: String,
    pub(crate) messages_total: u64,
    pub(crate) history_id: u64,
    /// When it was asked.
    pub(crate) read_at: Timestamp,
}

/// The name of a message and of the thread that it is in. Neither ever changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Name {
    pub(crate) id: String,
    pub(crate) thread_id: String,
}

/// A page of the mailbox's messages.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listed {
    /// Absent where there are none.
    #[serde(default)]
    pub(crate) messages: Vec<Name>,
    #[serde(default)]
    pub(crate) next_page_token: Option<String>,
}

/// A page of the mailbox's history.
pub(crate) struct HistoryPage {
    pub(crate) records: Vec<Box<RawValue>>,
    pub(crate) next_page_token: Option<String>,
    pub(crate) history_id: u64,
    pub(crate) read_at: Timestamp,
}

/// Something to get.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    Message(String),
    Thread(String),
}

impl Mailbox {
    /// Asks what the mailbox says of itself.
    pub(crate) async fn profile(&self) -> Result<Profile> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape {
            email_address: String,
            messages_total: u64,
            history_id: String,
        }
        let request = Request::get(
            "read a mailbox's profile",
            "/gmail/v1/users/me/profile",
            UNITS,
        )
        .costing(Quota::PROFILE);
        self.http
            .read(&request, |answer| {
                let shape: Shape = answer.json()?;
                Ok(Profile {
                    raw: answer.json()?,
                    address: shape.email_address.to_lowercase(),
                    messages_total: shape.messages_total,
                    history_id: number(&shape.history_id)
                        .ok_or_else(|| answer.error(Code::SourcePageShape))?,
                    read_at: answer.sent_at,
                })
            })
            .await
    }

    /// Asks for the mailbox's labels.
    pub(crate) async fn labels(&self) -> Result<Vec<Box<RawValue>>> {
        #[derive(Deserialize)]
        struct Shape {
            #[serde(default)]
            labels: Vec<Box<RawValue>>,
        }
        let request =
            Request::get("list labels", "/gmail/v1/users/me/labels", UNITS).costing(Quota::LABELS);
        let shape: Shape = self.http.read(&request, |answer| answer.json()).await?;
        Ok(shape.labels)
    }

    /// Asks for a page of the mailbox's messages, those in spam and trash too, the newest first.
    pub(crate) async fn list(&self, token: Option<&str>) -> Result<Listed> {
        let operation = if token.is_some() {
            GO_ON_LISTING
        } else {
            "list messages"
        };
        let mut request = Request::get(operation, "/gmail/v1/users/me/messages", UNITS)
            .costing(Quota::LIST)
            .query("maxResults", PAGE)
            .query("includeSpamTrash", "true");
        if let Some(token) = token {
            request = request.query("pageToken", token);
        }
        self.http.read(&request, |answer| answer.json()).await
    }

    /// Lists all of the mailbox's messages. A page token that dies begins the listing anew, once.
    pub(crate) async fn list_all(&self) -> Result<Vec<Name>> {
        let mut restarts = 0;
        let (mut names, mut token) = (Vec::new(), None);
        loop {
            let listed = match self.list(token.as_deref()).await {
                Err(error) if error.code() == Code::SourceCursorExpired && restarts == 0 => {
                    restarts += 1;
                    names.clear();
                    token = None;
                    continue;
                }
                // Only a history has a beginning that can be too old.
                Err(error) if error.code() == Code::SourceCursorExpired => {
                    return Err(Error::new(Code::SourceRefused, "list messages").because(error));
                }
                listed => listed?,
            };
            names.extend(listed.messages);
            match listed.next_page_token.filter(|next| !next.is_empty()) {
                None => return Ok(names),
                Some(next) if token.as_ref() == Some(&next) => {
                    return Err(Error::new(Code::SourcePageLoop, "list messages"));
                }
                next => token = next,
            }
        }
    }

    /// Asks for a page of what happened after `start`.
    ///
    /// # Errors
    /// [`Code::SourceCursorExpired`] where that is too long ago, or where the page token has died.
    pub(crate) async fn history(&self, start: u64, token: Option<&str>) -> Result<HistoryPage> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape {
            /// Absent where nothing happened.
            #[serde(default)]
            history: Vec<Box<RawValue>>,
            #[serde(default)]
            next_page_token: Option<String>,
            history_id: String,
        }
        let operation = if token.is_some() {
            GO_ON_HISTORY
        } else {
            READ_HISTORY
        };
        let mut request = Request::get(operation, "/gmail/v1/users/me/history", UNITS)
            .costing(Quota::HISTORY)
            .query("startHistoryId", start)
            .query("maxResults", PAGE);
        if let Some(token) = token {
            request = request.query("pageToken", token);
        }
        self.http
            .read(&request, |answer| {
                let shape: Shape = answer.json()?;
                let history_id = number(&shape.history_id);
                Ok(HistoryPage {
                    records: shape.history,
                    next_page_token: shape.next_page_token.filter(|token| !token.is_empty()),
                    history_id: history_id.ok_or_else(|| answer.error(Code::SourcePageShape))?,
                    read_at: answer.sent_at,
                })
            })
            .await
    }

    /// Gets messages and threads; what the mailbox no longer has is `None`. Calls that fail inside a batch are
    /// made again, alone; what is not there is asked for twice, since nothing would bring a message back that is
    /// once taken for deleted.
    pub(crate) async fn get(&self, asks: &[Ask]) -> Result<HashMap<Ask, Option<Bytes>>> {
        let mut got = HashMap::with_capacity(asks.len());
        self.get_into(&mut got, asks).await?;
        let gone = asks.iter().filter(|ask| matches!(got.get(ask), Some(None)));
        let gone: Vec<Ask> = gone.cloned().collect();
        self.get_into(&mut got, &gone).await?;
        Ok(got)
    }

    async fn get_into(&self, got: &mut HashMap<Ask, Option<Bytes>>, asks: &[Ask]) -> Result<()> {
        for asks in self.batches(asks) {
            let mut left = asks;
            let mut retry = 0;
            while !left.is_empty() {
                let (failed, trouble) = self.batch(&left, got).await?;
                if !failed.is_empty() {
                    self.pause(retry, trouble).await?;
                    retry += 1;
                }
                left = failed;
            }
        }
        Ok(())
    }

    /// Cuts what is asked for into batches of even price.
    fn batches(&self, asks: &[Ask]) -> Vec<Vec<Ask>> {
        let mut batches = Vec::new();
        let (mut batch, mut units) = (Vec::new(), 0);
        for ask in asks {
            if units + self.price(ask) > self.quota.batch() && !batch.is_empty() {
                batches.push(std::mem::take(&mut batch));
                units = 0;
            }
            units += self.price(ask);
            batch.push(ask.clone());
        }
        if !batch.is_empty() {
            batches.push(batch);
        }
        batches
    }

    fn price(&self, ask: &Ask) -> u32 {
        match ask {
            Ask::Message(_) => self.quota.message(),
            Ask::Thread(_) => self.quota.thread(),
        }
    }

    /// Makes calls in one request; returns those that failed and may be made again, and the worst of what was
    /// said of them.
    async fn batch(
        &self,
        asks: &[Ask],
        got: &mut HashMap<Ask, Option<Bytes>>,
    ) -> Result<(Vec<Ask>, Trouble)> {
        let targets: Vec<String> = asks.iter().map(|ask| self.target(ask)).collect();
        let units = asks.iter().map(|ask| self.price(ask)).sum();
        let request = Request::post(BATCH, "/batch/gmail/v1", UNITS)
            .costing(units)
            .body(batch::CONTENT_TYPE, batch::compose(&targets))
            .expecting(Expected::Anything);
        let read = |answer: &salesync_http::Answer| Ok((batch::parse(answer)?, answer.answered_at));
        let (mut parts, now) = self.http.read(&request, read).await?;
        let (mut failed, mut trouble) = (Vec::new(), Trouble::default());
        for (number, ask) in asks.iter().enumerate() {
            // A call that was not answered is made again.
            let Some(Part { status, body }) = parts.remove(&number) else {
                failed.push(ask.clone());
                continue;
            };
            match meaning(status, &body, now) {
                Meaning::Good => {
                    got.insert(ask.clone(), Some(body));
                }
                Meaning::Gone => {
                    got.insert(ask.clone(), None);
                }
                Meaning::Throttled(wait) => {
                    trouble.throttled = true;
                    trouble.wait = trouble.wait.max(wait);
                    failed.push(ask.clone());
                }
                Meaning::Failed | Meaning::Expired => failed.push(ask.clone()),
                Meaning::QuotaExhausted => {
                    return Err(Error::new(Code::SourceQuotaExhausted, BATCH));
                }
                Meaning::Refused(code) => {
                    return Err(Error::new(code, BATCH).with("status", status));
                }
            }
        }
        Ok((failed, trouble))
    }

    /// Waits before calls that failed are made again; the whole mailbox waits where they came too fast.
    async fn pause(&self, retry: u32, trouble: Trouble) -> Result<()> {
        let code = if trouble.throttled {
            Code::SourceRateLimited
        } else {
            Code::SourceStatus5xx
        };
        let spent = || Error::new(code, BATCH).with("retries", retry);
        if retry >= MAX_RETRIES {
            return Err(spent());
        }
        let floor = trouble.throttled.then_some(Duration::from_secs(1));
        let Some(wait) = wait_before(retry, trouble.wait.max(floor)) else {
            return Err(spent().after(trouble.wait.unwrap_or_default()));
        };
        if trouble.throttled {
            self.http.hold(UNITS, wait);
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }

    fn target(&self, ask: &Ask) -> String {
        let (kind, id, format) = match ask {
            Ask::Message(id) => ("messages", id, self.bodies.format()),
            Ask::Thread(id) => ("threads", id, self.bodies.format()),
        };
        // Ids are Gmail's own; what would end a path is none of them, and is asked for as it is encoded.
        let id = segment(id);
        let mut target = format!("/gmail/v1/users/me/{kind}/{id}?format={format}");
        if self.bodies == Bodies::Off {
            for header in HEADERS {
                target.push_str("&metadataHeaders=");
                target.push_str(header);
            }
        }
        target
    }

    /// Returns from how many messages on a thread is cheaper as a whole; `None` where it can't be had so.
    pub(crate) fn whole_thread_from(&self) -> Option<usize> {
        // A thread has no raw format.
        (self.bodies != Bodies::Raw).then_some(3)
    }
}

/// What was said of calls that failed.
#[derive(Debug, Default, Clone, Copy)]
struct Trouble {
    throttled: bool,
    wait: Option<Duration>,
}

/// Reads a number that the API writes as a text.
pub(crate) fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}
