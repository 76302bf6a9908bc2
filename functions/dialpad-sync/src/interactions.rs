//! What calls, texts and contacts tell: of interactions, and of who the other side is.

use salesync_core::interaction::{
    Direction, DurationOf, InteractionColumns, InteractionKind, KindOf, OurColumns, OurUser,
    Parties, Role, Same, Speaker, ValueOf,
};
use salesync_core::resolve::{ColumnField, EntityKind};
use salesync_core::source::IdentityColumns;

/// Which way a call or text went.
const DIRECTION: Option<ValueOf<Direction>> = Some(ValueOf {
    column: "direction",
    values: &[
        ("inbound", Direction::Inbound),
        ("outbound", Direction::Outbound),
    ],
});

/// The contacts, and whoever called or was called, by the number.
pub(crate) const IDENTITIES: &[IdentityColumns] = &[
    IdentityColumns {
        columns: &[
            (ColumnField::FirstName, "first_name"),
            (ColumnField::LastName, "last_name"),
            (ColumnField::Email, "primary_email"),
            (ColumnField::Phone, "primary_phone"),
            (ColumnField::Company, "company_name"),
            (ColumnField::Title, "job_title"),
        ],
        ..IdentityColumns::of("contacts", EntityKind::Person)
    },
    IdentityColumns {
        columns: &[
            (ColumnField::Phone, "external_number"),
            (ColumnField::Name, "contact_name"),
            (ColumnField::Email, "contact.email"),
        ],
        named_by: "external_number",
        said_at: "date_started",
        ..IdentityColumns::of("calls", EntityKind::Person)
    },
];

/// The calls, of which the leg with a person of ours speaks for the conversation, and the texts.
pub(crate) const INTERACTIONS: &[InteractionColumns] = &[
    InteractionColumns {
        same: Same::Conversation {
            column: "conversation_id",
            speaker: Speaker {
                column: "target_type",
                values: &["user"],
            },
        },
        happened: &["date_started", "date_connected", "date_ended"],
        direction: DIRECTION,
        thread: Some("conversation_id"),
        duration: Some(DurationOf::Millis("duration")),
        our_user: &[OurUser::Said("target_email"), OurUser::Said("target_name")],
        parties: &[Parties::Named {
            role: Role::OtherSide,
            address: Some("contact.email"),
            phone: Some("external_number"),
            name: Some("contact_name"),
        }],
        ..InteractionColumns::of("calls", KindOf::Always(InteractionKind::Call))
    },
    InteractionColumns {
        happened: &["date"],
        direction: DIRECTION,
        our_user: &[OurUser::Said("email"), OurUser::Said("name")],
        parties: &[
            number(Role::From, "from_phone"),
            number(Role::To, "to_phone"),
        ],
        ..InteractionColumns::of("texts", KindOf::Always(InteractionKind::Text))
    },
];

const fn number(role: Role, column: &'static str) -> Parties {
    Parties::Named {
        role,
        address: None,
        phone: Some(column),
        name: None,
    }
}

/// The users are our people, and the numbers ours.
pub(crate) const OURS: &[OurColumns] = &[
    OurColumns {
        addresses: &["emails"],
        phones: &["phone_numbers"],
        names: &["display_name"],
        ..OurColumns::of("users")
    },
    OurColumns {
        phones: &["id"],
        ..OurColumns::of("numbers")
    },
];

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
