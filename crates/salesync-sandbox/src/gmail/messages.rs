//! Messages: the list, one message, one attachment.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};

use super::answer::{forbidden, invalid, not_found};
use super::desk::Reach;
use super::letter::{View, compose};
use super::mail::Mail;
use super::paging::{Filter, List, Page, page, token};
use super::routes::Caller;
use super::search::Search;
use crate::server::{Answer, Asked, RequestClass};
use crate::world::{Copy, DRAFT, GmailSide, Mailbox, SENT, id_text, parse_id};
use crate::{PageServed, Vendor, World};

/// How much of a message is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Full,
    Metadata,
    Minimal,
    Raw,
}

/// Reads which format is wanted, and whether the caller may have it.
pub(super) fn format(asked: &Asked, reach: Reach) -> Result<Format, Box<Answer>> {
    let name = asked.param("format").unwrap_or("full").to_lowercase();
    let format = match name.as_str() {
        "full" => Format::Full,
        "metadata" => Format::Metadata,
        "minimal" => Format::Minimal,
        "raw" => Format::Raw,
        _ => return Err(Box::new(invalid("Invalid value for format"))),
    };
    if reach == Reach::Metadata && matches!(format, Format::Full | Format::Raw) {
        let message = format!(
            "Metadata scope doesn't allow format {}",
            name.to_uppercase()
        );
        return Err(Box::new(forbidden(&message)));
    }
    Ok(format)
}

/// Which messages a list of messages or threads shows, newest first.
pub(super) struct Selection<'a> {
    /// The side that is asked.
    pub(super) side: &'a GmailSide,
    /// The mailbox that is asked.
    pub(super) mailbox: &'a Mailbox,
    filter: Filter,
    search: Option<Search>,
    /// Which page is wanted.
    pub(super) page: Page,
}

impl<'a> Selection<'a> {
    /// Reads what a list is asked for.
    pub(super) fn new(
        side: &'a GmailSide,
        asked: &Asked,
        caller: Caller,
        list: List,
    ) -> Result<Self, Box<Answer>> {
        let Some(mailbox) = side.boxes.get(caller.place) else {
            return Err(Box::new(not_found()));
        };
        let mut filter = Filter::new(asked, &mailbox.labels)?;
        let search = match asked.param("q").filter(|query| !query.trim().is_empty()) {
            Some(_) if caller.reach == Reach::Metadata => {
                return Err(Box::new(forbidden(
                    "Metadata scope does not support 'q' parameter",
                )));
            }
            Some(query) => Some(Search::new(query, &mailbox.labels)),
            None => None,
        };
        if search.as_ref().is_some_and(Search::reaches_hidden) {
            filter = filter.showing_all();
        }
        Ok(Self {
            side,
            mailbox,
            filter,
            search,
            page: page(asked, list)?,
        })
    }

    /// Whether a copy is shown.
    pub(super) fn shows(&self, copy: &Copy) -> bool {
        self.filter.shows(&copy.labels)
            && self
                .search
                .as_ref()
                .is_none_or(|search| search.finds(self.side, self.mailbox, copy))
    }

    /// The copies from the page's start on, newest first.
    pub(super) fn copies(&self) -> impl Iterator<Item = &'a Copy> {
        self.mailbox
            .before(self.page.after.unwrap_or(u64::MAX))
            .filter(|copy| self.shows(copy))
    }
}

/// Answers a page of the list of messages.
pub(super) fn list(world: &World, asked: &Asked, caller: Caller) -> Answer {
    let side = world.gmail();
    let selection = match Selection::new(&side, asked, caller, List::Messages) {
        Ok(selection) => selection,
        Err(refusal) => return *refusal,
    };
    let mut found = selection.copies();
    let copies: Vec<&Copy> = found.by_ref().take(selection.page.max).collect();
    let more = found.next().is_some();
    drop(found);
    let messages: Vec<Value> = copies
        .iter()
        .map(|copy| json!({"id": id_text(copy.id), "threadId": id_text(copy.thread)}))
        .collect();
    let ids = copies.iter().map(|copy| id_text(copy.id)).collect();
    let last = copies.last().map(|copy| copy.id).filter(|_| more);
    let body = listed(
        ("messages", messages),
        last.map(|id| token(id, List::Messages)),
    );
    Answer::json(200, &body).page(served("messages", RequestClass::GmailList, ids))
}

/// The body of a list: an empty one leaves its key out.
pub(super) fn listed(rows: (&str, Vec<Value>), next: Option<String>) -> Value {
    let (key, rows) = rows;
    // The vendor's estimate is good for nothing; so is this one.
    let estimate = if next.is_some() { 201 } else { rows.len() };
    let mut body = json!({"resultSizeEstimate": estimate});
    if let Some(map) = body.as_object_mut() {
        if !rows.is_empty() {
            map.insert(key.to_owned(), Value::from(rows));
        }
        if let Some(next) = next {
            map.insert("nextPageToken".to_owned(), Value::from(next));
        }
    }
    body
}

/// Says which records an answer carries.
pub(super) fn served(object: &str, class: RequestClass, ids: Vec<String>) -> PageServed {
    PageServed {
        vendor: Vendor::Gmail,
        object: object.to_owned(),
        class,
        ids,
    }
}

/// Answers one message.
pub(super) fn get(world: &World, asked: &Asked, caller: Caller, id: &str) -> Answer {
    let writer = match Writer::new(world, asked, caller) {
        Ok(writer) => writer,
        Err(refusal) => return *refusal,
    };
    let Some(number) = parse_id(id) else {
        return invalid("Invalid id value");
    };
    let side = world.gmail();
    let Some(mailbox) = side.boxes.get(caller.place) else {
        return not_found();
    };
    let Some(copy) = mailbox.find(number) else {
        return not_found();
    };
    let page = served("messages", RequestClass::GmailGet, vec![id.to_owned()]);
    Answer::text(200, writer.text(&side, mailbox, copy)).page(page)
}

/// Writes messages as they are asked for.
pub(super) struct Writer<'a> {
    format: Format,
    reach: Reach,
    wanted: Vec<&'a str>,
    nonce: u64,
}

impl<'a> Writer<'a> {
    /// Reads how messages are to be written.
    pub(super) fn new(
        world: &World,
        asked: &'a Asked,
        caller: Caller,
    ) -> Result<Self, Box<Answer>> {
        Ok(Self {
            format: format(asked, caller.reach)?,
            reach: caller.reach,
            wanted: asked.list("metadataHeaders").unwrap_or_default(),
            nonce: world.desk().gmail.next_number(),
        })
    }

    /// Whether the raw message is wanted.
    pub(super) fn is_raw(&self) -> bool {
        self.format == Format::Raw
    }

    /// Writes a message as JSON text.
    pub(super) fn text(&self, side: &GmailSide, mailbox: &Mailbox, copy: &Copy) -> String {
        if let Some(raw) = mailbox.raw(copy.id) {
            return raw.to_owned();
        }
        let Some(mail) = mail_of(side, mailbox, copy) else {
            return "{}".to_owned();
        };
        let at_ms = side.letter(copy).map_or(0, |letter| letter.at_ms);
        let mut value = json!({
            "id": id_text(copy.id),
            "threadId": id_text(copy.thread),
            "historyId": copy.history_id.to_string(),
            "internalDate": at_ms.to_string(),
            "sizeEstimate": mail.size_estimate(),
        });
        let Some(map) = value.as_object_mut() else {
            return String::new();
        };
        let labels = mailbox.labels.ids(&copy.labels);
        if !labels.is_empty() {
            map.insert("labelIds".to_owned(), Value::from(labels));
        }
        if self.reach == Reach::Bodies {
            map.insert("snippet".to_owned(), Value::from(mail.snippet()));
        }
        match self.format {
            Format::Full => map.insert("payload".to_owned(), mail.full(self.nonce)),
            Format::Metadata => map.insert("payload".to_owned(), mail.metadata(&self.wanted)),
            Format::Raw => map.insert("raw".to_owned(), URL_SAFE.encode(mail.raw()).into()),
            Format::Minimal => None,
        };
        value.to_string()
    }
}

/// Who looks at a copy.
pub(crate) fn view<'a>(mailbox: &'a Mailbox, copy: &Copy) -> View<'a> {
    if copy.labels.has(SENT) || copy.labels.has(DRAFT) {
        View::Sender
    } else {
        View::Receiver(&mailbox.address)
    }
}

/// The mail that a copy is.
pub(crate) fn mail_of(side: &GmailSide, mailbox: &Mailbox, copy: &Copy) -> Option<Mail> {
    let letter = side.letter(copy)?;
    Some(compose(side, letter, view(mailbox, copy)))
}

/// Answers one attachment's bytes.
pub(super) fn attachment(world: &World, caller: Caller, id: &str, attachment: &str) -> Answer {
    if caller.reach == Reach::Metadata {
        return forbidden("Metadata scope doesn't allow attachments");
    }
    let side = world.gmail();
    let bytes = side.boxes.get(caller.place).and_then(|mailbox| {
        let copy = mailbox.find(parse_id(id)?)?;
        mail_of(&side, mailbox, copy)?.attachment(attachment)
    });
    match bytes {
        Some(bytes) => Answer::json(
            200,
            &json!({"size": bytes.len(), "data": URL_SAFE.encode(bytes)}),
        ),
        None => not_found(),
    }
}
