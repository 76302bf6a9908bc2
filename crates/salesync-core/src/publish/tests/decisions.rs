//! What people decide about records, beside what the records say.

use std::collections::BTreeMap;

use super::world::World;
use crate::command::Ruling;

/// Three records of one person, and one of another.
async fn people(world: &World) {
    let one = [("name", "Ann Teller"), ("email", "ann@quarry.example")];
    let other = [("name", "Bo Marsh"), ("email", "bo@harbour.example")];
    let row = |id, said: [(&'static str, &'static str); 2]| [("id", id), said[0], said[1]];
    let rows = [row("a", one), row("b", one), row("c", one), row("d", other)];
    let rows: Vec<&[(&str, &str)]> = rows.iter().map(|row| &row[..]).collect();
    world.put("crm_people", &rows).await;
    world.resolve().await;
}

/// Returns which of these records are together.
async fn groups(world: &World) -> Vec<String> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in world.rows("entity_records").await {
        let group = groups.entry(row["entity_id"].clone()).or_default();
        group.push(row["record_id"].clone());
    }
    let mut groups: Vec<String> = groups.into_values().map(|ids| ids.concat()).collect();
    groups.sort();
    groups
}

#[tokio::test]
async fn a_decision_leaves_others_that_have_not_shown_yet_alone() {
    let world = World::default();
    people(&world).await;
    assert_eq!(groups(&world).await, ["abc", "d"]);
    let split = world.decide(Ruling::Split, (&["a"], &[]), 1).await.unwrap();
    assert_eq!(split.never, 2);
    let joined = world
        .decide(Ruling::Join, (&["b", "c"], &[]), 2)
        .await
        .unwrap();
    assert_eq!((joined.always, joined.withdrawn), (1, 0));
    world.resolve().await;
    assert_eq!(groups(&world).await, ["a", "bc", "d"]);
    let back = world
        .decide(Ruling::Join, (&["a", "c"], &[]), 3)
        .await
        .unwrap();
    assert_eq!((back.always, back.withdrawn), (1, 1), "a and c, a and b");
    world.resolve().await;
    assert_eq!(groups(&world).await, ["abc", "d"]);
}

#[tokio::test]
async fn a_split_that_has_not_shown_yet_is_taken_back_as_a_whole() {
    let world = World::default();
    people(&world).await;
    world.decide(Ruling::Split, (&["a"], &[]), 1).await.unwrap();
    let back = world
        .decide(Ruling::Join, (&["a", "b"], &[]), 2)
        .await
        .unwrap();
    assert_eq!((back.always, back.withdrawn), (1, 1), "a and b, a and c");
    world.resolve().await;
    assert_eq!(groups(&world).await, ["abc", "d"]);
    let withdrawn = world
        .decide(Ruling::Withdraw, (&["a"], &[]), 3)
        .await
        .unwrap();
    assert_eq!(withdrawn.withdrawn, 1);
}

#[tokio::test]
async fn decisions_that_contradict_each_other_through_others_are_refused() {
    let world = World::default();
    people(&world).await;
    world
        .decide(Ruling::Join, (&["a", "b", "c"], &[]), 1)
        .await
        .unwrap();
    let refused = world.decide(Ruling::Split, (&["b"], &["c"]), 2).await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("crm/people/b, crm/people/c"), "{message}");
    let joined = world
        .decide(Ruling::Join, (&["c", "d"], &[]), 3)
        .await
        .unwrap();
    assert_eq!(joined.always, 1);
    world.resolve().await;
    assert_eq!(groups(&world).await, ["abcd"]);
}

#[tokio::test]
async fn what_was_said_of_a_record_goes_for_the_one_that_it_lives_on_in() {
    let world = World::default();
    people(&world).await;
    world.decide(Ruling::Split, (&["a"], &[]), 1).await.unwrap();
    let merged = [("id", "a"), ("name", "Ann Teller"), ("_merged_into", "e")];
    let survivor = [
        ("id", "e"),
        ("name", "Ann Teller"),
        ("email", "ann@quarry.example"),
    ];
    world.put_at("crm_people", &[&merged, &survivor], 2).await;
    world.resolve().await;
    assert_eq!(groups(&world).await, ["bc", "d", "e"]);
}

#[tokio::test]
async fn why_shows_what_resolving_saw() {
    let world = World::default();
    let row = |id, message, name, at| {
        [
            ("id", id),
            ("mailbox", "us@ours.example"),
            ("message_id", message),
            ("address", "ann@quarry.example"),
            ("display_name", name),
            ("received_at", at),
        ]
    };
    let rows = [
        row("1", "m1", "Ann Teller", "2026-01-01T00:00:00Z"),
        row("2", "m2", "An offer", "2026-01-03T00:00:00Z"),
        row("3", "m3", "Gone", "2026-01-04T00:00:00Z"),
    ];
    let rows: Vec<&[(&str, &str)]> = rows.iter().map(|row| &row[..]).collect();
    world.put("mail_participants", &rows).await;
    let mut gone = rows[2].to_vec();
    gone.push(("_deleted", "yes"));
    world.put_at("mail_participants", &[&gone], 2).await;
    let label = [
        ("id", "l1"),
        ("mailbox", "us@ours.example"),
        ("message_id", "m2"),
        ("label", "SPAM"),
    ];
    world.put("mail_labels", &[&label]).await;
    world.resolve().await;
    let why = world.why(&["ann@quarry.example"]).await;
    let says: BTreeMap<&str, &str> = why.records[0]
        .says
        .iter()
        .map(|(field, value)| (*field, value.as_str()))
        .collect();
    assert_eq!(says["full_name"], "Ann Teller");
    assert_eq!(why.golden["full_name"], "Ann Teller");
}
