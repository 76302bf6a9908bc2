//! Compares the tables of mailboxes with what the mailboxes hold, row by row: messages, who is named in them,
//! labels, threads, and the mailboxes themselves. Nothing else may be in those tables.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use serde_json::Value;

use crate::harness::Bench;
use crate::tables::{Row, Tables};
use crate::truth::Swept;

/// Whether texts and what hangs on messages were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Texts {
    Unread,
    Read,
}

/// Fails unless every mailbox is in the warehouse as the world has it.
pub(crate) fn assert_mail(bench: &Bench, swept: Swept) {
    assert_mailboxes(bench, &bench.world().mailboxes(), (swept, Texts::Unread));
}

/// Fails unless these mailboxes are in the warehouse as the world has them, and no others.
pub(crate) fn assert_mailboxes(
    bench: &Bench,
    mailboxes: &[String],
    (swept, texts): (Swept, Texts),
) {
    let mut check = Check::new(&bench.tables());
    for mailbox in mailboxes {
        check.mailbox(bench, mailbox, (swept, texts));
    }
    let wrong = check.nothing_else();
    let shown: Vec<_> = wrong.iter().take(20).map(String::as_str).collect();
    assert!(
        wrong.is_empty(),
        "{} differences, among them:\n{}",
        wrong.len(),
        shown.join("\n")
    );
}

/// Returns whether two texts are the same. The world replaces what is no UTF-8; the product may know better.
fn alike(held: &str, told: &str) -> bool {
    let pairs = held.chars().zip(told.chars());
    held.chars().count() == told.chars().count()
        && pairs
            .into_iter()
            .all(|(held, told)| held == told || told == char::REPLACEMENT_CHARACTER)
}

/// The tables of mailboxes, by their streams' names.
const TABLES: [&str; 7] = [
    "messages",
    "message_participants",
    "message_labels",
    "attachments",
    "threads",
    "mailboxes",
    "labels",
];

struct Check {
    rows: BTreeMap<&'static str, BTreeMap<String, Row>>,
    /// The keys of details, by table and message.
    details: BTreeMap<(&'static str, String), Vec<String>>,
    known: BTreeSet<(&'static str, String)>,
    wrong: Vec<String>,
}

impl Check {
    fn new(tables: &Tables) -> Self {
        let rows: BTreeMap<_, _> = TABLES
            .into_iter()
            .map(|stream| (stream, tables.rows(&format!("gmail_{stream}"))))
            .collect();
        let mut details: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for stream in ["message_participants", "message_labels", "attachments"] {
            for (key, row) in &rows[stream] {
                let mailbox = row["mailbox"].as_deref().unwrap();
                let owner = format!("{mailbox} {}", row["message_id"].as_deref().unwrap());
                details
                    .entry((stream, owner))
                    .or_default()
                    .push(key.clone());
            }
        }
        Self {
            rows,
            details,
            known: BTreeSet::new(),
            wrong: Vec::new(),
        }
    }

    fn mailbox(&mut self, bench: &Bench, mailbox: &str, how: (Swept, Texts)) {
        let world = bench.world();
        let messages = world.gmail_messages(mailbox);
        let live = || messages.iter().filter(|it| it["deleted"] == false);
        for message in &messages {
            let key = format!("{mailbox} {}", message["id"].as_str().unwrap());
            match message["deleted"] == true {
                true => self.gone(&key),
                false => self.message(&key, message, how),
            }
        }
        let threads: BTreeSet<&str> = live().map(|it| it["threadId"].as_str().unwrap()).collect();
        for message in &messages {
            let thread = message["threadId"].as_str().unwrap();
            let key = format!("{mailbox} {thread}");
            match threads.contains(thread) {
                true => self.live("threads", &key),
                false => self.marked("threads", &key, &["deleted"]),
            }
        }
        self.live("mailboxes", &format!("{mailbox} {mailbox}"));
        self.is(
            ("mailboxes", &format!("{mailbox} {mailbox}")),
            "emailAddress",
            Some(mailbox),
        );
        let counts = [
            ("messagesTotal", live().count()),
            ("threadsTotal", threads.len()),
        ];
        for (name, count) in counts {
            let key = format!("{mailbox} {mailbox}");
            self.is(("mailboxes", &key), name, Some(&count.to_string()));
        }
        self.labels(mailbox, &world.gmail_labels(mailbox));
    }

    fn labels(&mut self, mailbox: &str, labels: &[Value]) {
        let listed: BTreeSet<String> = labels
            .iter()
            .map(|label| format!("{mailbox} {}", label["id"].as_str().unwrap()))
            .collect();
        for label in labels {
            let key = format!("{mailbox} {}", label["id"].as_str().unwrap());
            self.live("labels", &key);
            for name in [
                "name",
                "type",
                "messageListVisibility",
                "labelListVisibility",
            ] {
                self.is(("labels", &key), name, label[name].as_str());
            }
        }
        let own: Vec<String> = self.rows["labels"]
            .iter()
            .filter(|(key, row)| {
                row["mailbox"].as_deref() == Some(mailbox) && !listed.contains(*key)
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in own {
            self.marked("labels", &key, &["deleted"]);
        }
    }

    fn message(&mut self, key: &str, message: &Value, (swept, texts): (Swept, Texts)) {
        self.live("messages", key);
        let Some(row) = self.rows["messages"].get(key).cloned() else {
            return;
        };
        let text = |name: &str| message[name].as_str().map(str::to_owned);
        let micros = text("internalDate").map(|ms| format!("{ms}000"));
        let id = text("messageId").map(|id| id.trim_matches(['<', '>']).to_owned());
        let expected = [
            ("threadId", text("threadId")),
            ("internalDate", micros),
            ("rfc822_message_id", id),
            ("subject", text("subject").filter(|it| !it.is_empty())),
            ("_extra", None),
        ];
        for (name, value) in expected {
            self.is(("messages", key), name, value.as_deref());
        }
        self.version(key, &row, message, swept);
        self.headers(key, message);
        self.participants(key, message);
        let labels = message["labelIds"].as_array().unwrap();
        let labels = labels.iter().map(|it| it.as_str().unwrap().to_owned());
        let held = self.live_details(("message_labels", key), |row| row["label_id"].clone());
        self.same((key, "labels"), held, labels.map(Some).collect());
        match texts {
            Texts::Unread => {
                for name in ["body_text", "body_kind", "body_charset", "snippet"] {
                    self.is(("messages", key), name, None);
                }
                let held = self.live_details(("attachments", key), |row| row["filename"].clone());
                self.same((key, "attachments"), held, Vec::new());
            }
            Texts::Read => self.texts(key, message),
        }
    }

    /// A row is in the version of the history id that it names: the message's own after everything was read,
    /// else at most that, since labels that move leave the message's row as it is.
    fn version(&mut self, key: &str, row: &Row, message: &Value, swept: Swept) {
        let number = |text: Option<&str>| text.and_then(|it| it.parse::<i64>().ok()).unwrap_or(-1);
        let held = number(row["historyId"].as_deref());
        let told = number(message["historyId"].as_str());
        let is_late = match swept {
            Swept::Yes => held != told,
            Swept::No => held > told,
        };
        if is_late || number(row["_version"].as_deref()) != held {
            let wrong = format!("messages {key}: history {held} is not {told}, or not its version");
            self.wrong.push(wrong);
        }
    }

    /// What plain headers say; those that are written oddly are the decoder's own tests' matter.
    fn headers(&mut self, key: &str, message: &Value) {
        let header = |name: &str| {
            let headers = message["headers"].as_array().unwrap();
            let mut found = headers
                .iter()
                .filter(|it| it["name"].as_str().unwrap().eq_ignore_ascii_case(name));
            let first = found.next().and_then(|it| it["value"].as_str());
            first.filter(|_| found.next().is_none())
        };
        if let Some(date) = header("Date").and_then(|it| DateTime::parse_from_rfc2822(it).ok()) {
            let micros = date.timestamp_micros().to_string();
            self.is(("messages", key), "date", Some(&micros));
        }
        let answered = header("In-Reply-To").and_then(|it| it.strip_prefix('<')?.strip_suffix('>'));
        if let Some(answered) = answered.filter(|it| !it.contains(['<', ' '])) {
            self.is(("messages", key), "in_reply_to", Some(answered));
        }
    }

    fn participants(&mut self, key: &str, message: &Value) {
        let mut places: BTreeMap<String, u32> = BTreeMap::new();
        let told = message["participants"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| {
                let text = |name: &str| it[name].as_str().unwrap_or_default().to_owned();
                let role = text("role").replace('-', "_");
                let place = places.entry(role.clone()).or_default();
                *place += 1;
                format!("{role} {} {} {}", *place - 1, text("address"), text("name"))
            });
        let told = told.map(Some).collect();
        let held = self.live_details(("message_participants", key), |row| {
            let text = |name: &str| row[name].clone().unwrap_or_default();
            // The world names no senders beside the authors.
            (text("role") != "sender").then(|| {
                let (role, position) = (text("role"), text("position"));
                format!(
                    "{role} {position} {} {}",
                    text("address"),
                    text("display_name")
                )
            })
        });
        self.same((key, "participants"), held, told);
    }

    fn texts(&mut self, key: &str, message: &Value) {
        let row = self.rows["messages"][key].clone();
        let even = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
        let held = row["body_text"].as_deref().map(even);
        let kind = row["body_kind"].as_deref();
        match message["text"].as_str() {
            Some(text) => {
                let same = alike(held.as_deref().unwrap_or_default(), &even(text));
                if !same || kind == Some("html") {
                    let wrong = format!("messages {key}: text {held:?} is not {text:?}");
                    self.wrong.push(wrong);
                }
            }
            None if kind == Some("plain") => {
                self.wrong
                    .push(format!("messages {key}: has no plain text, but {held:?}"));
            }
            None => {}
        }
        let told = message["attachments"].as_array().unwrap().iter().map(|it| {
            let text = |name: &str| it[name].as_str().unwrap().to_owned();
            Some(format!(
                "{} {} {}",
                text("filename"),
                text("mimeType"),
                it["size"]
            ))
        });
        let told = told.collect();
        let held = self.live_details(("attachments", key), |row| {
            let text = |name: &str| row[name].clone().unwrap_or_default();
            let named = row["filename"].is_some();
            named.then(|| {
                format!(
                    "{} {} {}",
                    text("filename"),
                    text("mime_type"),
                    text("size_bytes")
                )
            })
        });
        self.same((key, "attachments"), held, told);
    }

    /// A message that was deleted: it need not have been met, but what is there of it is marked.
    fn gone(&mut self, key: &str) {
        self.marked("messages", key, &["deleted", "absent"]);
        for stream in ["message_participants", "message_labels", "attachments"] {
            let details = self.details.get(&(stream, key.to_owned()));
            for detail in details.cloned().unwrap_or_default() {
                self.marked(stream, &detail, &["deleted"]);
            }
        }
    }

    fn live_details(
        &mut self,
        (stream, key): (&'static str, &str),
        of: impl Fn(&Row) -> Option<String>,
    ) -> Vec<Option<String>> {
        let keys = self.details.get(&(stream, key.to_owned()));
        let mut found = Vec::new();
        for detail in keys.cloned().unwrap_or_default() {
            self.known.insert((stream, detail.clone()));
            let row = &self.rows[stream][&detail];
            if row["_deleted_at"].is_none() {
                found.extend(of(row).map(Some));
            } else if row["_deleted_reason"].as_deref() != Some("deleted") {
                self.wrong
                    .push(format!("{stream} {detail}: gone for another reason"));
            }
        }
        found
    }

    fn same(
        &mut self,
        (key, what): (&str, &str),
        mut held: Vec<Option<String>>,
        mut told: Vec<Option<String>>,
    ) {
        held.sort();
        told.sort();
        if held != told {
            self.wrong
                .push(format!("{what} of {key}: {held:?} are not {told:?}"));
        }
    }

    fn is(&mut self, (stream, key): (&'static str, &str), name: &str, expected: Option<&str>) {
        if let Some(row) = self.rows[stream].get(key)
            && row[name].as_deref() != expected
        {
            let wrong = format!("{stream} {key}.{name}: {:?} is not {expected:?}", row[name]);
            self.wrong.push(wrong);
        }
    }

    fn live(&mut self, stream: &'static str, key: &str) {
        self.known.insert((stream, key.to_owned()));
        match self.rows[stream].get(key) {
            None => self.wrong.push(format!("{stream} {key}: lost")),
            Some(row) if row["_deleted_at"].is_some() => {
                self.wrong.push(format!("{stream} {key}: marked as gone"));
            }
            Some(_) => {}
        }
    }

    fn marked(&mut self, stream: &'static str, key: &str, reasons: &[&str]) {
        self.known.insert((stream, key.to_owned()));
        let Some(row) = self.rows[stream].get(key) else {
            return;
        };
        let reason = row["_deleted_reason"].as_deref().unwrap_or_default();
        if row["_deleted_at"].is_none() || !reasons.contains(&reason) {
            self.wrong.push(format!(
                "{stream} {key}: not marked as gone, or for {reason:?}"
            ));
        }
    }

    fn nothing_else(mut self) -> Vec<String> {
        for (stream, rows) in &self.rows {
            let ghosts = rows
                .keys()
                .filter(|key| !self.known.contains(&(*stream, (*key).clone())));
            self.wrong
                .extend(ghosts.map(|key| format!("{stream} {key}: a ghost")));
        }
        self.wrong
    }
}
