//! What people decide holds, and can be taken back.

use super::*;

fn decided(rule: Rule, left: &Identity, right: &Identity) -> Override {
    Override {
        kind: left.kind,
        left: left.record.clone(),
        right: right.record.clone(),
        rule,
    }
}

fn again(identities: &[Identity], previous: &Previous, overrides: &[Override]) -> Resolution {
    resolve(identities, previous, overrides, &Settings::default())
}

/// Returns the entity of a record.
fn entity<'a>(found: &'a Resolution, of: &Identity) -> &'a EntityId {
    let mut members = found.memberships.iter();
    let member = members.find(|member| member.record == of.record && member.kind == of.kind);
    &member.expect("a member").entity_id
}

#[test]
fn people_outweigh_what_records_say() {
    let records = people(&[
        "Ann Teller | ann@quarry.io | +14155550123",
        "Ann Teller | ann@quarry.io | +14155550123",
        "Bo Marsh | bo@harbour.io",
    ]);
    let [one, same, other] = records.as_slice() else {
        panic!()
    };
    let overrides = [
        decided(Rule::Never, one, same),
        decided(Rule::Always, same, other),
    ];
    let found = again(&records, &Previous::default(), &overrides);
    assert_ne!(entity(&found, one), entity(&found, same));
    assert_eq!(entity(&found, same), entity(&found, other));
    let outcomes: BTreeSet<&str> = found
        .evidence
        .iter()
        .map(|it| it.outcome.as_str())
        .collect();
    assert_eq!(outcomes, BTreeSet::from(["forbidden", "joined"]));
    assert!(
        found.review.is_empty(),
        "what was decided is nobody's to decide"
    );
    assert_eq!(found.counts.contradicting_overrides, 0);
}

#[test]
fn a_decision_takes_the_place_of_what_its_records_say() {
    let records = people(&["Ann Teller | ann@quarry.io"; 3]);
    let overrides = [
        decided(Rule::Always, &records[0], &records[1]),
        decided(Rule::Always, &records[1], &records[2]),
        decided(Rule::Always, &records[0], &records[2]),
    ];
    let found = again(&records, &Previous::default(), &overrides);
    let pair = |it: &Evidence| BTreeSet::from([it.left.id.clone(), it.right.id.clone()]);
    let pairs: BTreeSet<_> = found.evidence.iter().map(pair).collect();
    assert_eq!((pairs.len(), found.evidence.len()), (3, 3));
    assert!(found.evidence.iter().all(|it| it.key == "override"));
    let outcomes = found.evidence.iter().map(|it| it.outcome);
    assert_eq!(
        outcomes.collect::<Vec<_>>(),
        [Outcome::Joined, Outcome::Joined, Outcome::Confirmed]
    );
}

#[test]
fn a_join_that_evidence_speaks_against_outlives_later_runs_until_it_is_taken_back() {
    let mut records = people(&[
        "Ann Teller | ann@quarry.io",
        "Bo Marsh | bo@harbour.io",
        "Ann Teller | ann@quarry.io; bo@harbour.io",
    ]);
    let overrides = [decided(Rule::Always, &records[0], &records[1])];
    let first = again(&records, &Previous::default(), &overrides);
    let id = *entity(&first, &records[0]);
    let mut previous = Previous::default().followed_by(&first);
    for line in ["Ann Teller | ann@quarry.io", "Bo Marsh | bo@harbour.io"] {
        records.push(person(&format!("later {}", records.len()), line));
        let found = again(&records, &previous, &overrides);
        assert_eq!(entity(&found, &records[0]), &id);
        assert_eq!(entity(&found, &records[1]), &id);
        assert!(found.retired.is_empty(), "{:?}", found.retired);
        previous = previous.followed_by(&found);
    }
    let found = again(&records, &previous, &[]);
    assert_ne!(entity(&found, &records[0]), entity(&found, &records[1]));
}

#[test]
fn splitting_and_joining_again_gives_back_the_same_entity() {
    for lines in [
        &["Ann Teller | ann@quarry.io", "Ann Teller | ann@quarry.io"][..],
        &["Ann Teller | ann@quarry.io"; 5],
    ] {
        let records = people(lines);
        let (first, last) = (&records[0], &records[records.len() - 1]);
        let before = again(&records, &Previous::default(), &[]);
        let previous = Previous::default().followed_by(&before);
        let apart_from_last: Vec<Override> = records
            .iter()
            .filter(|it| it.record != last.record)
            .map(|it| decided(Rule::Never, it, last))
            .collect();
        let split = again(&records, &previous, &apart_from_last);
        assert_eq!(split.people.len(), 2);
        assert!(matches!(
            split.changes.as_slice(),
            [Change::Created(_), Change::Split(..)]
        ));
        let previous = previous.followed_by(&split);
        let joined = again(&records, &previous, &[decided(Rule::Always, first, last)]);
        assert_eq!(joined.people.len(), 1);
        assert_eq!(entity(&joined, first), entity(&before, first));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_override_always_holds_and_no_id_is_given_to_another_entity(
        picks in picked(12),
        steps in prop::collection::vec(
            (prop::collection::vec((any::<bool>(), 0usize..12, 0usize..12), 0..6), 1usize..12),
            1..5,
        ),
    ) {
        let records = identities(&picks);
        let mut previous = Previous::default();
        // The first record that every id stood for, as long as one of its records was known.
        let mut retired = BTreeSet::new();
        for (pairs, known) in steps {
            let at = |at: usize| &records[at % records.len()];
            let overrides: Vec<Override> = pairs
                .iter()
                .filter(|(_, left, right)| at(*left).record != at(*right).record)
                .map(|(always, left, right)| {
                    let rule = if *always { Rule::Always } else { Rule::Never };
                    decided(rule, at(*left), at(*right))
                })
                .collect();
            let given = &records[..known.min(records.len())];
            let found = again(given, &previous, &overrides);
            let mut turned: Vec<Override> = overrides.clone();
            turned.reverse();
            prop_assert_eq!(&found, &again(given, &previous, &turned));
            let is_given = |record: &RecordRef| given.iter().any(|it| it.record == *record);
            let mut contradictions = 0;
            for it in overrides.iter().filter(|it| is_given(&it.left) && is_given(&it.right)) {
                let of = |record: &RecordRef| found.memberships.iter().find(|m| m.record == *record).map(|m| &m.entity_id);
                let is_one = of(&it.left) == of(&it.right);
                match it.rule {
                    Rule::Never => prop_assert!(!is_one, "{it:?}"),
                    Rule::Always => contradictions += usize::from(!is_one),
                }
            }
            prop_assert!(contradictions <= found.counts.contradicting_overrides);
            let alive: Vec<&EntityId> = found.people.iter().map(|person| &person.id).collect();
            let distinct: BTreeSet<&EntityId> = alive.iter().copied().collect();
            prop_assert_eq!(alive.len(), distinct.len());
            prop_assert!(alive.iter().all(|id| !retired.contains(*id)), "an id came back to life");
            retired.extend(found.retired.keys().cloned());
            previous = previous.followed_by(&found);
        }
    }
}
