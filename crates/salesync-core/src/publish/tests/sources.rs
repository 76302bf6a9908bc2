//! Three invented vendors: one of mail, one of calls, one of people, what was done about them and their deals.

use crate::deal::DealColumns;
use crate::error::{Code, Error};
use crate::interaction::{
    Direction, DurationOf, InteractionColumns, InteractionKind, KindOf, OurColumns, OurUser,
    Parties, Role, Same, Speaker, ValueOf,
};
use crate::resolve::{ColumnField, EntityKind};
use crate::source::{Except, IdentityColumns, SourceDefinition};

const fn source(name: &'static str) -> SourceDefinition {
    SourceDefinition {
        name,
        streams: &[],
        brought: &[],
        after: &[],
        settings: &[],
        base_url: "https://vendor.example",
        identities: &[],
        interactions: &[],
        ours: &[],
        deals: &[],
        connect: |_| Err(Error::new(Code::Internal, "nothing to connect to")),
    }
}

const fn drafts(id: &'static [(&'static str, &'static str)]) -> Option<Except> {
    Some(Except {
        stream: "labels",
        about: id,
        column: "label",
        values: &["DRAFT", "SPAM"],
    })
}

/// Mailboxes in parts, with a table of who is named in each message.
pub(super) static MAIL: SourceDefinition = SourceDefinition {
    identities: &[IdentityColumns {
        columns: &[
            (ColumnField::Email, "address"),
            (ColumnField::Name, "display_name"),
        ],
        named_by: "address",
        said_at: "received_at",
        except: drafts(&[("mailbox", "mailbox"), ("message_id", "message_id")]),
        ..IdentityColumns::of("participants", EntityKind::Person)
    }],
    interactions: &[InteractionColumns {
        part: Some("mailbox"),
        except: drafts(&[("mailbox", "mailbox"), ("message_id", "id")]),
        same: Same::Message("header_id"),
        happened: &["received_at"],
        subject: &["subject"],
        thread: Some("thread"),
        our_user: &[OurUser::Said("mailbox")],
        parties: &[Parties::Rows {
            stream: "participants",
            owner: "message_id",
            role: (
                "role",
                &[
                    ("from", Role::From),
                    ("to", Role::To),
                    ("cc", Role::Cc),
                    ("bcc", Role::Bcc),
                    ("reply_to", Role::ReplyTo),
                ],
            ),
            place: Some("position"),
            address: "address",
            name: Some("display_name"),
        }],
        ..InteractionColumns::of("messages", KindOf::Always(InteractionKind::Email))
    }],
    ours: &[OurColumns {
        addresses: &["address"],
        ..OurColumns::of("mailboxes")
    }],
    ..source("mail")
};

/// Calls of several legs.
pub(super) static PHONE: SourceDefinition = SourceDefinition {
    identities: &[IdentityColumns {
        columns: &[
            (ColumnField::Phone, "external"),
            (ColumnField::Name, "contact.name"),
        ],
        named_by: "external",
        said_at: "started",
        ..IdentityColumns::of("calls", EntityKind::Person)
    }],
    interactions: &[InteractionColumns {
        same: Same::Conversation {
            column: "conversation",
            speaker: Speaker {
                column: "target.type",
                values: &["user"],
            },
        },
        happened: &["connected", "started"],
        direction: Some(ValueOf {
            column: "direction",
            values: &[
                ("inbound", Direction::Inbound),
                ("outbound", Direction::Outbound),
            ],
        }),
        thread: Some("conversation"),
        duration: Some(DurationOf::Millis("duration")),
        our_user: &[OurUser::Said("target.email"), OurUser::Said("target.name")],
        parties: &[Parties::Named {
            role: Role::OtherSide,
            address: None,
            phone: Some("external"),
            name: Some("contact.name"),
        }],
        ..InteractionColumns::of("calls", KindOf::Always(InteractionKind::Call))
    }],
    ..source("phone")
};

/// People, companies, what was done about them, and deals with them.
pub(super) static CRM: SourceDefinition = SourceDefinition {
    identities: &[
        IdentityColumns {
            columns: &[
                (ColumnField::Name, "name"),
                (ColumnField::Email, "email"),
                (ColumnField::Phone, "phone"),
            ],
            employer: Some(("company", "companies")),
            ..IdentityColumns::of("people", EntityKind::Person)
        },
        IdentityColumns {
            columns: &[
                (ColumnField::Name, "name"),
                (ColumnField::Website, "site"),
                (ColumnField::Phone, "phone"),
            ],
            ..IdentityColumns::of("companies", EntityKind::Company)
        },
    ],
    interactions: &[InteractionColumns {
        same: Same::Message("header_id"),
        happened: &["done", "due"],
        subject: &["subject"],
        duration: Some(DurationOf::Until("ended")),
        our_user: &[OurUser::Record {
            column: "owner",
            stream: "users",
        }],
        parties: &[
            Parties::Records {
                role: Role::OtherSide,
                column: "whom",
                streams: &["people"],
            },
            Parties::Named {
                role: Role::From,
                address: None,
                phone: Some("from_number"),
                name: None,
            },
            Parties::Records {
                role: Role::About,
                column: "company",
                streams: &["companies"],
            },
        ],
        ..InteractionColumns::of(
            "activities",
            KindOf::By(
                ValueOf {
                    column: "type",
                    values: &[
                        ("CALL", InteractionKind::Call),
                        ("MAIL", InteractionKind::Email),
                    ],
                },
                InteractionKind::Task,
            ),
        )
    }],
    ours: &[OurColumns {
        only: Some(("type", &["standard"])),
        addresses: &["email"],
        names: &["first", "last"],
        ..OurColumns::of("users")
    }],
    deals: &[DealColumns {
        name: Some("name"),
        amount: Some("amount"),
        currency: Some("currency"),
        stage: Some("stage"),
        closed: Some("closed"),
        won: Some("won"),
        created: &["made"],
        closes: &["ended", "expected"],
        company: Some(("company", "companies")),
        our_user: &[OurUser::Record {
            column: "owner",
            stream: "users",
        }],
        ..DealColumns::of("deals")
    }],
    ..source("crm")
};
