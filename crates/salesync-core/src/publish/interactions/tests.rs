use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::Array;
use arrow::util::display::array_value_to_string;

use crate::batch::{Batch, RowBuffer};
use crate::error::{Code, Error};
use crate::interaction::{
    Direction, DurationOf, InteractionColumns, InteractionKind, KindOf, OurColumns, OurUser,
    Parties, Role, Same, Speaker, ValueOf,
};
use crate::memory::MemoryWarehouse;
use crate::publish::{Resolved, resolve_and_publish};
use crate::record::{Change, Deletion, DeletionReason, Value};
use crate::resolve::{ColumnField, EntityKind};
use crate::run::RunId;
use crate::schema::{Column, ColumnType, Table};
use crate::source::{Except, IdentityColumns, SourceDefinition};
use crate::time::Timestamp;
use crate::validate::SqlIdentifier;
use crate::warehouse::{Scan, Warehouse};

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
static MAIL: SourceDefinition = SourceDefinition {
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
static PHONE: SourceDefinition = SourceDefinition {
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

/// People, companies and what was done about them.
static CRM: SourceDefinition = SourceDefinition {
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
    ..source("crm")
};

type Cells<'a> = &'a [(&'a str, &'a str)];
type Row = BTreeMap<String, String>;

/// A warehouse with hand-made tables.
#[derive(Default)]
struct World(MemoryWarehouse);

impl World {
    /// Puts rows into a table; `id` is the key, a cell `_merged_into` marks the row as merged.
    async fn put(&self, name: &str, rows: &[Cells<'_>]) {
        self.put_at(name, rows, 1).await;
    }

    async fn put_at(&self, name: &str, rows: &[Cells<'_>], version: i64) {
        let mut names: Vec<&str> = rows
            .iter()
            .flat_map(|row| row.iter())
            .map(|(name, _)| *name)
            .collect();
        names.retain(|name| *name != "id" && !name.starts_with('_'));
        names.sort_unstable();
        names.dedup();
        let columns = names
            .iter()
            .map(|name| Column::new(name, ColumnType::Text, "").unwrap());
        let mut table = Table::new(name, "", columns.collect()).unwrap();
        if names.contains(&"mailbox") {
            table = table.in_parts("mailbox").unwrap();
        }
        let table = Arc::new(table);
        self.0.prepare(&table).await.unwrap();
        let now = Timestamp::from_millis(version);
        let mut buffer = RowBuffer::new(&table, &RunId::new(now)).unwrap();
        for row in rows {
            let cell = |wanted: &str| {
                row.iter()
                    .find(|(name, _)| *name == wanted)
                    .map(|(_, value)| *value)
            };
            let value =
                |name: &&str| cell(name).map_or(Value::Null, |text| Value::Text(text.into()));
            let reason = match cell("_merged_into") {
                Some(_) => Some(DeletionReason::MergedInto),
                None => cell("_deleted").map(|_| DeletionReason::Deleted),
            };
            let change = Change {
                key: cell("id").unwrap().into(),
                version: now,
                values: names.iter().map(value).collect(),
                extra: Vec::new(),
                deletion: reason.map(|reason| Deletion {
                    at: now,
                    reason,
                    merged_into: cell("_merged_into").map(str::to_owned),
                }),
                replaces: Vec::new(),
            };
            buffer.push(&change, now, 1).unwrap();
        }
        self.0
            .commit(Batch::from(buffer.finish().unwrap()))
            .await
            .unwrap();
    }

    async fn resolve(&self) -> Resolved {
        let now = Timestamp::from_millis(2_000_000_000_000);
        let sources: &[&'static SourceDefinition] = &[&MAIL, &PHONE, &CRM];
        resolve_and_publish(&self.0, sources, (&RunId::new(now), now))
            .await
            .unwrap()
    }

    /// Returns a published table's rows; what is null is not there.
    async fn rows(&self, table: &str) -> Vec<Row> {
        let scan = Scan::of(SqlIdentifier::parse(table).unwrap());
        let mut rows = Vec::new();
        for batch in self.0.scan(&scan).await.unwrap() {
            let schema = batch.schema();
            for row in 0..batch.num_rows() {
                let cells = schema
                    .fields()
                    .iter()
                    .zip(batch.columns())
                    .filter(|(_, column)| column.is_valid(row));
                let cells = cells.map(|(field, column)| {
                    (
                        field.name().clone(),
                        array_value_to_string(column, row).unwrap(),
                    )
                });
                rows.push(cells.collect());
            }
        }
        rows
    }

    /// Resolves and returns the only interaction.
    async fn only(&self) -> Row {
        self.resolve().await;
        let mut rows = self.rows("interactions").await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }

    /// Returns role, address or number, and whether it is known and ours, of everybody who took part.
    async fn parties(&self) -> Vec<String> {
        let shown = |row: Row| {
            let whom = row.get("address").or(row.get("phone")).or(row.get("name"));
            let known = if row.contains_key("person_id") {
                " known"
            } else {
                ""
            };
            let ours = if row["is_ours"] == "true" {
                " ours"
            } else {
                ""
            };
            format!(
                "{} {}{known}{ours}",
                row["role"],
                whom.map_or("", String::as_str)
            )
        };
        self.rows("interaction_parties")
            .await
            .into_iter()
            .map(shown)
            .collect()
    }

    async fn mailboxes(&self) {
        self.put(
            "mail_mailboxes",
            &[
                &[("id", "ann@ours.example"), ("address", "ann@ours.example")],
                &[("id", "bob@ours.example"), ("address", "bob@ours.example")],
            ],
        )
        .await;
    }

    /// Puts a message, as one mailbox has it, with who is named in it.
    async fn message(&self, mailbox: &str, cells: Cells<'_>, named: &[(&str, &str, &str)]) {
        let id = cells.iter().find(|(name, _)| *name == "id").unwrap().1;
        let mut message = cells.to_vec();
        message.push(("mailbox", mailbox));
        self.put("mail_messages", &[&message]).await;
        for (place, (role, address, name)) in named.iter().enumerate() {
            let (key, place) = (format!("{id}-{place}"), place.to_string());
            let row: Cells<'_> = &[
                ("id", &key),
                ("mailbox", mailbox),
                ("message_id", id),
                ("role", role),
                ("position", &place),
                ("address", address),
                ("display_name", name),
                ("received_at", "2026-03-01T10:00:00Z"),
            ];
            self.put("mail_participants", &[row]).await;
        }
    }
}

#[tokio::test]
async fn the_same_message_in_two_mailboxes_is_one_interaction() {
    let world = World::default();
    world.mailboxes().await;
    world
        .put(
            "crm_people",
            &[&[
                ("id", "1"),
                ("name", "Maria Luz"),
                ("email", "maria@acme.com"),
            ]],
        )
        .await;
    let named = [
        ("from", "maria@acme.com", "Maria"),
        ("to", "ann@ours.example", ""),
        ("cc", "bob@ours.example", ""),
    ];
    let cells = |id, header, at| {
        [
            ("id", id),
            ("header_id", header),
            ("received_at", at),
            ("subject", "Offer"),
            ("thread", "t"),
        ]
    };
    world
        .message(
            "bob@ours.example",
            &cells("m1", "<X.1@acme.com>", "2026-03-01T10:00:05Z"),
            &named,
        )
        .await;
    world
        .message(
            "ann@ours.example",
            &cells("m1", "X.1@acme.com", "2026-03-01T10:00:01Z"),
            &named,
        )
        .await;
    let one = world.only().await;
    assert_eq!(one["record_count"], "2");
    assert_eq!(
        (&*one["part"], &*one["record_id"]),
        ("ann@ours.example", "m1"),
        "the earliest speaks"
    );
    assert_eq!((&*one["kind"], &*one["direction"]), ("email", "inbound"));
    assert_eq!(
        (&*one["who"], &*one["our_user"]),
        ("Maria Luz", "ann@ours.example")
    );
    assert_eq!(
        (&*one["subject"], &*one["thread_id"], &*one["party_count"]),
        ("Offer", "t", "3")
    );
    assert_eq!(
        world.parties().await,
        [
            "from maria@acme.com known",
            "to ann@ours.example ours",
            "cc bob@ours.example ours"
        ]
    );
    let again = world.only().await;
    assert_eq!(again["interaction_id"], one["interaction_id"]);
    // Case counts in a Message-ID: this is another message.
    world
        .message(
            "ann@ours.example",
            &cells("m2", "x.1@acme.com", "2026-03-01T10:00:01Z"),
            &named,
        )
        .await;
    assert_eq!(world.resolve().await.interactions, 2);
}

#[tokio::test]
async fn a_message_without_an_id_tells_of_its_own() {
    let world = World::default();
    world.mailboxes().await;
    for mailbox in ["ann@ours.example", "bob@ours.example"] {
        let cells = [
            ("id", "m"),
            ("received_at", "2026-03-01T10:00:00Z"),
            ("header_id", "<>"),
        ];
        world.message(mailbox, &cells, &[]).await;
    }
    assert_eq!(world.resolve().await.interactions, 2);
}

#[tokio::test]
async fn a_message_that_a_crm_has_too_is_one_interaction_with_everybody_in_it() {
    let world = World::default();
    world.mailboxes().await;
    world
        .put(
            "crm_people",
            &[
                &[
                    ("id", "1"),
                    ("name", "Maria Luz"),
                    ("email", "maria@acme.com"),
                ],
                &[
                    ("id", "2"),
                    ("name", "Otto Klein"),
                    ("email", "otto@klein.example"),
                ],
            ],
        )
        .await;
    let cells = [
        ("id", "m"),
        ("header_id", "<a@b>"),
        ("received_at", "2026-03-01T10:00:00Z"),
    ];
    world
        .message(
            "ann@ours.example",
            &cells,
            &[
                ("from", "ann@ours.example", "Ann"),
                ("to", "Maria@Acme.com", ""),
            ],
        )
        .await;
    world
        .put(
            "crm_activities",
            &[&[
                ("id", "9"),
                ("type", "MAIL"),
                ("header_id", "<a@b>"),
                ("due", "2026-02-28T00:00:00Z"),
                ("subject", "Logged"),
                ("whom", r#"["1","2"]"#),
            ]],
        )
        .await;
    let one = world.only().await;
    assert_eq!(
        (&*one["source"], &*one["subject"]),
        ("mail", "Logged"),
        "what the speaker does not say others do"
    );
    assert_eq!(
        (&*one["direction"], &*one["who"]),
        ("outbound", "Maria Luz")
    );
    // Maria is named by her record and by her address: she took part once.
    let mut parties = world.parties().await;
    parties.sort();
    assert_eq!(
        parties,
        [
            "from ann@ours.example ours",
            "to Otto Klein known",
            "to maria@acme.com known"
        ]
    );
}

#[tokio::test]
async fn the_sender_tells_the_direction() {
    for (from, to, direction) in [
        ("ann@ours.example", "x@acme.com", "outbound"),
        ("new.hire@ours.example", "x@acme.com", "outbound"),
        ("x@acme.com", "ann@ours.example", "inbound"),
        ("ann@ours.example", "bob@ours.example", "internal"),
    ] {
        let world = World::default();
        world.mailboxes().await;
        let cells = [("id", "m"), ("received_at", "2026-03-01T10:00:00Z")];
        world
            .message(
                "ann@ours.example",
                &cells,
                &[("from", from, ""), ("to", to, "")],
            )
            .await;
        assert_eq!(world.only().await["direction"], direction, "{from} to {to}");
    }
}

#[tokio::test]
async fn the_legs_of_a_call_are_one_interaction_for_which_the_human_beings_leg_speaks() {
    let world = World::default();
    let caller = ("external", "+14155550142");
    world
        .put(
            "phone_calls",
            &[
                &[
                    ("id", "1"),
                    ("conversation", "c"),
                    ("started", "1000"),
                    caller,
                    ("direction", "inbound"),
                    ("duration", "90000.0"),
                    ("target", r#"{"type":"callcenter","name":"Sales line"}"#),
                ],
                &[
                    ("id", "2"),
                    ("conversation", "c"),
                    ("started", "4000"),
                    caller,
                    ("direction", "inbound"),
                    ("duration", "61000.5"),
                    ("target", r#"{"type":"user","email":"ann@ours.example"}"#),
                    ("contact", r#"{"name":"Maria Luz"}"#),
                ],
                &[
                    ("id", "3"),
                    ("started", "9000"),
                    caller,
                    ("direction", "outbound"),
                    ("target", "{}"),
                    ("contact", "{}"),
                ],
            ],
        )
        .await;
    let resolved = world.resolve().await;
    assert_eq!(
        (resolved.interactions, resolved.people),
        (2, 1),
        "one number is one person"
    );
    let rows = world.rows("interactions").await;
    assert_eq!(
        (&*rows[0]["record_id"], &*rows[0]["record_count"]),
        ("2", "2")
    );
    assert_eq!(
        (&*rows[0]["duration_ms"], &*rows[0]["our_user"]),
        ("61000", "ann@ours.example")
    );
    assert_eq!(
        rows[0]["happened_at"], "1970-01-01T00:00:01Z",
        "it began with its first leg"
    );
    assert_eq!(rows[0]["who"], "Maria Luz");
    assert_eq!(rows[0]["person_id"], rows[1]["person_id"]);
    assert_eq!(
        world.parties().await,
        ["from +14155550142 known", "to +14155550142 known"]
    );
}

#[tokio::test]
async fn a_switchboards_number_leads_to_the_company_and_to_nobody() {
    let world = World::default();
    let phone = ("phone", "+1 415 555 0142");
    world
        .put(
            "crm_companies",
            &[&[
                ("id", "c"),
                ("name", "Acme Corp"),
                ("site", "acme.com"),
                phone,
            ]],
        )
        .await;
    world
        .put(
            "crm_people",
            &[
                &[
                    ("id", "1"),
                    ("name", "Maria Luz"),
                    ("email", "maria@acme.com"),
                    phone,
                    ("company", "c"),
                ],
                &[
                    ("id", "2"),
                    ("name", "Otto Klein"),
                    ("email", "otto@acme.com"),
                    phone,
                    ("company", "c"),
                ],
            ],
        )
        .await;
    world
        .put(
            "phone_calls",
            &[&[
                ("id", "1"),
                ("started", "1000"),
                ("external", "+14155550142"),
                ("direction", "inbound"),
                ("target", "{}"),
                ("contact", "{}"),
            ]],
        )
        .await;
    let one = world.only().await;
    assert_eq!(one.get("person_id"), None);
    let companies = world.rows("companies").await;
    assert_eq!(one["company_id"], companies[0]["company_id"]);
    assert_eq!(one["who"], "+14155550142");
}

#[tokio::test]
async fn a_person_is_found_through_records_that_were_merged_and_keeps_the_timeline() {
    let world = World::default();
    world
        .put(
            "crm_users",
            &[&[
                ("id", "u"),
                ("email", "ann@ours.example"),
                ("type", "standard"),
                ("first", "Ann"),
                ("last", "Lee"),
            ]],
        )
        .await;
    world
        .put(
            "crm_people",
            &[
                &[
                    ("id", "1"),
                    ("name", "Maria Luz"),
                    ("email", "maria@acme.com"),
                ],
                &[
                    ("id", "2"),
                    ("name", "Maria Luz"),
                    ("email", "m.luz@acme.com"),
                ],
            ],
        )
        .await;
    let call = |id, whom| {
        [
            ("id", id),
            ("type", "CALL"),
            ("done", "2026-03-01T10:00:00Z"),
            ("ended", "2026-03-01T10:01:00Z"),
            ("whom", whom),
            ("owner", "u"),
            ("from_number", "+14155550142"),
        ]
    };
    world
        .put("crm_activities", &[&call("a", "1"), &call("b", "2")])
        .await;
    world.resolve().await;
    world
        .put_at(
            "crm_people",
            &[&[("id", "2"), ("name", "Maria Luz"), ("_merged_into", "1")]],
            5,
        )
        .await;
    world.resolve().await;
    let rows = world.rows("interactions").await;
    assert_eq!(rows[0]["person_id"], rows[1]["person_id"]);
    assert_eq!(
        (&*rows[0]["our_user"], &*rows[0]["duration_ms"]),
        ("ann@ours.example", "60000")
    );
    // The number of the call is that of the one who is named beside it.
    assert_eq!(
        world.parties().await,
        ["from +14155550142 known", "from +14155550142 known"]
    );
}

#[tokio::test]
async fn an_address_of_ours_or_of_a_machine_is_nobody() {
    let world = World::default();
    world.mailboxes().await;
    world
        .put(
            "crm_companies",
            &[&[("id", "c"), ("name", "Acme Corp"), ("site", "acme.com")]],
        )
        .await;
    // A customer with a login to our portal is none of us.
    world
        .put(
            "crm_users",
            &[&[("id", "p"), ("email", "pat@acme.com"), ("type", "portal")]],
        )
        .await;
    let cells = [("id", "m"), ("received_at", "2026-03-01T10:00:00Z")];
    let named = [
        ("from", "no-reply@acme.com", "Acme"),
        ("to", "colleague@ours.example", "A Colleague"),
        ("cc", "pat@acme.com", "Pat Doe"),
    ];
    world.message("ann@ours.example", &cells, &named).await;
    let one = world.only().await;
    assert_eq!(world.rows("people").await.len(), 1, "only Pat is somebody");
    assert_eq!(one.get("person_id"), None);
    assert_eq!(
        one["company_id"],
        world.rows("companies").await[0]["company_id"]
    );
    assert_eq!(
        world.parties().await,
        [
            "from no-reply@acme.com",
            "to colleague@ours.example ours",
            "cc pat@acme.com known"
        ]
    );
}

#[tokio::test]
async fn what_is_gone_is_left_out_and_what_nobody_is_known_of_is_not() {
    let world = World::default();
    world
        .put(
            "crm_activities",
            &[
                &[
                    ("id", "a"),
                    ("due", "2026-03-01"),
                    ("whom", "77"),
                    ("company", "78"),
                ],
                &[("id", "b"), ("_deleted", "")],
            ],
        )
        .await;
    let one = world.only().await;
    assert_eq!(
        (&*one["record_id"], &*one["kind"], &*one["party_count"]),
        ("a", "task", "0")
    );
    assert_eq!(one.get("person_id"), None);
    world
        .put_at("crm_activities", &[&[("id", "a"), ("_deleted", "")]], 5)
        .await;
    assert_eq!(world.resolve().await.interactions, 0);
    assert!(world.rows("interactions").await.is_empty());
}

#[tokio::test]
async fn of_an_address_the_newest_name_counts() {
    let world = World::default();
    world.mailboxes().await;
    for (id, name, at) in [
        ("1", "Maria Luz", "2026-03-02T00:00:00Z"),
        ("2", "Maria Berg", "2026-03-03T00:00:00Z"),
        ("3", "M. Luz", "2026-03-01T00:00:00Z"),
    ] {
        let row: Cells<'_> = &[
            ("id", id),
            ("mailbox", "ann@ours.example"),
            ("message_id", "m"),
            ("role", "from"),
            ("address", "maria@acme.com"),
            ("display_name", name),
            ("received_at", at),
        ];
        world.put("mail_participants", &[row]).await;
    }
    world.resolve().await;
    let people = world.rows("people").await;
    assert_eq!(people.len(), 1);
    assert_eq!(
        (&*people[0]["full_name"], &*people[0]["record_count"]),
        ("Maria Berg", "1")
    );
    let records = world.rows("entity_records").await;
    assert_eq!(records[0]["record_id"], "maria@acme.com");
}

#[tokio::test]
async fn what_another_table_sets_aside_tells_of_nothing_and_of_nobody() {
    let world = World::default();
    world.mailboxes().await;
    let cells = |id| [("id", id), ("received_at", "2026-03-01T10:00:00Z")];
    let named = |address| [("from", "ann@ours.example", ""), ("to", address, "")];
    for (id, address) in [
        ("sent", "a@acme.com"),
        ("draft", "b@acme.com"),
        ("undone", "c@acme.com"),
    ] {
        world
            .message("ann@ours.example", &cells(id), &named(address))
            .await;
    }
    let label = |id, message, mailbox| {
        [
            ("id", id),
            ("mailbox", mailbox),
            ("message_id", message),
            ("label", "DRAFT"),
        ]
    };
    let labels = [
        label("1", "draft", "ann@ours.example"),
        label("2", "sent", "bob@ours.example"),
        label("3", "undone", "ann@ours.example"),
    ];
    let labels: Vec<Cells<'_>> = labels.iter().map(|row| row.as_slice()).collect();
    world.put("mail_labels", &labels).await;
    let gone = [
        ("id", "3"),
        ("mailbox", "ann@ours.example"),
        ("label", "DRAFT"),
        ("_deleted", ""),
    ];
    world.put_at("mail_labels", &[&gone], 5).await;
    let resolved = world.resolve().await;
    assert_eq!((resolved.interactions, resolved.people), (2, 2));
}
