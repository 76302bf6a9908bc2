//! What Salesforce's activities tell of interactions. Calls and e-mails are tasks of a subtype of their own.

use salesync_core::interaction::{
    Direction, DurationOf, InteractionColumns, InteractionKind, KindOf, OurColumns, OurUser,
    Parties, Role, ValueOf,
};

/// Who of us it was: the record's owner.
pub(crate) const OWNER: &[OurUser] = &[OurUser::Record {
    column: "OwnerId",
    stream: "users",
}];

/// Whom an activity was with: a contact or a lead.
const fn who(role: Role) -> Parties {
    Parties::Records {
        role,
        column: "WhoId",
        streams: &["contacts", "leads"],
    }
}

/// What an activity is related to; other objects than accounts are nobody.
const fn account(column: &'static str) -> Parties {
    Parties::Records {
        role: Role::About,
        column,
        streams: &["accounts"],
    }
}

/// The activities.
pub(crate) const INTERACTIONS: &[InteractionColumns] = &[
    // What is done counts when it was done, what is not when it is due.
    InteractionColumns {
        happened: &["CompletedDateTime", "ActivityDate", "CreatedDate"],
        direction: Some(ValueOf {
            column: "CallType",
            values: &[
                ("Inbound", Direction::Inbound),
                ("Outbound", Direction::Outbound),
                ("Internal", Direction::Internal),
            ],
        }),
        subject: &["Subject"],
        duration: Some(DurationOf::Seconds("CallDurationInSeconds")),
        our_user: OWNER,
        parties: &[
            who(Role::OtherSide),
            account("AccountId"),
            account("WhatId"),
        ],
        ..InteractionColumns::of(
            "tasks",
            KindOf::By(
                ValueOf {
                    column: "TaskSubtype",
                    values: &[
                        ("Call", InteractionKind::Call),
                        ("Email", InteractionKind::Email),
                        ("ListEmail", InteractionKind::Email),
                    ],
                },
                InteractionKind::Task,
            ),
        )
    },
    InteractionColumns {
        happened: &[
            "StartDateTime",
            "ActivityDateTime",
            "ActivityDate",
            "CreatedDate",
        ],
        subject: &["Subject"],
        duration: Some(DurationOf::Minutes("DurationInMinutes")),
        our_user: OWNER,
        parties: &[who(Role::With), account("AccountId"), account("WhatId")],
        ..InteractionColumns::of("events", KindOf::Always(InteractionKind::Meeting))
    },
];

/// The users are our people, those of a customers' or partners' portal excepted.
pub(crate) const OURS: &[OurColumns] = &[OurColumns {
    only: Some(("UserType", &["Standard"])),
    addresses: &["Email"],
    phones: &["Phone", "MobilePhone"],
    names: &["Name"],
    ..OurColumns::of("users")
}];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SOURCE;

    #[test]
    fn every_stream_that_tells_something_is_read() {
        let told = INTERACTIONS.iter().map(|it| it.stream);
        let ours = OURS.iter().map(|it| it.stream);
        for stream in told.chain(ours) {
            assert!(SOURCE.streams.contains(&stream), "{stream}");
        }
        for parties in INTERACTIONS.iter().flat_map(|it| it.parties) {
            if let Parties::Records { streams, .. } = parties {
                assert!(streams.iter().all(|it| SOURCE.streams.contains(it)));
            }
        }
    }
}
