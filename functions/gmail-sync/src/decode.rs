//! Turns what was read of a mailbox into rows of its tables.

use std::borrow::Cow;

use salesync_core::error::Code;
use salesync_core::record::{
    Change, Deletion, DeletionReason, MAX_RECORD_BYTES, RawRecord, Reject, Value,
};
use salesync_core::source::TableChange;
use salesync_core::time::Timestamp;
use salesync_core::validate::repaired;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::account;
use crate::mail::{Attachment, Mail, Participant, from_payload, from_raw};
use crate::record::{Gone, LabelChange, Labelled, Sent};
use crate::tables::{ATTACHMENTS, HISTORY, MESSAGE_LABELS, MESSAGES, PARTICIPANTS, THREADS};

/// A message may be this large: as large as Gmail takes in, in base64.
const MESSAGE_BYTES_MAX: usize = 64 * MAX_RECORD_BYTES;

/// A message as the API sends it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    thread_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    history_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    internal_date: Option<Cow<'a, str>>,
    #[serde(default)]
    label_ids: Vec<String>,
    size_estimate: Option<i64>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    #[serde(borrow)]
    raw: Option<Cow<'a, str>>,
    #[serde(borrow)]
    snippet: Option<Cow<'a, str>>,
}

/// A record of the history as the API sends it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub(crate) struct HistoryRecord {
    pub(crate) id: String,
    pub(crate) messages_added: Vec<HistoryEvent>,
    pub(crate) messages_deleted: Vec<HistoryEvent>,
    pub(crate) labels_added: Vec<HistoryEvent>,
    pub(crate) labels_removed: Vec<HistoryEvent>,
}

/// One thing that happened to a message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryEvent {
    pub(crate) message: crate::mailbox::Name,
    #[serde(default)]
    pub(crate) label_ids: Vec<String>,
}

/// Decodes a raw record.
pub(crate) fn decode(raw: &RawRecord) -> Result<Vec<TableChange<'_>>, Reject> {
    let sent: Sent<'_> = raw.parse_within(MESSAGE_BYTES_MAX)?;
    let mailbox = sent.mailbox.into_owned();
    if let Some(raw) = sent.message {
        return message(&mailbox, raw);
    }
    if let Some(it) = sent.unreadable {
        let rule = "a message is JSON";
        return Err(Reject::new(Code::RecordMalformed, rule).of_record(&it.id));
    }
    if let Some(raw) = sent.history {
        return history(&mailbox, raw);
    }
    if let Some(account) = &sent.account {
        return account::decode(&mailbox, account);
    }
    if let Some(it) = sent.gone {
        return gone(mailbox, it);
    }
    if let Some(it) = sent.labelled {
        return labelled(mailbox, it);
    }
    let rule = "a record says what was read of a mailbox";
    Err(Reject::new(Code::RecordMalformed, rule))
}

fn message<'a>(mailbox: &str, raw: &'a RawValue) -> Result<Vec<TableChange<'a>>, Reject> {
    let rule = "a message is JSON of the documented shape";
    let malformed = |_| Reject::new(Code::RecordMalformed, rule);
    let message: Message<'a> = serde_json::from_str(raw.get()).map_err(malformed)?;
    let id = message.id.as_deref().filter(|id| !id.is_empty());
    let rule = "a message has an id";
    let no_id = || Reject::new(Code::RecordNoIdentity, rule).in_field("id");
    let id = id.ok_or_else(no_id)?.to_owned();
    rows(mailbox, &id, message).map_err(|reject| reject.of_record(&id))
}

fn rows(
    mailbox: &str,
    id: &str,
    message: Message<'_>,
) -> Result<Vec<TableChange<'static>>, Reject> {
    let version = version(message.history_id.as_deref())?;
    let internal_date = internal_date(message.internal_date.as_deref())?;
    let mail = match (&message.payload, &message.raw) {
        (Some(payload), _) => from_payload(payload)?,
        (None, Some(raw)) => from_raw(raw)?,
        (None, None) => {
            let rule = "a message has its headers";
            return Err(Reject::new(Code::RecordMalformed, rule).in_field("payload"));
        }
    };
    let row = Row { mailbox, version };
    let texts_are_read =
        message.raw.is_some() || mail.body.is_some() || !mail.attachments.is_empty();
    let snippet = message.snippet.filter(|_| texts_are_read);
    let mut changes = Vec::with_capacity(2 + mail.participants.len() + message.label_ids.len());
    for (index, participant) in mail.participants.iter().enumerate() {
        changes.push(row.participant((id, index), participant, internal_date));
    }
    for label in &message.label_ids {
        changes.push(row.label(id, label));
    }
    for (index, attachment) in mail.attachments.iter().enumerate() {
        changes.push(row.attachment((id, index), attachment));
    }
    if let Some(thread) = message.thread_id.as_deref().filter(|it| !it.is_empty()) {
        let values = vec![text(Some(mailbox)), text(message.history_id.as_deref())];
        changes.push(row.of(THREADS, thread.to_owned(), values));
    }
    let values = vec![
        text(Some(mailbox)),
        text(message.thread_id.as_deref()),
        text(message.history_id.as_deref()),
        Value::Timestamp(internal_date),
        message.size_estimate.map_or(Value::Null, Value::Int),
    ];
    changes.push(row.message(id, (values, snippet.as_deref()), mail));
    Ok(changes)
}

/// What all rows of one message share.
#[derive(Clone, Copy)]
struct Row<'m> {
    mailbox: &'m str,
    version: Timestamp,
}

impl Row<'_> {
    fn of(self, table: usize, key: String, values: Vec<Value<'static>>) -> TableChange<'static> {
        let change = change(key, self.version, values);
        TableChange { table, change }
    }

    fn message(
        self,
        id: &str,
        (mut values, snippet): (Vec<Value<'static>>, Option<&str>),
        mail: Mail,
    ) -> TableChange<'static> {
        let references = (!mail.references.is_empty()).then(|| json!(mail.references).to_string());
        let repairs: Vec<&str> = mail.repairs.iter().map(|repair| repair.as_str()).collect();
        let repairs = (!repairs.is_empty()).then(|| json!(repairs).to_string());
        let body = mail.body.as_ref();
        values.extend([
            text(mail.message_id.as_deref()),
            text(mail.in_reply_to.as_deref()),
            text(references.as_deref()),
            text(mail.subject.as_deref()),
            mail.date.map_or(Value::Null, Value::Timestamp),
            text(body.map(|body| body.text.as_str())),
            text(body.map(|body| body.kind.as_str())),
            text(body.map(|body| body.charset)),
            body.map_or(Value::Null, |body| Value::Bool(body.truncated)),
            text(snippet),
            text(repairs.as_deref()),
        ]);
        self.of(MESSAGES, id.to_owned(), values)
    }

    fn participant(
        self,
        (message, index): (&str, usize),
        participant: &Participant,
        internal_date: Timestamp,
    ) -> TableChange<'static> {
        let values = vec![
            text(Some(self.mailbox)),
            text(Some(message)),
            text(Some(participant.role.as_str())),
            Value::Int(participant.position.into()),
            text(participant.address.as_deref()),
            text(participant.spelling.as_deref()),
            text(participant.display_name.as_deref()),
            text(participant.group.as_deref()),
            Value::Timestamp(internal_date),
        ];
        self.of(PARTICIPANTS, format!("{message}:{index}"), values)
    }

    fn label(self, message: &str, label: &str) -> TableChange<'static> {
        let values = vec![
            text(Some(self.mailbox)),
            text(Some(message)),
            text(Some(label)),
        ];
        self.of(MESSAGE_LABELS, format!("{message}:{label}"), values)
    }

    fn attachment(
        self,
        (message, index): (&str, usize),
        attachment: &Attachment,
    ) -> TableChange<'static> {
        let values = vec![
            text(Some(self.mailbox)),
            text(Some(message)),
            text(Some(&attachment.part_id)),
            text(attachment.filename.as_deref()),
            text(Some(&attachment.mime_type)),
            i64::try_from(attachment.size_bytes).map_or(Value::Null, Value::Int),
            text(attachment.content_id.as_deref()),
            text(attachment.disposition.as_deref()),
        ];
        self.of(ATTACHMENTS, format!("{message}:{index}"), values)
    }
}

/// A message that is gone takes its details with it.
fn gone(mailbox: String, gone: Gone) -> Result<Vec<TableChange<'static>>, Reject> {
    let version = version_of(gone.history_id)?;
    let thread = Some(gone.thread_id.as_str()).filter(|it| !it.is_empty());
    let mut values = vec![text(Some(&mailbox)), text(thread)];
    values.resize(crate::tables::MESSAGE_WIDTH, Value::Null);
    let change = Change {
        deletion: Some(deleted(gone.at)),
        ..change(gone.id, version, values)
    };
    Ok(TableChange::only(change))
}

fn labelled(mailbox: String, labelled: Labelled) -> Result<Vec<TableChange<'static>>, Reject> {
    let row = Row {
        mailbox: &mailbox,
        version: version_of(labelled.history_id)?,
    };
    let mut label = row.label(&labelled.id, &labelled.label_id);
    if labelled.change == LabelChange::Removed {
        label.change.deletion = Some(deleted(labelled.at));
    }
    Ok(vec![label])
}

fn history(mailbox: &str, raw: &RawValue) -> Result<Vec<TableChange<'static>>, Reject> {
    let rule = "a record of the history is JSON of the documented shape";
    let malformed = |_| Reject::new(Code::RecordMalformed, rule);
    let record: HistoryRecord = serde_json::from_str(raw.get()).map_err(malformed)?;
    let row = Row {
        mailbox,
        version: version(Some(&record.id)).map_err(|reject| reject.of_record(&record.id))?,
    };
    let kinds = [
        ("message_added", &record.messages_added),
        ("message_deleted", &record.messages_deleted),
        ("label_added", &record.labels_added),
        ("label_removed", &record.labels_removed),
    ];
    let events = kinds.iter().flat_map(|(kind, events)| {
        let kind = *kind;
        events.iter().map(move |event| (kind, event))
    });
    let rows = events.enumerate().map(|(index, (kind, event))| {
        let labels = (!event.label_ids.is_empty()).then(|| json!(event.label_ids).to_string());
        let values = vec![
            text(Some(mailbox)),
            text(Some(&record.id)),
            text(Some(kind)),
            text(Some(&event.message.id)),
            text(Some(&event.message.thread_id)),
            text(labels.as_deref()),
        ];
        row.of(HISTORY, format!("{}:{index}", record.id), values)
    });
    Ok(rows.collect())
}

pub(crate) fn change(
    key: String,
    version: Timestamp,
    values: Vec<Value<'static>>,
) -> Change<'static> {
    Change {
        key: key.into(),
        version,
        values,
        extra: Vec::new(),
        deletion: None,
        replaces: Vec::new(),
    }
}

fn deleted(at: Timestamp) -> Deletion {
    Deletion {
        at,
        reason: DeletionReason::Deleted,
        merged_into: None,
    }
}

/// Returns the version that a history id is. Records of Gmail carry no time of change; their order is that of
/// the history, so its ids count as microseconds.
pub(crate) fn version(history_id: Option<&str>) -> Result<Timestamp, Reject> {
    let rule = "a record has the id of the history in which it changed";
    let reject = || Reject::new(Code::RecordVersion, rule).in_field("historyId");
    let id = history_id.and_then(|text| text.parse::<u64>().ok());
    version_of(id.ok_or_else(reject)?)
}

pub(crate) fn version_of(history_id: u64) -> Result<Timestamp, Reject> {
    let rule = "the id of a history fits 63 bits";
    let reject = |_| Reject::new(Code::RecordVersion, rule).in_field("historyId");
    i64::try_from(history_id)
        .map(Timestamp::from_micros)
        .map_err(reject)
}

fn internal_date(text: Option<&str>) -> Result<Timestamp, Reject> {
    let rule = "a message has the milliseconds at which it was taken in";
    let reject = || Reject::new(Code::RecordType, rule).in_field("internalDate");
    let millis: i64 = text.and_then(|text| text.parse().ok()).ok_or_else(reject)?;
    let time = Timestamp::from_millis(millis);
    // Milliseconds beyond the calendar are no time.
    time.to_datetime().map(|_| time).ok_or_else(reject)
}

/// Returns text that every store takes, or no value.
pub(crate) fn text(text: Option<&str>) -> Value<'static> {
    text.map_or(Value::Null, |text| {
        Value::Text(repaired(Cow::Borrowed(text)).into_owned().into())
    })
}
