//! Edits of Gmail's mailboxes.

use std::sync::Arc;

use serde_json::Value;

use super::World;
use super::gmail::{GmailSide, Letter, Wording, id_text, parse_id};
use super::gmail_labels::{INBOX, LabelSet, SENT, TRASH, UNREAD};
use super::gmail_mailbox::{Copy, Mailbox, Standing};
use crate::gmail::{Setting, given, id_of};

impl World {
    /// Delivers a new message now and gives its id in `mailbox`; `None` if there is no such mailbox.
    ///
    /// `spec` is a JSON object, all of it optional: `from`, `to`, `cc`, `bcc`, `replyTo` (texts as
    /// headers have them, or arrays of such), `subject`, `text`, `html`, `attachments`
    /// (`[{"filename", "mimeType", "size" or "text"}]`), `messageId`, `date` (`null`: no such
    /// header), `inReplyTo` (a `Message-ID`), `threadId` (in `mailbox`), `internalDate`
    /// (milliseconds), `labelIds` (in `mailbox`; `INBOX` and `UNREAD`, or `SENT` if it is from the
    /// owner), `headers` (`[{"name", "value"}]`: instead of the usual ones; without a value the
    /// header is left out), `mailboxes` (addresses of further mailboxes that it lies in).
    pub fn gmail_deliver(&self, mailbox: &str, spec: &Value) -> Option<String> {
        let now_ms = self.now_ms();
        let mut side = self.gmail_mut();
        let place = side.place(mailbox)?;
        let parent = parent(&side, place, spec);
        let at_ms = match spec.get("internalDate") {
            Some(Value::String(text)) => text.parse().unwrap_or(now_ms),
            Some(value) => value.as_i64().unwrap_or(now_ms),
            None => now_ms,
        };
        let letter = u32::try_from(side.letters.len()).ok()?;
        let setting = Setting {
            at_ms,
            number: u64::from(letter),
            parent: answered(&side, parent, spec),
        };
        let wording = Wording::Given(Box::new(given(spec, &setting)));
        side.letters.push(Letter { at_ms, wording });
        let further = spec.get("mailboxes").and_then(Value::as_array);
        let others: Vec<usize> = further
            .into_iter()
            .flatten()
            .filter_map(|address| side.place(address.as_str()?))
            .filter(|other| *other != place)
            .collect();
        let mut own_id = None;
        for holder in std::iter::once(place).chain(others) {
            let id = side.new_id(holder, at_ms);
            let labels = labels(&side, holder, spec, holder == place);
            let thread = thread(&side, (holder, holder == place), spec, parent).unwrap_or(id);
            let copy = Copy {
                id,
                thread,
                letter,
                labels,
                history_id: 0,
                live: true,
            };
            side.boxes.get_mut(holder)?.add(copy, now_ms, now_ms);
            own_id.get_or_insert(id);
        }
        own_id.map(id_text)
    }

    /// Puts a label on a message, by the label's id. Returns false if there is no such message or
    /// label, or if it was there already.
    pub fn gmail_add_label(&self, mailbox: &str, id: &str, label: &str) -> bool {
        self.edit(mailbox, |mailbox, now_ms| {
            let (Some(id), Some(number)) = (parse_id(id), mailbox.labels.number(label)) else {
                return false;
            };
            mailbox.relabel(&[id], (&[number], &[]), now_ms)
        })
    }

    /// Takes a label off a message. Returns false if it was not there.
    pub fn gmail_remove_label(&self, mailbox: &str, id: &str, label: &str) -> bool {
        self.edit(mailbox, |mailbox, now_ms| {
            let (Some(id), Some(number)) = (parse_id(id), mailbox.labels.number(label)) else {
                return false;
            };
            mailbox.relabel(&[id], (&[], &[number]), now_ms)
        })
    }

    /// Makes a label and gives its id; `None` if the name is taken.
    pub fn gmail_create_label(&self, mailbox: &str, name: &str) -> Option<String> {
        let mut side = self.gmail_mut();
        let labels = &mut side.mailbox_mut(mailbox)?.labels;
        let number = labels.create(name)?;
        Some(labels.id(number).to_owned())
    }

    /// Renames a label of the user's: its id stays, and history says nothing.
    pub fn gmail_rename_label(&self, mailbox: &str, label: &str, name: &str) -> bool {
        self.edit(mailbox, |mailbox, _| mailbox.labels.rename(label, name))
    }

    /// Deletes a label of the user's; all messages lose it, in one record of history.
    pub fn gmail_delete_label(&self, mailbox: &str, label: &str) -> bool {
        self.edit(mailbox, |mailbox, now_ms| {
            let Some(number) = mailbox.labels.delete(label) else {
                return false;
            };
            let with_it: Vec<u64> = mailbox
                .live()
                .filter(|copy| copy.labels.has(number))
                .map(|copy| copy.id)
                .collect();
            mailbox.relabel(&with_it, (&[], &[number]), now_ms);
            true
        })
    }

    /// Moves a message to the trash: `TRASH` comes, `INBOX` goes. Removing `TRASH` brings it back.
    pub fn gmail_trash(&self, mailbox: &str, id: &str) -> bool {
        self.edit(mailbox, |mailbox, now_ms| {
            parse_id(id).is_some_and(|id| mailbox.relabel(&[id], (&[TRASH], &[INBOX]), now_ms))
        })
    }

    /// Deletes a message for good: history says `messagesDeleted`, asking for it gives 404.
    pub fn gmail_delete(&self, mailbox: &str, id: &str) -> bool {
        self.edit(mailbox, |mailbox, now_ms| {
            parse_id(id).is_some_and(|id| mailbox.delete(id, now_ms))
        })
    }

    /// Lets all history ids up to now be out of date: asking from one of them gives 404. The
    /// profile's id is a new one, which is good.
    pub fn gmail_expire_history(&self, mailbox: &str) -> bool {
        self.edit(mailbox, |mailbox, _| {
            mailbox.expire_history();
            true
        })
    }

    /// Takes back the delegation for a mailbox: the token endpoint answers `unauthorized_client`,
    /// and tokens that were given out for it are refused.
    pub fn gmail_refuse_delegation(&self, mailbox: &str) -> bool {
        self.stand(mailbox, Standing::DelegationRefused)
    }

    /// Lets the API refuse every call for a mailbox with 403 `forbidden`.
    pub fn gmail_forbid(&self, mailbox: &str) -> bool {
        self.stand(mailbox, Standing::Forbidden)
    }

    /// Takes back what [`World::gmail_refuse_delegation`] and [`World::gmail_forbid`] did.
    pub fn gmail_permit(&self, mailbox: &str) -> bool {
        self.stand(mailbox, Standing::Open)
    }

    /// Revokes the refresh token: the grant answers `invalid_grant`.
    pub fn gmail_revoke_refresh_token(&self) {
        self.desk().gmail.refresh_revoked = true;
    }

    /// Lets the refresh token work again.
    pub fn gmail_restore_refresh_token(&self) {
        self.desk().gmail.refresh_revoked = false;
    }

    /// Serves a message as arbitrary JSON text from now on, alone and inside its thread, in
    /// whatever format it is asked for. Returns false if there is no such message.
    pub fn gmail_put_raw(&self, mailbox: &str, id: &str, raw_json_text: &str) -> bool {
        self.edit(mailbox, |mailbox, _| {
            parse_id(id).is_some_and(|id| mailbox.set_raw(id, Some(Arc::from(raw_json_text))))
        })
    }

    /// Takes back what [`World::gmail_put_raw`] did to a message.
    pub fn gmail_clear_raw(&self, mailbox: &str, id: &str) -> bool {
        self.edit(mailbox, |mailbox, _| {
            parse_id(id).is_some_and(|id| mailbox.set_raw(id, None))
        })
    }

    /// Lets the next `times` calls inside batches whose path and query contain `matching` (empty:
    /// all) fail with a status and a reason such as `(429, "rateLimitExceeded")`,
    /// `(500, "backendError")` or `(404, "notFound")`. [`World::clear_faults`] takes it back.
    pub fn gmail_fail_parts(&self, problem: (u16, &str), matching: &str, times: usize) {
        self.desk().gmail.fail_parts(problem, matching, times);
    }

    fn stand(&self, mailbox: &str, standing: Standing) -> bool {
        self.edit(mailbox, |mailbox, _| {
            mailbox.standing = standing;
            true
        })
    }

    fn edit(&self, mailbox: &str, change: impl FnOnce(&mut Mailbox, i64) -> bool) -> bool {
        let now_ms = self.now_ms();
        let mut side = self.gmail_mut();
        side.mailbox_mut(mailbox)
            .is_some_and(|mailbox| change(mailbox, now_ms))
    }
}

/// The letter that a new one answers: the last of its thread, or the one that it names.
fn parent(side: &GmailSide, place: usize, spec: &Value) -> Option<u32> {
    let mailbox = side.boxes.get(place)?;
    if let Some(thread) = spec.get("threadId").and_then(Value::as_str) {
        return mailbox
            .thread(parse_id(thread)?)
            .last()
            .map(|copy| copy.letter);
    }
    let named = spec.get("inReplyTo").and_then(Value::as_str)?;
    let mut newest_first = mailbox.live().rev();
    newest_first
        .find(|copy| {
            let id = side.letter(copy).and_then(|letter| id_of(side, letter));
            id.as_deref() == Some(named)
        })
        .map(|copy| copy.letter)
}

fn answered(side: &GmailSide, parent: Option<u32>, spec: &Value) -> Option<String> {
    match spec.get("inReplyTo") {
        Some(Value::String(id)) => Some(id.clone()),
        Some(_) => None,
        None => id_of(side, side.letters.get(parent? as usize)?),
    }
}

/// The thread that a new copy belongs to: the named one in its own mailbox, elsewhere that of the
/// letter that it answers.
fn thread(
    side: &GmailSide,
    (place, is_own): (usize, bool),
    spec: &Value,
    parent: Option<u32>,
) -> Option<u64> {
    if is_own && let Some(thread) = spec.get("threadId").and_then(Value::as_str) {
        return parse_id(thread);
    }
    let parent = parent?;
    let mut copies = side.boxes.get(place)?.live();
    copies
        .find(|copy| copy.letter == parent)
        .map(|copy| copy.thread)
}

fn labels(side: &GmailSide, place: usize, spec: &Value, is_own: bool) -> LabelSet {
    let Some(mailbox) = side.boxes.get(place) else {
        return LabelSet::default();
    };
    if let (true, Some(ids)) = (is_own, spec.get("labelIds").and_then(Value::as_array)) {
        let numbers = ids
            .iter()
            .filter_map(|id| mailbox.labels.number(id.as_str()?));
        return LabelSet::new(numbers.collect());
    }
    let from = spec.get("from").and_then(Value::as_str).unwrap_or_default();
    if from
        .to_lowercase()
        .contains(&mailbox.address.to_lowercase())
    {
        LabelSet::new(vec![SENT])
    } else {
        LabelSet::new(vec![INBOX, UNREAD])
    }
}
