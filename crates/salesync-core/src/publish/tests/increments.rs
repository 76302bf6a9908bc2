//! A resolve of what changed publishes what a resolve of all records would.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{Row, World};
use crate::command::Ruling;
use crate::publish::Extent;
use crate::resolve::Settings;

const HOUR: i64 = 3_600_000;

/// Everything is indexed, however little it is, and any part of it may change.
fn settings() -> Settings {
    Settings {
        index_from: 0,
        refresh_share: 1.0,
        ..Settings::default()
    }
}

/// Returns all that is published about entities, but for how sure it is, which depends on all there is.
async fn published(world: &World) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    for table in [
        "people",
        "companies",
        "entity_records",
        "match_evidence",
        "interactions",
        "interaction_parties",
        "deals",
    ] {
        let unsure = [
            "confidence",
            "fields",
            "prior_bits",
            "weight_bits",
            "probability",
        ];
        let sure = |mut row: Row| {
            unsure.iter().for_each(|column| {
                row.remove(*column);
            });
            format!("{row:?}")
        };
        all.insert(
            table,
            world.rows(table).await.into_iter().map(sure).collect(),
        );
    }
    all
}

/// Resolves what changed, then all, and expects the same of both.
async fn same_as_all(world: &World, at: i64, changed: u64) {
    let part = world.resolve_at(at, (settings(), Extent::Changed)).await;
    assert_eq!(part.changed, Some(changed));
    let found = published(world).await;
    let all = world.resolve_at(at + 1, (settings(), Extent::All)).await;
    assert_eq!(
        (all.changed, all.created, all.merged, all.split),
        (None, 0, 0, 0)
    );
    assert_eq!((part.people, part.companies), (all.people, all.companies));
    assert_eq!(
        (part.interactions, part.deals),
        (all.interactions, all.deals)
    );
    let expected = published(world).await;
    for (table, rows) in &expected {
        assert_eq!(&found[table], rows, "{table}");
    }
}

async fn begun() -> World {
    let world = World::default();
    world.mailboxes().await;
    let people: &[&[(&str, &str)]] = &[
        &[
            ("id", "1"),
            ("name", "Ann Teller"),
            ("email", "ann@quarry.example"),
            ("company", "c1"),
        ],
        &[
            ("id", "2"),
            ("name", "A. Teller"),
            ("email", "ann@quarry.example"),
        ],
        &[
            ("id", "3"),
            ("name", "Bo Marsh"),
            ("phone", "+44 20 7946 0018"),
        ],
        &[
            ("id", "4"),
            ("name", "Cy Dunn"),
            ("email", "cy@heron.example"),
        ],
    ];
    world.put("crm_people", people).await;
    let companies: &[&[(&str, &str)]] = &[
        &[
            ("id", "c1"),
            ("name", "Quarry Ltd"),
            ("site", "quarry.example"),
        ],
        &[
            ("id", "c2"),
            ("name", "Heron Works"),
            ("site", "heron.example"),
        ],
    ];
    world.put("crm_companies", companies).await;
    let named = [
        ("from", "ann@quarry.example", "Ann Teller"),
        ("to", "bob@ours.example", "Bob"),
        ("cc", "dee@heron.example", "Dee Okafor"),
    ];
    let cells: &[(&str, &str)] = &[
        ("id", "m1"),
        ("header_id", "h1"),
        ("received_at", "2026-03-01T10:00:00Z"),
    ];
    world.message("bob@ours.example", cells, &named).await;
    world.resolve_at(HOUR, (settings(), Extent::Changed)).await;
    world
}

#[tokio::test]
async fn what_changed_is_found_and_resolved_with_what_it_touches() {
    let world = begun().await;
    let untouched = world
        .resolve_at(HOUR + 1, (settings(), Extent::Changed))
        .await;
    assert_eq!((untouched.changed, untouched.records), (Some(0), 0));
    // Somebody new who is somebody known, somebody who is gone, and a company that is two now.
    world
        .put_at(
            "crm_people",
            &[
                &[
                    ("id", "5"),
                    ("name", "Robert Marsh"),
                    ("phone", "+44 20 7946 0018"),
                ],
                &[("id", "4"), ("_deleted", "yes")],
                &[
                    ("id", "2"),
                    ("name", "Ann Teller"),
                    ("email", "ann.teller@gmail.com"),
                ],
            ],
            2 * HOUR,
        )
        .await;
    let company: &[(&str, &str)] = &[
        ("id", "c3"),
        ("name", "Heron Works GmbH"),
        ("site", "heron.example"),
    ];
    world.put_at("crm_companies", &[company], 2 * HOUR).await;
    same_as_all(&world, 3 * HOUR, 4).await;
    // A draft is no mail, and who is named in it alone is nobody.
    let label: &[(&str, &str)] = &[
        ("id", "l1"),
        ("mailbox", "bob@ours.example"),
        ("message_id", "m1"),
        ("label", "DRAFT"),
    ];
    world.put_at("mail_labels", &[label], 4 * HOUR).await;
    same_as_all(&world, 5 * HOUR, 2).await;
}

#[tokio::test]
async fn decisions_show_without_resolving_all() {
    let world = begun().await;
    world
        .decide(Ruling::Join, (&["3", "4"], &[]), 2 * HOUR)
        .await
        .unwrap();
    same_as_all(&world, 3 * HOUR, 0).await;
    world
        .decide(Ruling::Split, (&["1"], &[]), 4 * HOUR)
        .await
        .unwrap();
    same_as_all(&world, 5 * HOUR, 0).await;
    world
        .decide(Ruling::Withdraw, (&["3"], &[]), 6 * HOUR)
        .await
        .unwrap();
    same_as_all(&world, 7 * HOUR, 0).await;
}

#[tokio::test]
async fn all_is_resolved_where_much_changed_and_where_other_things_are_asked() {
    let world = begun().await;
    let mut other = settings();
    other.model.review_range = 1.0;
    for (asked, is_part) in [
        (settings(), true),
        (other.clone(), false),
        (other.clone(), true),
        (settings(), false),
        (
            Settings {
                index_from: 1_000,
                ..settings()
            },
            false,
        ),
        (
            Settings {
                index_from: 1_000,
                ..settings()
            },
            false,
        ),
    ] {
        let resolved = world.resolve_at(HOUR, (asked, Extent::Changed)).await;
        assert_eq!(resolved.changed.is_some(), is_part);
    }
    let few = Settings {
        refresh_share: 0.2,
        ..settings()
    };
    world.resolve_at(2 * HOUR, (few.clone(), Extent::All)).await;
    for (id, is_part) in [("11", true), ("12", false)] {
        let row: &[(&str, &str)] = &[("id", id), ("name", "Eve Fox")];
        world.put_at("crm_people", &[row], 3 * HOUR).await;
        let resolved = world
            .resolve_at(3 * HOUR, (few.clone(), Extent::Changed))
            .await;
        assert_eq!(resolved.changed.is_some(), is_part, "{id}");
    }
    // Who is ours decides who is somebody.
    let before = world.resolve_at(4 * HOUR, (settings(), Extent::All)).await;
    let ours: &[(&str, &str)] = &[
        ("id", "dee@heron.example"),
        ("address", "dee@heron.example"),
    ];
    world.put_at("mail_mailboxes", &[ours], 5 * HOUR).await;
    let after = world
        .resolve_at(6 * HOUR, (settings(), Extent::Changed))
        .await;
    assert_eq!(after.changed, None);
    assert!(after.people < before.people);
}
