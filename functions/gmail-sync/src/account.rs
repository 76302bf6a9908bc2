//! A mailbox and its labels as rows: they are read together, and a label that is no longer among them is gone.

use std::borrow::Cow;

use salesync_core::error::Code;
use salesync_core::record::{Reject, Value};
use salesync_core::source::TableChange;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::decode::{change, text, version};
use crate::record::Account;
use crate::tables::{LABELS, MAILBOXES};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile<'a> {
    #[serde(borrow)]
    email_address: Option<Cow<'a, str>>,
    messages_total: Option<i64>,
    threads_total: Option<i64>,
    #[serde(borrow)]
    history_id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Label<'a> {
    id: String,
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    message_list_visibility: Option<String>,
    label_list_visibility: Option<String>,
    #[serde(borrow)]
    color: Option<&'a RawValue>,
}

/// Decodes a mailbox's profile and labels.
pub(crate) fn decode<'a>(
    mailbox: &str,
    account: &Account<'_>,
) -> Result<Vec<TableChange<'a>>, Reject> {
    let rule = "a profile is JSON of the documented shape";
    let malformed = |_| Reject::new(Code::RecordMalformed, rule).of_record(mailbox);
    let profile: Profile<'_> = serde_json::from_str(account.profile.get()).map_err(malformed)?;
    let version =
        version(profile.history_id.as_deref()).map_err(|reject| reject.of_record(mailbox))?;
    let count = |count: Option<i64>| count.map_or(Value::Null, Value::Int);
    let values = vec![
        text(Some(mailbox)),
        text(profile.email_address.as_deref()),
        count(profile.messages_total),
        count(profile.threads_total),
        text(profile.history_id.as_deref()),
    ];
    let mut changes = vec![TableChange {
        table: MAILBOXES,
        change: change(mailbox.to_owned(), version, values),
    }];
    for raw in &account.labels {
        let rule = "a label is JSON of the documented shape";
        let malformed = |_| Reject::new(Code::RecordMalformed, rule).of_record(mailbox);
        let label: Label<'_> = serde_json::from_str(raw.get()).map_err(malformed)?;
        let values = vec![
            text(Some(mailbox)),
            text(label.name.as_deref()),
            text(label.kind.as_deref()),
            text(label.message_list_visibility.as_deref()),
            text(label.label_list_visibility.as_deref()),
            text(label.color.map(RawValue::get)),
        ];
        changes.push(TableChange {
            table: LABELS,
            change: change(label.id, version, values),
        });
    }
    Ok(changes)
}
