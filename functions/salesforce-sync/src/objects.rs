//! What is read: one row per object. A new object is one row here, and one of [`IDENTITIES`] where its
//! records are people or companies.

use salesync_core::resolve::{ColumnField, EntityKind};
use salesync_core::source::IdentityColumns;

/// An object that is read as a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Object {
    /// The stream's name.
    pub(crate) stream: &'static str,
    /// The object's name in the API.
    pub(crate) name: &'static str,
    /// What its table holds.
    pub(crate) comment: &'static str,
}

macro_rules! objects {
    ($($stream:literal: $name:literal, $comment:literal;)+) => {
        /// Every object, in the order in which they are read.
        pub(crate) const OBJECTS: &[Object] =
            &[$(Object { stream: $stream, name: $name, comment: $comment },)+];
        /// The names of the streams, in the same order.
        pub(crate) const STREAMS: &[&str] = &[$($stream,)+];
    };
}

objects! {
    "accounts": "Account", "Salesforce accounts: the companies that the organisation deals with";
    "contacts": "Contact", "Salesforce contacts: the people at its accounts";
    "leads": "Lead", "Salesforce leads: people who are not yet contacts";
    "opportunities": "Opportunity", "Salesforce opportunities: deals, their stage and their amount";
    "users": "User", "Salesforce users: who owns and edits the records";
    "tasks": "Task", "Salesforce tasks: what someone is to do, and the calls and e-mails that were made";
    "events": "Event", "Salesforce events: meetings, with their beginning and end";
}

/// Returns the object that is read as `stream`.
pub(crate) fn of_stream(stream: &str) -> Option<&'static Object> {
    OBJECTS.iter().find(|object| object.stream == stream)
}

/// Which columns say who a person or company is.
pub(crate) const IDENTITIES: &[IdentityColumns] = &[
    IdentityColumns {
        columns: &[
            (ColumnField::Name, "Name"),
            (ColumnField::Website, "Website"),
            (ColumnField::Phone, "Phone"),
            (ColumnField::Street, "BillingStreet"),
            (ColumnField::City, "BillingCity"),
            (ColumnField::Region, "BillingState"),
            (ColumnField::PostalCode, "BillingPostalCode"),
            (ColumnField::Country, "BillingCountry"),
        ],
        ..IdentityColumns::of("accounts", EntityKind::Company)
    },
    IdentityColumns {
        columns: &[
            (ColumnField::FirstName, "FirstName"),
            (ColumnField::LastName, "LastName"),
            (ColumnField::Name, "Name"),
            (ColumnField::Email, "Email"),
            (ColumnField::Phone, "Phone"),
            (ColumnField::Phone, "MobilePhone"),
            (ColumnField::Title, "Title"),
            (ColumnField::Street, "MailingStreet"),
            (ColumnField::City, "MailingCity"),
            (ColumnField::Region, "MailingState"),
            (ColumnField::PostalCode, "MailingPostalCode"),
            (ColumnField::Country, "MailingCountry"),
        ],
        employer: Some(("AccountId", "accounts")),
        ..IdentityColumns::of("contacts", EntityKind::Person)
    },
    IdentityColumns {
        columns: &[
            (ColumnField::FirstName, "FirstName"),
            (ColumnField::LastName, "LastName"),
            (ColumnField::Name, "Name"),
            (ColumnField::Company, "Company"),
            (ColumnField::Website, "Website"),
            (ColumnField::Email, "Email"),
            (ColumnField::Phone, "Phone"),
            (ColumnField::Phone, "MobilePhone"),
            (ColumnField::Title, "Title"),
            (ColumnField::Street, "Street"),
            (ColumnField::City, "City"),
            (ColumnField::Region, "State"),
            (ColumnField::PostalCode, "PostalCode"),
            (ColumnField::Country, "Country"),
        ],
        ..IdentityColumns::of("leads", EntityKind::Person)
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_is_one_object_and_every_identity_belongs_to_a_stream() {
        for stream in STREAMS {
            assert_eq!(of_stream(stream).map(|object| object.stream), Some(*stream));
        }
        assert_eq!(of_stream("Account"), None);
        for identity in IDENTITIES {
            assert!(of_stream(identity.stream).is_some());
            assert!(
                identity
                    .employer
                    .is_none_or(|(_, stream)| of_stream(stream).is_some())
            );
        }
    }
}
