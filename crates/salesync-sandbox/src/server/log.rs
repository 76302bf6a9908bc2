//! The log of requests.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};

use crate::{dialpad, gmail};

/// How many requests are kept.
const KEPT_MAX: usize = 20_000;
/// How much of a body is kept, in bytes.
const BODY_KEPT_MAX: usize = 8_192;

/// What kind of request it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestClass {
    /// A token was asked for.
    Login,
    /// Fields or properties were described, or objects or versions listed.
    Describe,
    /// A page of HubSpot's list.
    List,
    /// A page of HubSpot's list of archived records.
    Archived,
    /// A page of HubSpot's search.
    Search,
    /// A page of a Salesforce query.
    Query,
    /// A page of a Salesforce query that includes deleted records.
    QueryAll,
    /// A page behind a Salesforce query locator.
    QueryMore,
    /// One record.
    Record,
    /// A HubSpot batch of records.
    Batch,
    /// HubSpot associations.
    Associations,
    /// HubSpot owners.
    Owners,
    /// HubSpot pipelines.
    Pipelines,
    /// Salesforce's log of deletions.
    Deleted,
    /// Limits or account details.
    Limits,
    /// A page of Gmail's list of messages.
    GmailList,
    /// One message of Gmail's, or one of its attachments.
    GmailGet,
    /// A page of Gmail's list of threads.
    GmailThreads,
    /// One thread of Gmail's.
    GmailThread,
    /// A page of a mailbox's history.
    GmailHistory,
    /// A mailbox's labels.
    GmailLabels,
    /// A mailbox's profile.
    GmailProfile,
    /// Several of Gmail's calls in one request.
    GmailBatch,
    /// A page of Dialpad's calls.
    DialpadCalls,
    /// One call of Dialpad, or its recap.
    DialpadCall,
    /// Dialpad's contacts.
    DialpadContacts,
    /// Dialpad's users.
    DialpadUsers,
    /// Dialpad's offices, departments, call centers and numbers.
    DialpadPlaces,
    /// A transcript of a call of Dialpad.
    DialpadTranscript,
    /// An export of Dialpad's statistics was asked for.
    DialpadExport,
    /// Whether an export of Dialpad's is ready, or the file itself.
    DialpadExportResult,
    /// Anything else.
    Other,
}

impl RequestClass {
    /// Tells the class from method and path.
    pub(super) fn of(method: &str, path: &str, archived: bool) -> Self {
        let post = method == "POST";
        let ends = |tail: &str| path.ends_with(tail);
        let has = |part: &str| path.contains(part);
        if let Some(class) = gmail::class(path).or_else(|| dialpad::class(method, path)) {
            return class;
        }
        match path {
            _ if ends("/token") => RequestClass::Login,
            _ if has("/associations/") => RequestClass::Associations,
            _ if has("/properties") || ends("/describe") || ends("/sobjects") => {
                RequestClass::Describe
            }
            _ if ends("/services/data") || ends("/services/data/") => RequestClass::Describe,
            _ if ends("/search") && post => RequestClass::Search,
            _ if ends("/batch/read") => RequestClass::Batch,
            _ if has("/owners") => RequestClass::Owners,
            _ if has("/pipelines") => RequestClass::Pipelines,
            _ if ends("/deleted") || ends("/deleted/") => RequestClass::Deleted,
            _ if ends("/limits") || has("/account-info/") => RequestClass::Limits,
            _ if ends("/query") || ends("/query/") => RequestClass::Query,
            _ if ends("/queryAll") || ends("/queryAll/") => RequestClass::QueryAll,
            _ if has("/query/") || has("/queryAll/") => RequestClass::QueryMore,
            _ if has("/crm/v3/objects/") || has("/crm/objects/") => {
                match path.trim_end_matches('/').split('/').count() {
                    6 if has("/crm/v3/") => RequestClass::Record,
                    6.. if !has("/crm/v3/") => RequestClass::Record,
                    _ if archived => RequestClass::Archived,
                    _ => RequestClass::List,
                }
            }
            _ => RequestClass::Other,
        }
    }
}

/// One request that the sandbox answered.
#[derive(Debug, Clone)]
pub struct RequestSeen {
    /// `GET`, `POST` ….
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, without the question mark.
    pub query: String,
    /// The first 8 KiB of the body; empty for logins.
    pub body: String,
    /// When it came, by the sandbox's clock.
    pub at: DateTime<Utc>,
    /// The status of the answer; 0 where the connection was cut on purpose.
    pub status: u16,
    /// What kind of request it was.
    pub class: RequestClass,
}

/// The requests seen, bounded.
#[derive(Debug, Default)]
pub(crate) struct Log {
    kept: VecDeque<RequestSeen>,
    counts: BTreeMap<RequestClass, u64>,
}

impl Log {
    /// Adds a request.
    pub(crate) fn add(&mut self, mut seen: RequestSeen) {
        let cut = seen.body.floor_char_boundary(BODY_KEPT_MAX);
        seen.body.truncate(cut);
        let count = self.counts.entry(seen.class).or_default();
        *count = count.saturating_add(1);
        if self.kept.len() >= KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(seen);
    }

    /// The requests kept, oldest first.
    pub(crate) fn requests(&self) -> Vec<RequestSeen> {
        self.kept.iter().cloned().collect()
    }

    /// How many requests of each class came.
    pub(crate) fn counts(&self) -> BTreeMap<RequestClass, u64> {
        self.counts.clone()
    }

    /// Forgets everything.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}
