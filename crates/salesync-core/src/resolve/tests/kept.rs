//! What becomes of ids from one answer to the next.

use super::*;

/// Resolves records anew that had an answer before.
fn followed(identities: &[Identity], before: &Resolution) -> Resolution {
    let previous = Previous::default().followed_by(before);
    resolve(identities, &previous, &[], &Settings::default())
}

/// Returns the entity of a record.
fn entity_of(resolution: &Resolution, id: &str) -> EntityId {
    let mut members = resolution.memberships.iter();
    let found = members.find(|member| *member.record.id == *id);
    found.map(|member| member.entity_id).unwrap()
}

#[test]
fn an_unchanged_set_keeps_its_ids_and_an_empty_history_gives_the_same_ones() {
    let identities = people(&[
        "Ann Teller | ann@quarry.io",
        "Ann Teller | ann@quarry.io",
        "Bo Marsh | bo@quarry.io",
    ]);
    let first = resolved(&identities);
    assert_eq!(first, resolved(&identities));
    let again = followed(&identities, &first);
    assert_eq!(again.memberships, first.memberships);
    assert_eq!(again.changes, []);
}

#[test]
fn an_entity_keeps_its_id_when_its_smallest_record_is_new() {
    let later = people(&["Ann Teller | ann@quarry.io", "Ann Teller | ann@quarry.io"]);
    let before = resolved(later.get(1..).unwrap_or_default());
    let after = followed(&later, &before);
    assert_eq!(
        after.people.first().map(|person| &person.id),
        before.people.first().map(|person| &person.id)
    );
}

#[test]
fn merged_ids_lead_to_their_successor_and_split_ids_stay_with_the_larger_part() {
    let mut identities = people(&[
        "Ann Teller | ann@quarry.io",
        "Ann Teller | ann@quarry.io",
        "Ann Teller | at@harbour.io",
    ]);
    let apart_ids = resolved(&identities);
    assert_eq!(apart_ids.people.len(), 2);
    if let Some(identity) = identities.get_mut(2) {
        identity.emails.push("ann@quarry.io".to_owned());
    }
    let joined = followed(&identities, &apart_ids);
    let survivor = joined.people.first().map(|person| person.id);
    assert_eq!(joined.people.len(), 1);
    assert!(joined.retired.len() == 1 && joined.retired.values().all(|id| *id == survivor));
    assert!(matches!(joined.changes.as_slice(), [Change::Merged(..)]));

    let mut split = people(&[
        "Ann Teller | ann@quarry.io",
        "Ann Teller | ann@quarry.io",
        "Bo Marsh | bo@harbour.io",
    ]);
    split.reverse();
    let split = followed(&split, &joined);
    let larger = split
        .people
        .iter()
        .find(|person| person.record_count == 2)
        .map(|person| person.id);
    assert_eq!(larger, survivor);
    let ids: BTreeSet<&EntityId> = split.people.iter().map(|person| &person.id).collect();
    assert_eq!(ids.len(), 2);
    assert!(
        ids.iter().all(|id| !joined.retired.contains_key(*id)),
        "an id came back to life"
    );
}

#[test]
fn what_became_of_every_id_is_told() {
    const ANN: &str = "Ann Teller | ann@quarry.io";
    let mut before = people(&[ANN, ANN, ANN, ANN, "Dee Finch | dee@pier.io"]);
    before.push(company("pier", "Pier Works | pier.io"));
    before.push(company("mill", "Mill Works | mill.io"));
    let first = resolved(&before);
    let mut after = people(&[
        ANN,
        ANN,
        "Bo Marsh | bo@harbour.io",
        "Cy Odell | cy@gravel.io",
    ]);
    after.push(company("mill", "Mill Works | mill.io"));
    let second = followed(&after, &first);
    let ann = entity_of(&first, "000");
    let (bo, cy) = (entity_of(&second, "002"), entity_of(&second, "003"));
    assert_eq!(entity_of(&second, "000"), ann);
    let mut expected = vec![
        Change::Created(bo),
        Change::Created(cy),
        Change::Split(ann, bo),
        Change::Split(ann, cy),
        Change::Gone(entity_of(&first, "004")),
        Change::Gone(entity_of(&first, "pier")),
    ];
    expected.sort();
    assert_eq!(second.changes, expected);
    let gone = [entity_of(&first, "004"), entity_of(&first, "pier")];
    assert_eq!(second.retired, gone.map(|id| (id, None)).into());
}
