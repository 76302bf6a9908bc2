//! What messages tell: of interactions, and of who those are who are named in them. Drafts and spam tell nothing.

use salesync_core::interaction::{
    InteractionColumns, InteractionKind, KindOf, OurColumns, OurUser, Parties, Role, Same,
};
use salesync_core::resolve::{ColumnField, EntityKind};
use salesync_core::source::{Except, IdentityColumns};

use crate::tables::MAILBOX;

/// The messages with a label that makes them nothing; `about` says how they are known there and here.
const fn no_mail(about: &'static [(&'static str, &'static str)]) -> Option<Except> {
    Some(Except {
        stream: "message_labels",
        about,
        column: "label_id",
        values: &["DRAFT", "SPAM"],
    })
}

/// Everybody who is named in a message, by the address.
pub(crate) const IDENTITIES: &[IdentityColumns] = &[IdentityColumns {
    columns: &[
        (ColumnField::Email, "address"),
        (ColumnField::Name, "display_name"),
    ],
    named_by: "address",
    said_at: "internalDate",
    except: no_mail(&[(MAILBOX, MAILBOX), ("message_id", "message_id")]),
    ..IdentityColumns::of("message_participants", EntityKind::Person)
}];

/// The messages: the same one in several mailboxes is one.
pub(crate) const INTERACTIONS: &[InteractionColumns] = &[InteractionColumns {
    part: Some(MAILBOX),
    except: no_mail(&[(MAILBOX, MAILBOX), ("message_id", "id")]),
    same: Same::Message("rfc822_message_id"),
    happened: &["internalDate", "date"],
    subject: &["subject"],
    thread: Some("threadId"),
    our_user: &[OurUser::Said(MAILBOX)],
    parties: &[Parties::Rows {
        stream: "message_participants",
        owner: "message_id",
        role: (
            "role",
            &[
                ("from", Role::From),
                ("to", Role::To),
                ("cc", Role::Cc),
                ("bcc", Role::Bcc),
                ("sender", Role::Sender),
                ("reply_to", Role::ReplyTo),
            ],
        ),
        place: Some("position"),
        address: "address",
        name: Some("display_name"),
    }],
    ..InteractionColumns::of("messages", KindOf::Always(InteractionKind::Email))
}];

/// The mailboxes are ours.
pub(crate) const OURS: &[OurColumns] = &[OurColumns {
    addresses: &["emailAddress"],
    ..OurColumns::of("mailboxes")
}];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SOURCE;

    #[test]
    fn every_stream_that_tells_something_is_read() {
        let told = INTERACTIONS.iter().map(|it| it.stream);
        let named = IDENTITIES.iter().map(|it| it.stream);
        let ours = OURS.iter().map(|it| it.stream);
        for stream in told.chain(named).chain(ours) {
            assert!(SOURCE.streams.contains(&stream), "{stream}");
        }
    }
}
