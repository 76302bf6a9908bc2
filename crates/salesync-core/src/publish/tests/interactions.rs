//! Interactions out of invented vendors' rows.

use super::world::{Cells, World};

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
