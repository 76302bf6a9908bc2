//! What an employer, its domain and the mailboxes at it say about people.

use super::*;

#[test]
fn who_changed_the_employer_is_the_same_by_the_own_number() {
    one_entity(&people(&[
        "Maria Quillan | maria.quillan@quarry.io | +1 415 555 2671 | Quarry",
        "Maria Quillan | mquillan@bergwerk.de | +1 415 555 2671 | Bergwerk",
    ]));
}

#[test]
fn a_slip_in_a_mailboxs_domain_is_no_other_mailbox() {
    one_entity(&people(&[
        "Dora Lindqvist | dora.lindqvist@quarry.io",
        "Dora Lindqvist | dora.lindqvist@qaurry.io",
    ]));
    apart(&people(&[
        "Dora Lindqvist | dora.lindqvist@quarry.io",
        "Dora Lindqvist | dora.lindqvist@bergwerk.de",
    ]));
}

#[test]
fn a_name_at_an_employer_tells_also_where_all_work_for_one() {
    let colleagues = [
        "Bruno Achterberg | bruno.achterberg@quarry.io | | Quarry",
        "Irma Falk | irma.falk@quarry.io | | Quarry",
        "Tomas Weir | tomas.weir@quarry.io | | Quarry",
        "Wanda Piers | wanda.piers@quarry.io | | Quarry",
    ];
    for two in [
        [
            "Dora Lindqvist | dora.l@gmail.com | | Quarry",
            "Dora Lindqvist | | | Quarry Inc.",
        ],
        [
            " | dora.lindqvist@quarry.io",
            "Dora Lindqvist | | | Quarry Inc.",
        ],
    ] {
        let found = resolved(&people(&[&two[..], &colleagues].concat()));
        let together = groups(&found).len() == 5;
        assert!(together, "{:?}: {:?}", groups(&found), found.evidence);
    }
}

#[test]
fn an_assistant_who_answers_for_several_is_none_of_them() {
    apart(&people(&[
        "Bruno Achterberg | wanda.piers@quarry.io | | Quarry",
        "Irma Falk | wanda.piers@quarry.io | | Quarry",
        "Wanda Piers | wanda.piers@quarry.io | | Quarry",
    ]));
}

/// Returns the bits that a field of the pair of two records has; 0 where it says nothing.
fn bits_of(found: &Resolution, field: &str, [one, other]: [&str; 2]) -> f32 {
    let mut pairs = found.evidence.iter().filter(|it| {
        let ids = [&*it.left.id, &*it.right.id];
        ids == [one, other] || ids == [other, one]
    });
    let pair = pairs.next().expect("the pair was weighed");
    let mut bits = pair.fields.iter().filter(|it| it.field == field);
    bits.next().map_or(0.0, |it| it.bits)
}

/// Returns a word that no other number has.
pub(super) fn word(number: usize) -> String {
    const SYLLABLES: [&str; 12] = [
        "bra", "cem", "dor", "fin", "gul", "hop", "jok", "lep", "mop", "nut", "pyr", "sog",
    ];
    let digits = [number / 144, number / 12, number];
    let syllables = digits.map(|digit| SYLLABLES[digit % SYLLABLES.len()]);
    syllables.concat()
}

/// Returns 400 people, all at one employer: of 100 the given name is Maria, of as many the surname is Smith.
fn crowd() -> Vec<String> {
    let name = |number: usize| match number {
        0..100 => format!("Maria {}", word(number)),
        100..200 => format!("{} Smith", word(number)),
        _ => format!("{} {}", word(number), word(number + 400)),
    };
    let line = |number| format!("{} | m{number}@hmail.io | | Quarry", name(number));
    (0..400).map(line).collect()
}

/// Returns what comes of two records beside the crowd.
fn beside_a_crowd(two: [&str; 2]) -> Resolution {
    let crowd = crowd();
    let lines: Vec<&str> = two
        .into_iter()
        .chain(crowd.iter().map(String::as_str))
        .collect();
    resolved(&people(&lines))
}

#[test]
fn a_rare_name_says_more_than_a_common_one() {
    let found = beside_a_crowd(["Okon Lindqvist | | | Quarry", "Okon Lindqvist | | | Quarry"]);
    assert_eq!(groups(&found).len(), 401);
    let found = beside_a_crowd(["Maria Smith | | | Quarry", "Maria Smith | | | Quarry"]);
    assert_eq!(groups(&found).len(), 402);
}

#[test]
fn a_small_employer_says_more_than_a_large_one() {
    let two = ["000", "001"];
    let large = beside_a_crowd(["Okon Lindqvist | | | Quarry", "Okon Lindqvist | | | Quarry"]);
    let small = beside_a_crowd([
        "Okon Lindqvist | | | Bergwerk",
        "Okon Lindqvist | | | Bergwerk",
    ]);
    let [large, small] = [large, small].map(|found| bits_of(&found, "organisation", two));
    assert!(large >= 0.0 && small > large + 5.0, "{large} {small}");
}
