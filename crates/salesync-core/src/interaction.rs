//! What a source's rows tell of interactions, as data: each vendor's folder says which of its columns mean what,
//! and [`crate::publish`] makes `interactions` and `interaction_parties` of it.
//!
//! Wherever a column is named here, a member of a JSON column can be named too: `target.email` is the member
//! `email` of the JSON object in the column `target`. Columns that an account does not have are passed over.
//!
//! Mails in several mailboxes, with a table of who is named in them:
//!
//! ```
//! use salesync_core::interaction::{
//!     InteractionColumns, InteractionKind, KindOf, OurColumns, OurUser, Parties, Role, Same,
//! };
//!
//! const INTERACTIONS: &[InteractionColumns] = &[InteractionColumns {
//!     part: Some("mailbox"),
//!     same: Same::Message("rfc822_message_id"),
//!     happened: &["received_at"],
//!     subject: &["subject"],
//!     thread: Some("thread_id"),
//!     our_user: &[OurUser::Said("mailbox")],
//!     parties: &[Parties::Rows {
//!         stream: "message_participants",
//!         owner: "message_id",
//!         role: ("role", &[("from", Role::From), ("to", Role::To), ("cc", Role::Cc)]),
//!         place: Some("position"),
//!         address: "address",
//!         name: Some("display_name"),
//!     }],
//!     ..InteractionColumns::of("messages", KindOf::Always(InteractionKind::Email))
//! }];
//!
//! const OURS: &[OurColumns] = &[OurColumns {
//!     addresses: &["address"],
//!     ..OurColumns::of("mailboxes")
//! }];
//! # assert_eq!((INTERACTIONS[0].stream, OURS[0].stream), ("messages", "mailboxes"));
//! ```
//!
//! Calls of several legs, of which the one with a human being speaks for the conversation:
//!
//! ```
//! use salesync_core::interaction::{
//!     Direction, DurationOf, InteractionColumns, InteractionKind, KindOf, OurUser, Parties, Role,
//!     Same, Speaker, ValueOf,
//! };
//!
//! const INTERACTIONS: &[InteractionColumns] = &[InteractionColumns {
//!     same: Same::Conversation {
//!         column: "conversation_id",
//!         speaker: Speaker { column: "target.type", values: &["user"] },
//!     },
//!     happened: &["date_connected", "date_started"],
//!     direction: Some(ValueOf {
//!         column: "direction",
//!         values: &[("inbound", Direction::Inbound), ("outbound", Direction::Outbound)],
//!     }),
//!     duration: Some(DurationOf::Millis("duration")),
//!     our_user: &[OurUser::Said("target.email"), OurUser::Said("target.name")],
//!     parties: &[Parties::Named {
//!         role: Role::OtherSide,
//!         address: Some("contact.email"),
//!         phone: Some("external_number"),
//!         name: Some("contact.name"),
//!     }],
//!     ..InteractionColumns::of("calls", KindOf::Always(InteractionKind::Call))
//! }];
//! # assert_eq!(INTERACTIONS[0].stream, "calls");
//! ```

use crate::source::Except;

/// Which columns of a stream's table tell of an interaction; one row tells of one.
#[derive(Debug, Clone, Copy)]
pub struct InteractionColumns {
    /// The stream.
    pub stream: &'static str,
    /// The column with the part that a row is of, in a table whose key has one.
    pub part: Option<&'static str>,
    /// The rows that tell of nothing.
    pub except: Option<Except>,
    /// What kind of interaction it is.
    pub kind: KindOf,
    /// Which rows tell of the same one.
    pub same: Same,
    /// When it happened: the first of these columns that holds a time or a day.
    pub happened: &'static [&'static str],
    /// Who began it. Where no value is known, the sender tells: one of ours, or not.
    pub direction: Option<ValueOf<Direction>>,
    /// What it is about: the first of these columns that says something.
    pub subject: &'static [&'static str],
    /// The column with the thread or conversation that it is part of.
    pub thread: Option<&'static str>,
    /// How long it took.
    pub duration: Option<DurationOf>,
    /// Which of us took part: the first of these that says something.
    pub our_user: &'static [OurUser],
    /// Who else took part, or who it is about.
    pub parties: &'static [Parties],
}

impl InteractionColumns {
    /// Returns a declaration that says nothing but the stream and the kind, to be filled in.
    #[must_use]
    pub const fn of(stream: &'static str, kind: KindOf) -> Self {
        Self {
            stream,
            part: None,
            except: None,
            kind,
            same: Same::Row,
            happened: &[],
            direction: None,
            subject: &[],
            thread: None,
            duration: None,
            our_user: &[],
            parties: &[],
        }
    }
}

/// What happened between people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InteractionKind {
    /// An e-mail.
    Email,
    /// A call.
    Call,
    /// A meeting.
    Meeting,
    /// A note about somebody.
    Note,
    /// Something to be done about somebody, or done.
    Task,
    /// A text message.
    Text,
}

impl InteractionKind {
    /// Returns the word that tables carry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Call => "call",
            Self::Meeting => "meeting",
            Self::Note => "note",
            Self::Task => "task",
            Self::Text => "text",
        }
    }
}

/// Who began an interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Somebody else.
    Inbound,
    /// One of us.
    Outbound,
    /// One of us, and only we took part.
    Internal,
}

impl Direction {
    /// Returns the word that tables carry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::Internal => "internal",
        }
    }
}

/// A column whose values mean something; case does not count.
#[derive(Debug, Clone, Copy)]
pub struct ValueOf<T: 'static> {
    /// The column.
    pub column: &'static str,
    /// What each value means; other values say nothing.
    pub values: &'static [(&'static str, T)],
}

/// What kind of interaction a row tells of.
#[derive(Debug, Clone, Copy)]
pub enum KindOf {
    /// Always the same.
    Always(InteractionKind),
    /// By a column's value, and the second where that says nothing.
    By(ValueOf<InteractionKind>, InteractionKind),
}

/// Which rows tell of the same interaction.
#[derive(Debug, Clone, Copy)]
pub enum Same {
    /// None: each row tells of its own.
    Row,
    /// Those with the same Message-ID in this column, in whichever part, stream and source. Angle brackets do
    /// not count, case does. A row without one tells of its own.
    Message(&'static str),
    /// Those of the stream with the same value in `column`. A row without one tells of its own.
    Conversation {
        /// The column.
        column: &'static str,
        /// Which row speaks for all.
        speaker: Speaker,
    },
}

/// The rows that speak before others; of several the earliest does.
#[derive(Debug, Clone, Copy)]
pub struct Speaker {
    /// The column that tells.
    pub column: &'static str,
    /// The values that it has in those rows.
    pub values: &'static [&'static str],
}

/// How long an interaction took.
#[derive(Debug, Clone, Copy)]
pub enum DurationOf {
    /// The column holds milliseconds.
    Millis(&'static str),
    /// The column holds seconds.
    Seconds(&'static str),
    /// The column holds minutes.
    Minutes(&'static str),
    /// The column holds the time at which it ended.
    Until(&'static str),
}

/// Where a row says which of us took part.
#[derive(Debug, Clone, Copy)]
pub enum OurUser {
    /// The column holds the id of a record in a stream of ours (see [`OurColumns`]).
    Record {
        /// The column.
        column: &'static str,
        /// The stream.
        stream: &'static str,
    },
    /// The column holds an address or a name.
    Said(&'static str),
}

impl OurUser {
    /// Returns the column that says it.
    pub(crate) fn column(&self) -> &'static str {
        match *self {
            Self::Record { column, .. } | Self::Said(column) => column,
        }
    }
}

/// What somebody was in an interaction, in the order in which the one is sought whom it was mainly with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Who wrote or called.
    From,
    /// Who it was addressed to.
    To,
    /// The other side of a call: who called where it is inbound, who was called where it is outbound.
    OtherSide,
    /// Who got a copy.
    Cc,
    /// Who got a copy that the others do not know of.
    Bcc,
    /// Who took part.
    With,
    /// Who sent it for the one who wrote it.
    Sender,
    /// Who is to be answered.
    ReplyTo,
    /// Who it is about.
    About,
}

impl Role {
    /// Returns the word that tables carry.
    #[must_use]
    pub fn as_str(self, direction: Option<Direction>) -> &'static str {
        match (self, direction) {
            (Self::From, _) | (Self::OtherSide, Some(Direction::Inbound)) => "from",
            (Self::To, _) | (Self::OtherSide, Some(Direction::Outbound)) => "to",
            (Self::With | Self::OtherSide, _) => "with",
            (Self::Cc, _) => "cc",
            (Self::Bcc, _) => "bcc",
            (Self::Sender, _) => "sender",
            (Self::ReplyTo, _) => "reply_to",
            (Self::About, _) => "about",
        }
    }
}

/// Where a row names those who took part.
#[derive(Debug, Clone, Copy)]
pub enum Parties {
    /// By records of the same source: people or companies.
    Records {
        /// What they were.
        role: Role,
        /// The column with an id, or with a JSON list of ids.
        column: &'static str,
        /// The streams that the ids can be of; the first that has one counts.
        streams: &'static [&'static str],
    },
    /// By what stands in columns of the row: at least an address or a phone number.
    Named {
        /// What they were.
        role: Role,
        /// The column with an address, with several that commas or semicolons part, or with a JSON list.
        address: Option<&'static str>,
        /// The column with a phone number.
        phone: Option<&'static str>,
        /// The column with their name.
        name: Option<&'static str>,
    },
    /// By the rows of another table, one each. A table in parts has the part in a column of the same name.
    Rows {
        /// The other table's stream.
        stream: &'static str,
        /// The column, there, with the id of the row that tells of the interaction.
        owner: &'static str,
        /// The column, there, that says what they were, and its values; rows with others are passed over.
        role: (&'static str, &'static [(&'static str, Role)]),
        /// The column, there, with the place among those of the same role.
        place: Option<&'static str>,
        /// The column, there, with the address.
        address: &'static str,
        /// The column, there, with the name.
        name: Option<&'static str>,
    },
}

/// Which columns of a stream say who we are: our own users, owners or mailboxes. Their addresses and numbers are
/// ours, and so is every address at their domains, those of free-mail providers excepted. Whoever has left us was
/// ours: rows that are marked as deleted count too.
#[derive(Debug, Clone, Copy)]
pub struct OurColumns {
    /// The stream.
    pub stream: &'static str,
    /// Where a table also holds users who are not ours: a column, and the values that it has in ours.
    pub only: Option<(&'static str, &'static [&'static str])>,
    /// The columns with addresses: one, or a JSON list.
    pub addresses: &'static [&'static str],
    /// The columns with phone numbers: one, or a JSON list.
    pub phones: &'static [&'static str],
    /// The columns whose values make up the name.
    pub names: &'static [&'static str],
}

impl OurColumns {
    /// Returns a declaration that says nothing but the stream, to be filled in.
    #[must_use]
    pub const fn of(stream: &'static str) -> Self {
        Self {
            stream,
            only: None,
            addresses: &[],
            phones: &[],
            names: &[],
        }
    }
}

/// Returns what a value means.
pub(crate) fn meaning<T: Copy>(values: &[(&str, T)], value: &str) -> Option<T> {
    let known = values
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(value));
    known.map(|(_, meaning)| *meaning)
}
