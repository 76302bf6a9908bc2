//! One message, decoded: who wrote to whom, when, under which subject, with which attachments and text.
//!
//! A message comes in one of two shapes: as the service's tree of parts ([`from_payload`]) or as the text
//! that was sent ([`from_raw`]). Both give the same [`Mail`]. No input makes a function here panic, and none
//! costs more than time in proportion to its length: what is broken is read as far as it can be, and
//! [`Mail::repairs`] says what had to be mended. Only an input that has not the documented shape at all is
//! a [`Reject`](salesync_core::record::Reject).

mod tree;
mod wire;

mod part;

mod address;
mod attachment;
mod body;
mod field;

mod charset;
mod html;
mod text;
mod transfer;
mod words;

use std::collections::BTreeSet;

use salesync_core::time::Timestamp;

pub(crate) use self::tree::from_payload;
pub(crate) use self::wire::from_raw;

use self::part::Part;

/// The most parts inside of parts that are read.
const MAX_DEPTH: usize = 64;

/// One message, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mail {
    /// What it is about: one line, encoded words decoded, runs of white space as one space.
    pub(crate) subject: Option<String>,
    /// The Message-ID without its angle brackets.
    pub(crate) message_id: Option<String>,
    /// The Message-ID that it answers; the first where several are named.
    pub(crate) in_reply_to: Option<String>,
    /// The Message-IDs of the conversation, oldest first.
    pub(crate) references: Vec<String>,
    /// The sender's own clock, where it names a day that there is.
    pub(crate) date: Option<Timestamp>,
    /// Everybody who is named, by role, in the order of the headers.
    pub(crate) participants: Vec<Participant>,
    /// What hangs on it, in the order of its parts.
    pub(crate) attachments: Vec<Attachment>,
    /// Its text; nothing where it has none, or where only its headers were asked for.
    pub(crate) body: Option<Body>,
    /// What had to be mended or left out.
    pub(crate) repairs: Repairs,
}

/// In which header somebody is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    /// Who wrote it.
    From,
    /// Who sent it for the writer.
    Sender,
    /// Who gets the answers.
    ReplyTo,
    /// To whom it is addressed.
    To,
    /// Who gets a copy.
    Cc,
    /// Who gets a copy unseen by the others.
    Bcc,
}

impl Role {
    /// Every role, in the order of [`Mail::participants`].
    pub(crate) const ALL: [Self; 6] = [
        Self::From,
        Self::Sender,
        Self::ReplyTo,
        Self::To,
        Self::Cc,
        Self::Bcc,
    ];

    /// Returns the role as it stands in a row.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::Sender => "sender",
            Self::ReplyTo => "reply_to",
            Self::To => "to",
            Self::Cc => "cc",
            Self::Bcc => "bcc",
        }
    }

    /// Returns the name of its header.
    const fn header(self) -> &'static str {
        match self {
            Self::From => "From",
            Self::Sender => "Sender",
            Self::ReplyTo => "Reply-To",
            Self::To => "To",
            Self::Cc => "Cc",
            Self::Bcc => "Bcc",
        }
    }
}

/// Somebody who is named in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Participant {
    /// In which header.
    pub(crate) role: Role,
    /// The place among those of the same role, from 0.
    pub(crate) position: u32,
    /// The address in lower case, its domain in ASCII; nothing where what stands there is no address.
    pub(crate) address: Option<String>,
    /// The address as it was written, without route, comments and white space; may be no address at all.
    pub(crate) spelling: Option<String>,
    /// The name beside the address.
    pub(crate) display_name: Option<String>,
    /// The name of the group that it stands in.
    pub(crate) group: Option<String>,
}

/// A part that is not the message's text. The service's own id of an attachment is not kept: it is another
/// one with each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    /// The part's place in the message, such as `1.0`; empty where the message is nothing else.
    pub(crate) part_id: String,
    /// Its name.
    pub(crate) filename: Option<String>,
    /// Its type, in lower case, such as `application/pdf`.
    pub(crate) mime_type: String,
    /// Its length, decoded.
    pub(crate) size_bytes: u64,
    /// The id that a text refers to it by, without angle brackets.
    pub(crate) content_id: Option<String>,
    /// `attachment` or `inline`, or what else its sender wrote, in lower case.
    pub(crate) disposition: Option<String>,
}

/// Which kind of part a text was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// From `text/plain`, as it was.
    Plain,
    /// From `text/html`, its marks taken off.
    Html,
}

impl BodyKind {
    /// Returns the kind as it stands in a row.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Html => "html",
        }
    }
}

/// The message's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    /// The text, at most [`body::MAX_TEXT_BYTES`] bytes; lines end with a single line feed.
    pub(crate) text: String,
    /// What it was taken from.
    pub(crate) kind: BodyKind,
    /// The charset that its bytes were read in, by its WHATWG name.
    pub(crate) charset: &'static str,
    /// Whether the text goes on where it ends here.
    pub(crate) truncated: bool,
    /// The length of the part that it was taken from.
    pub(crate) size_bytes: u64,
}

/// What was mended in a message, or left out of it. A set: nothing is in it twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Repairs {
    found: BTreeSet<Repair>,
    /// How many participants are left out, beyond the most that are kept.
    pub(crate) participants_left_out: u64,
}

impl Repairs {
    /// Returns what was mended, each once, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Repair> + '_ {
        self.found.iter().copied()
    }

    fn note(&mut self, repair: Repair) {
        self.found.insert(repair);
    }
}

/// One kind of thing that was mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Repair {
    /// The transfer encoding of the text was broken; what could be read of it was.
    Encoding,
    /// The text holds bytes that its charset does not have.
    Charset,
    /// The text was cut at the most that is kept.
    BodyCut,
    /// The text is not in the message: the service would have to be asked for it by itself.
    BodyElsewhere,
    /// There is a date, and it is none.
    Date,
    /// There is a Message-ID without angle brackets.
    MessageId,
    /// A header is longer than what is read of it.
    HeaderCut,
    /// A line among the headers is none.
    HeaderLine,
    /// Parts are nested deeper, or are more, than what is read.
    PartsLeftOut,
    /// More participants are named than what is kept.
    ParticipantsLeftOut,
}

impl Repair {
    /// Returns the repair as it stands in a row.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Encoding => "encoding",
            Self::Charset => "charset",
            Self::BodyCut => "body_cut",
            Self::BodyElsewhere => "body_elsewhere",
            Self::Date => "date",
            Self::MessageId => "message_id",
            Self::HeaderCut => "header_cut",
            Self::HeaderLine => "header_line",
            Self::PartsLeftOut => "parts_left_out",
            Self::ParticipantsLeftOut => "participants_left_out",
        }
    }
}

/// Reads a tree of parts, whichever shape it came in.
fn read(root: &Part<'_>, mut repairs: Repairs) -> Mail {
    let headers = &root.headers;
    let subject = headers.first("Subject").map(field::line);
    let message_id = headers
        .first("Message-ID")
        .and_then(|value| field::message_id(value, &mut repairs));
    let in_reply_to = headers
        .first("In-Reply-To")
        .and_then(|value| field::ids(value).into_iter().next());
    let references = headers
        .first("References")
        .map(field::ids)
        .unwrap_or_default();
    let date = headers
        .first("Date")
        .and_then(|value| field::date(value, &mut repairs));
    Mail {
        subject: subject.filter(|subject| !subject.is_empty()),
        message_id,
        in_reply_to,
        references,
        date,
        participants: address::participants(headers, &mut repairs),
        attachments: attachment::of(root),
        body: body::of(root, &mut repairs),
        repairs,
    }
}

#[cfg(test)]
mod tests;
