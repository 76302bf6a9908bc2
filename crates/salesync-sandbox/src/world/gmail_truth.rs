//! What is true of Gmail's mailboxes, for tests to compare with.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::gmail::{GmailSide, id_text, parse_id};
use super::gmail_mailbox::{Copy, Mailbox};
use super::{TruthRow, World};
use crate::gmail::{id_of, mail_of, parties, subject_of, view};

impl World {
    /// Gives the addresses of all mailboxes; the refresh token is for the first.
    #[must_use]
    pub fn mailboxes(&self) -> Vec<String> {
        let side = self.gmail();
        side.boxes
            .iter()
            .map(|mailbox| mailbox.address.clone())
            .collect()
    }

    /// Gives every message that a mailbox has or had, oldest first.
    ///
    /// Shape: `{"id", "threadId", "labelIds", "historyId", "internalDate", "messageId" (or null),
    /// "subject" (decoded), "participants": [{"role", "address" (in lower case), "name" (decoded),
    /// "entity" (`person-…` or null)}], "headers": [{"name", "value"}], "attachments":
    /// [{"filename", "mimeType", "size"}], "text" (the first plain text, or null), "deleted"}`.
    #[must_use]
    pub fn gmail_messages(&self, mailbox: &str) -> Vec<Value> {
        let side = self.gmail();
        let Some(mailbox) = side.mailbox(mailbox) else {
            return Vec::new();
        };
        let entities = side.entities();
        mailbox
            .copies()
            .iter()
            .filter_map(|copy| plain(&side, mailbox, copy, &entities))
            .collect()
    }

    /// Gives a mailbox's labels as the API lists them.
    #[must_use]
    pub fn gmail_labels(&self, mailbox: &str) -> Vec<Value> {
        let side = self.gmail();
        side.mailbox(mailbox)
            .map(|mailbox| mailbox.labels.json())
            .unwrap_or_default()
    }

    /// Gives a mailbox's threads that have a message: `{"id", "messageIds" (oldest first)}`.
    #[must_use]
    pub fn gmail_threads(&self, mailbox: &str) -> Vec<Value> {
        let side = self.gmail();
        let Some(mailbox) = side.mailbox(mailbox) else {
            return Vec::new();
        };
        mailbox
            .thread_ids()
            .into_iter()
            .map(|id| {
                let messages: Vec<String> = mailbox
                    .thread(id)
                    .iter()
                    .map(|copy| id_text(copy.id))
                    .collect();
                json!({"id": id_text(id), "messageIds": messages})
            })
            .collect()
    }

    /// Gives the address of the mailbox that has or had a message; no two mailboxes share an id.
    #[must_use]
    pub fn gmail_mailbox_of(&self, id: &str) -> Option<String> {
        let side = self.gmail();
        side.holder(parse_id(id)?)
            .map(|mailbox| mailbox.address.clone())
    }

    /// Gives the quota units that a mailbox has used since the start or [`World::reset_requests`],
    /// also where no limits are enforced.
    #[must_use]
    pub fn gmail_units(&self, mailbox: &str) -> u64 {
        let place = self.gmail().place(mailbox);
        place.map_or(0, |place| self.desk().gmail.units.used(place))
    }

    /// Gives how many calls were refused for being over a limit since the start or
    /// [`World::reset_requests`].
    #[must_use]
    pub fn gmail_over_limit(&self) -> u64 {
        self.desk().gmail.units.over_limit()
    }
}

impl GmailSide {
    /// The true person of each address that is one person's.
    fn entities(&self) -> HashMap<String, u32> {
        self.voices
            .iter()
            .filter(|voice| voice.entity != 0)
            .map(|voice| (voice.address.to_lowercase(), voice.entity))
            .collect()
    }

    /// The true entities of the addresses that are named in live messages.
    pub(super) fn truth(&self) -> Vec<TruthRow> {
        let entities = self.entities();
        let mut found: BTreeMap<String, u32> = BTreeMap::new();
        for mailbox in &self.boxes {
            for copy in mailbox.live() {
                let Some(letter) = self.letter(copy) else {
                    continue;
                };
                for party in parties(self, letter, view(mailbox, copy)) {
                    let address = party.address.to_lowercase();
                    if let Some(entity) = entities.get(&address) {
                        found.insert(address, *entity);
                    }
                }
            }
        }
        found
            .into_iter()
            .map(|(address, entity)| {
                let entity = format!("person-{entity}");
                ("gmail", "message_participants", address, entity)
            })
            .collect()
    }
}

fn plain(
    side: &GmailSide,
    mailbox: &Mailbox,
    copy: &Copy,
    entities: &HashMap<String, u32>,
) -> Option<Value> {
    let letter = side.letter(copy)?;
    let mail = mail_of(side, mailbox, copy)?;
    let participants: Vec<Value> = parties(side, letter, view(mailbox, copy))
        .into_iter()
        .map(|party| {
            let address = party.address.to_lowercase();
            let entity = entities
                .get(&address)
                .map(|entity| format!("person-{entity}"));
            json!({"role": party.role, "address": address, "name": party.name, "entity": entity})
        })
        .collect();
    let headers: Vec<Value> = mail
        .headers
        .iter()
        .chain(&mail.body.headers)
        .map(|header| json!({"name": header.name, "value": header.value}))
        .collect();
    let attachments: Vec<Value> = mail
        .body
        .all()
        .into_iter()
        .filter(|part| !part.filename.is_empty())
        .map(|part| {
            json!({
                "filename": part.filename,
                "mimeType": part.mime,
                "size": part.handed_out().len(),
            })
        })
        .collect();
    Some(json!({
        "id": id_text(copy.id),
        "threadId": id_text(copy.thread),
        "labelIds": mailbox.labels.ids(&copy.labels),
        "historyId": copy.history_id.to_string(),
        "internalDate": letter.at_ms.to_string(),
        "messageId": id_of(side, letter),
        "subject": subject_of(side, letter),
        "participants": participants,
        "headers": headers,
        "attachments": attachments,
        "text": mail.body.first_text("text/plain"),
        "deleted": !copy.live,
    }))
}
