//! What a resolve of what changed publishes of interactions and deals is what telling all of them would give.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::world::{Cells, World};
use crate::publish::{Extent, Resolved};
use crate::resolve::Settings;

const HOUR: i64 = 3_600_000;

/// Something that a source tells. Numbers pick out of few values, so that much meets.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Id, name, address, phone and company.
    Person([u8; 5]),
    /// Id, name, domain and phone.
    Company([u8; 4]),
    /// Mailbox, id, who wrote it and to whom.
    Message([u8; 4]),
    /// Id, number and whose call it was.
    Call([u8; 3]),
    /// Id, person, company and number.
    Activity([u8; 4]),
    /// Id and company.
    Deal([u8; 2]),
    /// A record of a table is gone; of some no more is known then.
    Gone([u8; 3]),
    /// One person's record lives on in another.
    Merged([u8; 2]),
    /// A message is a draft, or none any more.
    Draft([u8; 2], bool),
}

fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let person = (0..6u8, 0..4u8, 0..7u8, 0..4u8, 0..4u8);
    let company = (0..4u8, 0..3u8, 0..4u8, 0..4u8);
    let step = prop_oneof![
        4 => person.prop_map(|(a, b, c, d, e)| Step::Person([a, b, c, d, e])),
        2 => company.prop_map(|(a, b, c, d)| Step::Company([a, b, c, d])),
        3 => (0..2u8, 0..4u8, 0..7u8, 0..7u8).prop_map(|(a, b, c, d)| Step::Message([a, b, c, d])),
        2 => (0..6u8, 0..4u8, 0..2u8).prop_map(|(a, b, c)| Step::Call([a, b, c])),
        3 => (0..5u8, 0..8u8, 0..5u8, 0..4u8).prop_map(|(a, b, c, d)| Step::Activity([a, b, c, d])),
        2 => (0..4u8, 0..5u8).prop_map(|(a, b)| Step::Deal([a, b])),
        2 => (0..6u8, 0..2u8, 0..6u8).prop_map(|(a, b, c)| Step::Gone([a, b, c])),
        1 => (0..6u8, 0..6u8).prop_map(|(a, b)| Step::Merged([a, b])),
        1 => ((0..2u8, 0..4u8), any::<bool>()).prop_map(|((a, b), is)| Step::Draft([a, b], is)),
    ];
    prop::collection::vec(prop::collection::vec(step, 1..5), 2..8)
}

const NAMES: [&str; 4] = ["Ann Teller", "Bo Marsh", "Cy Dunn", ""];
const ADDRESSES: [&str; 7] = [
    "ann@quarry.example",
    "Ann.Teller@gmail.com",
    "bo@heron.example",
    "cy@heron.example",
    "bob@ours.example",
    "dee@mail.quarry.example",
    "",
];
const PHONES: [&str; 4] = ["+44 20 7946 0018", "+1 415 555 0142", "+1 303 555 0199", ""];
const DOMAINS: [&str; 4] = ["quarry.example", "heron.example", "www.quarry.example", ""];
const MAILBOXES: [&str; 2] = ["ann@ours.example", "bob@ours.example"];
const TABLES: [&str; 6] = [
    "crm_people",
    "crm_companies",
    "mail_messages",
    "phone_calls",
    "crm_activities",
    "crm_deals",
];

fn id(letter: &str, number: u8) -> String {
    format!("{letter}{number}")
}

fn of(list: &[&'static str], number: u8) -> &'static str {
    list[usize::from(number)]
}

impl Step {
    async fn happen(self, world: &World, at: i64) {
        match self {
            Self::Person(which) => person(world, at, which).await,
            Self::Company(which) => company(world, at, which).await,
            Self::Message(which) => message(world, at, which).await,
            Self::Call(which) => call(world, at, which).await,
            Self::Activity(which) => activity(world, at, which).await,
            Self::Deal(which) => deal(world, at, which).await,
            Self::Gone(which) => gone(world, at, which).await,
            Self::Merged(which) => merged(world, at, which).await,
            Self::Draft(which, is_draft) => draft(world, at, which, is_draft).await,
        }
    }
}

async fn person(world: &World, at: i64, [own, name, address, phone, company]: [u8; 5]) {
    let (own, company) = (id("p", own), id("c", company));
    let row: Cells<'_> = &[
        ("id", &own),
        ("name", of(&NAMES, name)),
        ("email", of(&ADDRESSES, address)),
        ("phone", of(&PHONES, phone)),
        ("company", &company),
    ];
    world.put_at("crm_people", &[row], at).await;
}

async fn company(world: &World, at: i64, [own, name, domain, phone]: [u8; 4]) {
    let own = id("c", own);
    let row: Cells<'_> = &[
        ("id", &own),
        (
            "name",
            ["Quarry Ltd", "Heron Works", "Ibis"][usize::from(name)],
        ),
        ("site", of(&DOMAINS, domain)),
        ("phone", of(&PHONES, phone)),
    ];
    world.put_at("crm_companies", &[row], at).await;
}

async fn message(world: &World, at: i64, [mailbox, own, from, to]: [u8; 4]) {
    // Two mailboxes have some messages in common, and an id says nothing of the message.
    let (header, own) = (id("h", own + mailbox + to % 2), id("m", own));
    let row: Cells<'_> = &[
        ("id", &own),
        ("mailbox", of(&MAILBOXES, mailbox)),
        ("header_id", &header),
        ("received_at", "2026-03-01T10:00:00Z"),
    ];
    world.put_at("mail_messages", &[row], at).await;
    for (role, address) in [("from", from), ("to", to)] {
        let (key, address) = (format!("{own}-{role}"), of(&ADDRESSES, address));
        let row: Cells<'_> = &[
            ("id", &key),
            ("mailbox", of(&MAILBOXES, mailbox)),
            ("message_id", &own),
            ("role", role),
            ("address", address),
            ("received_at", "2026-03-01T10:00:00Z"),
        ];
        world.put_at("mail_participants", &[row], at).await;
    }
}

async fn call(world: &World, at: i64, [own, number, user]: [u8; 3]) {
    let conversation = of(&["v0", "v1", "", "v0"], number);
    let own = id("k", own);
    let target = [r#"{"type":"user","email":"ann@ours.example"}"#, "{}"];
    let row: Cells<'_> = &[
        ("id", &own),
        ("conversation", conversation),
        ("started", "2026-03-01T10:00:00Z"),
        ("external", of(&PHONES, number)),
        ("direction", "inbound"),
        ("target", target[usize::from(user)]),
        ("contact", "{}"),
    ];
    world.put_at("phone_calls", &[row], at).await;
}

async fn activity(world: &World, at: i64, [own, whom, company, number]: [u8; 4]) {
    let header = of(&["h0", "<h1>", " h2 ", ""], number);
    let (own, whom, company) = (id("a", own), id("p", whom), id("c", company));
    let row: Cells<'_> = &[
        ("id", &own),
        ("header_id", header),
        ("type", "CALL"),
        ("whom", &whom),
        ("company", &company),
        ("from_number", of(&PHONES, number)),
    ];
    world.put_at("crm_activities", &[row], at).await;
}

async fn deal(world: &World, at: i64, [own, company]: [u8; 2]) {
    let (own, company) = (id("d", own), id("c", company));
    let row: Cells<'_> = &[("id", &own), ("company", &company)];
    world.put_at("crm_deals", &[row], at).await;
}

async fn gone(world: &World, at: i64, [table, mailbox, own]: [u8; 3]) {
    let says_nothing = own % 2 == 1;
    let own = id(["p", "c", "m", "k", "a", "d"][usize::from(table)], own);
    let table = TABLES[usize::from(table)];
    let part = (table == "mail_messages").then(|| of(&MAILBOXES, mailbox));
    if says_nothing {
        let mailbox = part.map(|part| ("mailbox", part));
        let row = [("id", &*own), ("_deleted", "")].into_iter().chain(mailbox);
        world.put_at(table, &[&row.collect::<Vec<_>>()], at).await;
    } else {
        world.mark(table, (part, &own), None, (at, at)).await;
    }
}

async fn merged(world: &World, at: i64, [own, into]: [u8; 2]) {
    let (own, into) = (id("p", own), id("p", into));
    if own != into {
        world
            .mark("crm_people", (None, &own), Some(&into), (at, at))
            .await;
    }
}

async fn draft(world: &World, at: i64, [mailbox, own]: [u8; 2], is_draft: bool) {
    let (label, own) = (format!("l{mailbox}{own}"), id("m", own));
    let mailbox = of(&MAILBOXES, mailbox);
    let row = [
        ("id", &*label),
        ("mailbox", mailbox),
        ("message_id", &*own),
        ("label", "DRAFT"),
    ];
    world.put_at("mail_labels", &[&row], at).await;
    if !is_draft {
        let key = (Some(mailbox), &*label);
        world.mark("mail_labels", key, None, (at + 1, at + 1)).await;
    }
}

/// Resolves a world with mailboxes and strangers, so many that what changes is little.
async fn begun() -> World {
    let world = World::default();
    world.mailboxes().await;
    for number in 0..60 {
        let (id, name) = (
            format!("s{number}"),
            format!("Stranger{number} Odd{number}"),
        );
        let row: Cells<'_> = &[("id", &id), ("name", &name)];
        world.put_at("crm_people", &[row], 1).await;
    }
    world.resolve_at(2, changed()).await;
    world
}

/// Expects that interactions, their parties and deals are published as they would be if all were told.
async fn expect_as_all(world: &World, resolved: Resolved) {
    let all = world.all_told().await;
    let count = |name| {
        let mut tables = all.iter().filter(|(table, _)| *table == name);
        u64::try_from(tables.next().unwrap().1.len()).unwrap()
    };
    let counted = [resolved.interactions, resolved.deals];
    assert_eq!(counted, [count("interactions"), count("deals")]);
    for (table, rows) in &all {
        let expected: BTreeSet<_> = rows.iter().collect();
        let published = world.rows(table).await;
        assert_eq!(published.len(), rows.len(), "{table}");
        assert_eq!(
            published.iter().collect::<BTreeSet<_>>(),
            expected,
            "{table}"
        );
    }
}

fn changed() -> (Settings, Extent) {
    let settings = Settings {
        index_from: 0,
        refresh_share: 1.0,
        ..Settings::default()
    };
    (settings, Extent::Changed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_changes_in_any_order_leave_what_telling_all_would_give(rounds in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = begun().await;
            for (round, steps) in (1..).zip(rounds) {
                let at = round * HOUR;
                for (place, step) in (0..).zip(steps) {
                    step.happen(&world, at + 10 * place).await;
                }
                let resolved = world.resolve_at(at + HOUR / 2, changed()).await;
                assert!(resolved.changed.is_some());
                expect_as_all(&world, resolved).await;
            }
        });
    }
}

#[tokio::test]
async fn a_row_that_is_found_to_tell_of_a_message_tells_of_nothing_else() {
    let world = begun().await;
    Step::Message([0, 1, 0, 4]).happen(&world, HOUR).await;
    let row: Cells<'_> = &[("id", "a"), ("type", "MAIL")];
    world.put_at("crm_activities", &[row], HOUR).await;
    let resolved = world.resolve_at(2 * HOUR, changed()).await;
    assert_eq!(resolved.interactions, 2);
    let row: Cells<'_> = &[("id", "a"), ("type", "MAIL"), ("header_id", "<h1>")];
    world.put_at("crm_activities", &[row], 3 * HOUR).await;
    let resolved = world.resolve_at(4 * HOUR, changed()).await;
    assert_eq!(resolved.interactions, 1);
    expect_as_all(&world, resolved).await;
}

#[tokio::test]
async fn where_one_person_is_in_very_much_all_is_told() {
    let world = begun().await;
    Step::Person([0, 0, 0, 0, 0]).happen(&world, HOUR).await;
    let ids: Vec<String> = (0..1_200).map(|number| format!("a{number}")).collect();
    let row = |id: &String| [("id", id.clone()), ("whom", "p0".to_owned())];
    let rows: Vec<[(&str, String); 2]> = ids.iter().map(row).collect();
    let rows: Vec<Vec<(&str, &str)>> = rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|(name, text)| (*name, text.as_str()))
                .collect()
        })
        .collect();
    let rows: Vec<Cells<'_>> = rows.iter().map(Vec::as_slice).collect();
    world.put_at("crm_activities", &rows, HOUR).await;
    world.resolve_at(2 * HOUR, changed()).await;
    Step::Person([0, 1, 0, 0, 0]).happen(&world, 3 * HOUR).await;
    let resolved = world.resolve_at(4 * HOUR, changed()).await;
    assert_eq!((resolved.changed, resolved.interactions), (Some(1), 1_200));
    let whose = world.rows("interactions").await;
    assert!(whose.iter().all(|row| row["who"] == "Bo Marsh"));
    expect_as_all(&world, resolved).await;
}

#[tokio::test]
async fn what_a_source_merged_long_before_it_is_read_is_gone() {
    let world = begun().await;
    Step::Person([0, 0, 0, 0, 0]).happen(&world, HOUR).await;
    Step::Person([1, 1, 2, 1, 0]).happen(&world, HOUR).await;
    Step::Deal([0, 0]).happen(&world, HOUR).await;
    Step::Deal([1, 0]).happen(&world, HOUR).await;
    Step::Activity([0, 0, 0, 3]).happen(&world, HOUR).await;
    Step::Activity([1, 1, 0, 3]).happen(&world, HOUR).await;
    let before = world.resolve_at(9 * HOUR, changed()).await;
    assert_eq!((before.deals, before.interactions), (2, 2));
    // The survivor comes, and its row marks the other as of a time that the last resolve was past.
    let merged_at = (10 * HOUR, 2 * HOUR);
    Step::Person([0, 0, 0, 0, 0])
        .happen(&world, 10 * HOUR)
        .await;
    Step::Deal([0, 0]).happen(&world, 10 * HOUR).await;
    Step::Activity([0, 0, 0, 3]).happen(&world, 10 * HOUR).await;
    for (table, gone, into) in [
        ("crm_people", "p1", "p0"),
        ("crm_deals", "d1", "d0"),
        ("crm_activities", "a1", "a0"),
    ] {
        world.mark(table, (None, gone), Some(into), merged_at).await;
    }
    let after = world.resolve_at(11 * HOUR, changed()).await;
    assert!(after.changed.is_some());
    assert_eq!((after.deals, after.interactions), (1, 1));
    assert_eq!(after.people, before.people - 1);
    expect_as_all(&world, after).await;
}
