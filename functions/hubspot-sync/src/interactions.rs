//! What HubSpot's activities tell of interactions. Whom an activity is about is told by its associations.

use salesync_core::interaction::{
    Direction, DurationOf, InteractionColumns, InteractionKind, KindOf, OurColumns, OurUser,
    Parties, Role, Same, ValueOf,
};

use crate::owners;

/// Who of us it was: the record's owner.
pub(crate) const OWNER: &[OurUser] = &[OurUser::Record {
    column: "hubspot_owner_id",
    stream: owners::STREAM,
}];

/// The people that an activity is associated with.
const fn people(role: Role) -> Parties {
    Parties::Records {
        role,
        column: "associations_contacts",
        streams: &["contacts"],
    }
}

/// The companies that an activity is associated with.
const COMPANIES: Parties = Parties::Records {
    role: Role::About,
    column: "associations_companies",
    streams: &["companies"],
};

const fn mailbox(role: Role, column: &'static str) -> Parties {
    Parties::Named {
        role,
        address: Some(column),
        phone: None,
        name: None,
    }
}

const fn number(role: Role, column: &'static str) -> Parties {
    Parties::Named {
        role,
        address: None,
        phone: Some(column),
        name: None,
    }
}

/// The activities.
pub(crate) const INTERACTIONS: &[InteractionColumns] = &[
    InteractionColumns {
        happened: &["hs_timestamp", "hs_createdate"],
        direction: Some(ValueOf {
            column: "hs_call_direction",
            values: &[
                ("INBOUND", Direction::Inbound),
                ("OUTBOUND", Direction::Outbound),
            ],
        }),
        subject: &["hs_call_title"],
        duration: Some(DurationOf::Millis("hs_call_duration")),
        our_user: OWNER,
        parties: &[
            people(Role::OtherSide),
            number(Role::From, "hs_call_from_number"),
            number(Role::To, "hs_call_to_number"),
            COMPANIES,
        ],
        ..InteractionColumns::of("calls", KindOf::Always(InteractionKind::Call))
    },
    InteractionColumns {
        same: Same::Message("hs_email_message_id"),
        happened: &["hs_timestamp", "hs_createdate"],
        // A forwarded mail (FORWARDED_EMAIL) can be from either side: its sender tells.
        direction: Some(ValueOf {
            column: "hs_email_direction",
            values: &[
                ("EMAIL", Direction::Outbound),
                ("INCOMING_EMAIL", Direction::Inbound),
            ],
        }),
        subject: &["hs_email_subject"],
        thread: Some("hs_email_thread_id"),
        our_user: OWNER,
        parties: &[
            mailbox(Role::From, "hs_email_from_email"),
            mailbox(Role::To, "hs_email_to_email"),
            mailbox(Role::Cc, "hs_email_cc_email"),
            mailbox(Role::Bcc, "hs_email_bcc_email"),
            people(Role::With),
            COMPANIES,
        ],
        ..InteractionColumns::of("emails", KindOf::Always(InteractionKind::Email))
    },
    InteractionColumns {
        happened: &["hs_meeting_start_time", "hs_timestamp", "hs_createdate"],
        subject: &["hs_meeting_title"],
        duration: Some(DurationOf::Until("hs_meeting_end_time")),
        our_user: OWNER,
        parties: &[people(Role::With), COMPANIES],
        ..InteractionColumns::of("meetings", KindOf::Always(InteractionKind::Meeting))
    },
    InteractionColumns {
        happened: &["hs_timestamp", "hs_createdate"],
        our_user: OWNER,
        parties: &[people(Role::About), COMPANIES],
        ..InteractionColumns::of("notes", KindOf::Always(InteractionKind::Note))
    },
    // What is done counts when it was done, what is not when it is due.
    InteractionColumns {
        happened: &["hs_task_completion_date", "hs_timestamp", "hs_createdate"],
        subject: &["hs_task_subject"],
        our_user: OWNER,
        parties: &[people(Role::About), COMPANIES],
        ..InteractionColumns::of("tasks", KindOf::Always(InteractionKind::Task))
    },
];

/// The owners are our people.
pub(crate) const OURS: &[OurColumns] = &[OurColumns {
    addresses: &["email"],
    names: &["firstName", "lastName"],
    ..OurColumns::of(owners::STREAM)
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
