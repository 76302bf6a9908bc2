//! Rules of resolution, as sentences.

mod employers;
mod increment;
mod kept;
mod overrides;
mod remote;
mod reports;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// A person's record: `name | e-mails | phones | company`, lists separated by `;`.
fn person(id: &str, line: &str) -> Identity {
    let mut identity = Identity::new(RecordRef::new("crm", "contacts", id), EntityKind::Person);
    let mut cells = line.split('|').map(str::trim);
    let mut cell = || cells.next().filter(|cell| !cell.is_empty());
    identity.full_name = cell().map(str::to_owned);
    let list = |cell: Option<&str>| {
        cell.map(|cell| cell.split(';').map(str::to_owned).collect())
            .unwrap_or_default()
    };
    identity.emails = list(cell());
    identity.phones = list(cell());
    identity.company = cell().map(str::to_owned);
    identity.birth_date = cell().map(str::to_owned);
    identity.street = cell().map(str::to_owned);
    identity
}

/// A company's record: `name | sites | phone | city | country`, sites separated by `;`.
fn company(id: &str, line: &str) -> Identity {
    let mut identity = Identity::new(RecordRef::new("crm", "accounts", id), EntityKind::Company);
    let mut cells = line.split('|').map(str::trim);
    let mut cell = || {
        cells
            .next()
            .filter(|cell| !cell.is_empty())
            .map(str::to_owned)
    };
    identity.company = cell();
    let sites = cell().map(|cell| cell.split(';').map(str::trim).map(str::to_owned).collect());
    identity.websites = sites.unwrap_or_default();
    identity.phones = cell().into_iter().collect();
    identity.city = cell();
    identity.country = cell();
    identity
}

fn people(lines: &[&str]) -> Vec<Identity> {
    lines
        .iter()
        .enumerate()
        .map(|(at, line)| person(&format!("{at:03}"), line))
        .collect()
}

fn companies(lines: &[&str]) -> Vec<Identity> {
    lines
        .iter()
        .enumerate()
        .map(|(at, line)| company(&format!("{at:03}"), line))
        .collect()
}

fn resolved(identities: &[Identity]) -> Resolution {
    resolve(identities, &Previous::default(), &[], &Settings::default())
}

/// Returns the records' ids by entity.
fn groups(resolution: &Resolution) -> BTreeSet<Vec<String>> {
    let mut by_entity = BTreeMap::<_, Vec<String>>::new();
    for member in &resolution.memberships {
        by_entity
            .entry(member.entity_id)
            .or_default()
            .push(member.record.id.to_string());
    }
    by_entity.into_values().collect()
}

#[track_caller]
fn one_entity(identities: &[Identity]) {
    let found = resolved(identities);
    assert_eq!(
        groups(&found).len(),
        1,
        "{:?}: {:?}",
        groups(&found),
        found.evidence
    );
}

#[track_caller]
fn apart(identities: &[Identity]) {
    let found = resolved(identities);
    assert_eq!(
        groups(&found).len(),
        identities.len(),
        "{:?}: {:?}",
        groups(&found),
        found.evidence
    );
}

#[test]
fn one_person_in_many_spellings() {
    for lines in [
        [
            "Robert Quillan | bob@quarry.io",
            "Quillan, Bob | Bob+news@Quarry.io",
        ],
        ["Jörg Bäcker | jb@quarry.io", "Joerg Baecker | jb@quarry.io"],
        [
            "José Niebla | | +34 93 085 45 59",
            "NIEBLA JOSE | | 0034930854559",
        ],
        ["JosÃ© Niebla | jn@quarry.io", "José Niebla | jn@quarry.io"],
        [
            "Ann Teller | a.teller@gmail.com",
            "A. Teller | ateller@googlemail.com",
        ],
        ["Maria Luzón | ml@quarry.io", " | <ML@quarry.io>"],
        [
            "Priya Raman | priya@quarry.io",
            "Priya Kapoor | priya@quarry.io",
        ],
    ] {
        one_entity(&people(&lines));
    }
}

#[test]
fn what_many_share_joins_nobody() {
    for lines in [
        &[
            "Ann Teller | info@quarry.io",
            "Bo Marsh | info@quarry.io",
            "Cy Dunn | info@quarry.io",
        ][..],
        &[
            "Ann Teller | no-reply@quarry.io",
            "Bo Marsh | no-reply@quarry.io",
        ],
        &[
            "Ann Teller | test@test.com | 000-000-0000",
            "Bo Marsh | test@test.com | 000-000-0000",
        ],
        &["Not Provided | | | Quarry", "Not Provided | | | Quarry"],
        &[
            "Ann Teller | office.four@quarry.io",
            "Bo Marsh | office.four@quarry.io",
        ],
        &[
            "Ann Teller | | +14155550123",
            "Bo Marsh | | +14155550123",
            "Cy Dunn | | +14155550123",
        ],
        &["Mary Kusha | kusha@hmail.io", "Mark Kusha | kusha@hmail.io"],
        &[
            "Ann Lee | ann.lee@quarry.io | | Quarry",
            "Ann Lee | ann.lee2@quarry.io | | Quarry",
        ],
    ] {
        apart(&people(lines));
    }
}

#[test]
fn a_switchboard_glues_no_colleagues_even_through_nameless_calls() {
    let names = [
        "Ann Teller",
        "Bo Marsh",
        "Cy Dunn",
        "Di Frost",
        "Ed Stone",
        "Flo Winter",
    ];
    let mut identities: Vec<Identity> = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            person(
                &format!("p{at}"),
                &format!("{name} | p{at}@quarry.io | +1 415 555 0123 | Quarry"),
            )
        })
        .collect();
    identities.extend((0..5).map(|at| person(&format!("z{at}"), "WIRELESS CALLER | | 4155550123")));
    let found = groups(&resolved(&identities));
    assert!(
        found
            .iter()
            .all(|group| group.iter().filter(|id| id.starts_with('p')).count() <= 1),
        "{found:?}"
    );
}

#[test]
fn a_bridge_does_not_join_people_whose_names_contradict() {
    let lines = [
        "Ann Teller | ann@quarry.io",
        "Bo Marsh | bo@harbour.io",
        " | ann@quarry.io; bo@harbour.io",
    ];
    let found = resolved(&people(&lines));
    assert_eq!(groups(&found).len(), 2);
    assert_eq!(found.counts.refused_merges, 1);
    assert!(
        found
            .evidence
            .iter()
            .any(|evidence| evidence.outcome == Outcome::Refused)
    );
}

#[test]
fn people_without_mailbox_and_phone_meet_by_birth_and_address() {
    one_entity(&people(&[
        "Lachlan Beardon | | | | 1982-05-14 | 9 Boolee Street",
        "Lachlan Berdon | | | | 14.05.1982 | 9 Boolee St",
    ]));
    apart(&people(&[
        "John Smith | | | | 1970-10-12",
        "John Smith | | | | 1990-03-15",
    ]));
}

#[test]
fn dates_that_no_calendar_has_are_evidence() {
    one_entity(&people(&[
        "Lachlan Beardon | | | | 1994-11-17",
        "Lachlan Beardon | | | | 1994-11-71",
    ]));
    one_entity(&people(&[
        "Lachlan Beardon | | | | 1994-11-17",
        "Lachlan Beardon | | | | 1968-11-17",
    ]));
}

#[test]
fn a_family_in_one_house_is_several_people() {
    apart(&people(&[
        "Lachlan Beardon | | | | 1982-05-14 | 9 Boolee Street",
        "Matilda Beardon | | | | 1984-09-02 | 9 Boolee Street",
        "Harry Beardon | | | | | 9 Boolee Street",
    ]));
}

#[test]
fn flats_and_neighbours_share_no_house() {
    for lines in [
        [
            "Lachlan Beardon | | | | | 9 Boolee Street\nApt 4",
            "Priya Raman | | | | | 70 Niebla Road\nApt 4",
        ],
        [
            "Lachlan Beardon | | | | | 9 4th Avenue",
            "Priya Raman | | | | | 9 5th Avenue",
        ],
    ] {
        apart(&people(&lines));
    }
}

#[test]
fn a_mailbox_with_two_typing_errors_is_its_own_unless_names_contradict_it() {
    one_entity(&people(&[
        "Oliver Robertson | orobertson91@olson-palmer.com",
        "Oliver Robertson | orobestson91@olron-palmer.com",
    ]));
    apart(&people(&[
        "Oliver Robertson | orobertson91@olson-palmer.com",
        "Priya Raman | orobestson91@olron-palmer.com",
    ]));
}

#[test]
fn one_company_in_many_spellings() {
    for lines in [
        [
            "Quarry Stone, Inc. | www.quarry.io",
            "Quarry Stone | https://quarry.io/home",
        ],
        [
            "Quarry Stone GmbH & Co. KG | | | Köln | DE",
            "Quarry Stone | | | Koln | Germany",
        ],
        ["Quarry Svcs | quarry.io", "Quarry Services LLC | quarry.io"],
        [
            "Harbour Holdings LLC d/b/a Quarry Stone | | | Köln | DE",
            "Quarry Stone | | | Koln | Germany",
        ],
        [
            "Quarry Stone (formerly Harbour Lights) | | | Leeds",
            "Harbour Lights Ltd | | | Leeds",
        ],
    ] {
        one_entity(&companies(&lines));
    }
}

#[test]
fn a_record_without_a_name_or_with_that_of_one_shows_nothing_about_two_companies() {
    let lines = ["Alpha Freight | alpha.io", "Beta Optics | beta.de"];
    for line in [" | alpha.io; beta.de", "Alpha Freight | alpha.io; beta.de"] {
        let both = company("both", line);
        let found = resolved(&[companies(&lines), vec![both]].concat());
        let of = |id: &str| {
            let mut members = found.memberships.iter();
            members
                .find(|it| &*it.record.id == id)
                .map(|it| it.entity_id)
        };
        assert_ne!(of("000"), of("001"), "{line}");
    }
}

#[test]
fn the_main_domain_is_that_which_most_records_name_first() {
    let lines = [
        "Quarry Stone | quarry.io; quarrystoneindustries.com",
        "Quarry Stone | quarry.io; www.quarry.io",
    ];
    let found = resolved(&companies(&lines));
    let golden = found.companies.first().expect("a company");
    assert_eq!(golden.domain.as_deref(), Some("quarry.io"));
    assert_eq!(golden.domains, ["quarry.io", "quarrystoneindustries.com"]);
}

#[test]
fn a_record_with_two_domains_of_a_company_joins_the_records_of_each() {
    let lines = ["Quarry Stone | quarry.io", "Quarry Stone | quarrystone.de"];
    apart(&companies(&lines));
    let both = company("both", "Quarry Stone | quarry.io; quarrystone.de");
    let identities = [companies(&lines), vec![both]].concat();
    one_entity(&identities);
    let found = resolved(&identities);
    let domains = found.companies.first().map(|company| &company.domains);
    let domains: Option<BTreeSet<&str>> =
        domains.map(|all| all.iter().map(String::as_str).collect());
    assert_eq!(
        domains,
        Some(BTreeSet::from(["quarry.io", "quarrystone.de"]))
    );
}

/// Companies of one name, each with a domain of its own, in other cities.
const NAMESAKES: [&str; 4] = [
    "Quarry Stone | quarry.io | | Austin | US",
    "Quarry Stone | quarrystone.de | | Berlin | DE",
    "Quarry Stone | quarry-stone.co.uk | | Leeds | GB",
    "Quarry Stone | qstone.fr | | Lyon | FR",
];

/// Says with which of the others the last of some companies is one.
#[track_caller]
fn joins(identities: &[Identity], other: Option<&str>) {
    let last = identities
        .iter()
        .rfind(|it| it.kind == EntityKind::Company)
        .map(|it| it.record.id.to_string())
        .unwrap();
    let found = resolved(identities);
    let group = groups(&found).into_iter().find(|ids| ids.contains(&last));
    let expected: Vec<String> = other.map(str::to_owned).into_iter().chain([last]).collect();
    assert_eq!(group, Some(expected), "{:?}", found.evidence);
}

#[test]
fn a_company_is_the_one_of_its_name_at_its_place() {
    for (line, other) in [
        ("Quarry Stone | | | Leeds", Some("002")),
        ("QuarryStoneGmbH | | | | Germany", Some("001")),
        ("Quarry Stone | | +33 4 72 00 11 22", Some("003")),
        ("Quarry Stone", None),
        ("Quarry Stone | | | Oslo | NO", None),
    ] {
        let lines: Vec<&str> = NAMESAKES.into_iter().chain([line]).collect();
        joins(&companies(&lines), other);
    }
}

#[test]
fn people_who_share_a_phone_lend_a_company_their_domain() {
    let line = "Quarry Stone | | 415-555-0123";
    let lines: Vec<&str> = NAMESAKES.into_iter().chain([line]).collect();
    joins(&companies(&lines), None);
    let callers = people(&[
        "Ann Teller | ann@quarry-stone.co.uk | +1 415 555 0123",
        "Bo Marsh | bo@quarry-stone.co.uk | 415-555-0123",
        "Cy Dunn | cy@okafor.net | 415-555-0123",
    ]);
    joins(&[companies(&lines), callers.clone()].concat(), Some("002"));
    // Half of them are not most.
    let mut other = person("other", "Di Marsh | di@okafor.net | 415-555-0123");
    joins(
        &[companies(&lines), callers.clone(), vec![other.clone()]].concat(),
        None,
    );
    // Whoever has several mailboxes at one domain is one of them still.
    other.emails = vec!["di@okafor.net".to_owned(), "d@okafor.net".to_owned()];
    let most = person("most", "Eve Dunn | eve@quarry-stone.co.uk | 415-555-0123");
    joins(
        &[companies(&lines), callers, vec![other, most]].concat(),
        Some("002"),
    );
}

#[test]
fn a_slip_in_a_phone_and_a_code_that_nobody_knows_are_no_other_phone() {
    for phone in ["+46 70 123 45 76", "+46 70 123 45 6", "46701234567"] {
        let line = format!("Quarry Stone | | {phone}");
        let known = "Quarry Stone | quarry.io | +46 70 123 45 67";
        let other = "Quarry Stone | quarrystone.de | +49 30 901820";
        joins(&companies(&[known, other, &line]), Some("000"));
    }
}

#[test]
fn shared_hosts_and_free_mail_join_no_companies() {
    for lines in [
        ["Quarry Stone | gmail.com", "Harbour Lights | gmail.com"],
        [
            "Quarry Stone | linkedin.com/company/q",
            "Harbour Lights | linkedin.com/company/h",
        ],
        ["Quarry Stone | quarry.io", "Quarry Stone | quarrystone.de"],
        [
            "Quarry Stone | | +14155550123",
            "Harbour Lights | | +14155550123",
        ],
    ] {
        apart(&companies(&lines));
    }
}

#[test]
fn a_contact_knows_its_employer_by_link_domain_or_name() {
    let mut linked = person("linked", "Ann Teller");
    linked.employer = Some(RecordRef::new("crm", "accounts", "000"));
    let identities = [
        companies(&["Quarry Stone, Inc. | quarry.io"]),
        vec![
            linked,
            person("mail", "Bo Marsh | bo@quarry.io"),
            person("name", "Cy Dunn | | | Quarry Stone LLC"),
        ],
    ]
    .concat();
    let found = resolved(&identities);
    let id = found.companies.first().map(|company| company.id);
    assert!(id.is_some());
    assert!(
        found.people.iter().all(|person| person.company_id == id),
        "{:?}",
        found.people
    );
}

#[test]
fn phones_of_records_that_name_no_country_are_of_the_default_one() {
    let records = people(&["Ida Wren | | 020 7946 0018"]);
    for (country, phone) in [(None, "2079460018"), (Some("GB"), "+442079460018")] {
        let settings = Settings {
            default_country: country.map(str::to_owned),
            ..Settings::default()
        };
        let found = resolve(&records, &Previous::default(), &[], &settings);
        let phones = found.people.iter().flat_map(|person| &person.phones);
        let phones: Vec<&str> = phones.map(|phone| phone.value.as_str()).collect();
        assert_eq!(phones, [phone], "{country:?}");
    }
}

#[test]
fn the_golden_record_takes_the_most_frequent_then_the_newest_value() {
    let mut identities = people(&[
        "Bob Quillan | bob@gmail.com | | Quarry",
        "Robert Quillan | bob@gmail.com; bob@quarry.io | (415) 555-0123 | Quarry Inc",
        "Robert Quillan | bob@quarry.io | +1 415 555 0123 | Quarry Inc",
    ]);
    for (time, identity) in (1..).zip(&mut identities) {
        identity.changed_at = time;
        identity.title = Some(format!("Title {time}"));
    }
    let found = resolved(&identities);
    let [golden] = found.people.as_slice() else {
        panic!("{:?}", found.people)
    };
    assert_eq!(golden.full_name.as_deref(), Some("Robert Quillan"));
    assert_eq!(golden.email.as_deref(), Some("bob@quarry.io"));
    assert_eq!(golden.title.as_deref(), Some("Title 3"));
    assert_eq!(golden.company.as_deref(), Some("Quarry Inc"));
    let phones: Vec<&str> = golden
        .phones
        .iter()
        .map(|phone| phone.value.as_str())
        .collect();
    assert_eq!(phones, ["+14155550123"]);
    assert_eq!(
        (golden.record_count, golden.first_seen, golden.last_seen),
        (3, 1, 3)
    );
    let lost = golden.other_values.iter();
    let lost: Vec<_> = lost
        .map(|it| (it.field, it.value.as_str(), it.record_count))
        .collect();
    let expected = [
        ("full_name", "Bob Quillan", 1),
        ("title", "Title 2", 1),
        ("title", "Title 1", 1),
        ("company", "Quarry", 1),
    ];
    assert_eq!(lost, expected);
}

#[test]
fn the_addresses_of_a_golden_record_are_each_of_a_kind() {
    let found = resolved(&people(&[
        "Ann Teller | a.nn+x@googlemail.com; ann@quarry.io; info@quarry.io; test@test.com",
    ]));
    let [golden] = found.people.as_slice() else {
        panic!("{:?}", found.people)
    };
    let emails = golden.emails.iter().map(|it| (it.value.as_str(), it.kind));
    let expected = [
        ("ann@quarry.io", ContactKind::Work),
        ("ann@gmail.com", ContactKind::Personal),
        ("info@quarry.io", ContactKind::Shared),
    ];
    assert_eq!(emails.collect::<Vec<_>>(), expected);
    assert_eq!(golden.domain.as_deref(), Some("quarry.io"));
}

#[test]
fn every_accepted_pair_is_evidence() {
    let found = resolved(&people(&[
        "Ann Teller | ann@quarry.io",
        "Ann Teller | ann@quarry.io",
        "Ann Teller | ann@quarry.io",
    ]));
    let pair = |it: &Evidence| (it.left.id.to_string(), it.right.id.to_string());
    let pairs: BTreeSet<_> = found.evidence.iter().map(pair).collect();
    assert_eq!((pairs.len(), found.evidence.len()), (3, 3));
    let outcomes = found.evidence.iter().map(|it| it.outcome);
    assert_eq!(
        outcomes.collect::<Vec<_>>(),
        [Outcome::Joined, Outcome::Joined, Outcome::Confirmed]
    );
    assert!(found.evidence.iter().all(|it| !it.fields.is_empty()));
}

#[test]
fn every_field_of_the_evidence_adds_up() {
    let found = resolved(&people(&[
        "Ann Teller | ann@quarry.io",
        "Teller, Ann | ann@quarry.io | +14155550123",
    ]));
    let [evidence] = found.evidence.as_slice() else {
        panic!("{:?}", found.evidence)
    };
    let sum = evidence
        .fields
        .iter()
        .fold(evidence.prior_bits, |sum, field| sum + field.bits);
    assert!((sum - evidence.total_bits).abs() < 0.01, "{evidence:?}");
    assert_eq!(evidence.key, "mailbox");
}

#[test]
fn no_text_is_too_strange() {
    let strange = "\u{0}\u{202e}🙂'\",;|<>@@..%\n".repeat(2_000);
    let mut identities = people(&["a | b | c | d", " | | | "]);
    for identity in &mut identities {
        identity.full_name = Some(strange.clone());
        identity.emails = vec![strange.clone(), "@".to_owned()];
        identity.phones = vec![strange.clone(), "9".repeat(10_000)];
        identity.company = Some(strange.clone());
        identity.birth_date = Some(strange.clone());
        identity.street = Some(strange.clone());
        identity.websites = vec![strange.clone()];
    }
    assert_eq!(resolved(&identities).memberships.len(), 2);
}

/// Draws up to so many people out of few names, mailboxes and phones, so that many share some.
fn picked(most: usize) -> impl Strategy<Value = Vec<[usize; 4]>> {
    let one = (0usize..4, 0usize..4, 0usize..5, 0usize..4);
    prop::collection::vec(one.prop_map(|(a, b, c, d)| [a, b, c, d]), 2..most)
}

fn identities(picks: &[[usize; 4]]) -> Vec<Identity> {
    const FIRSTS: [&str; 4] = ["Ann", "Bob", "Robert", "A."];
    const LASTS: [&str; 4] = ["Teller", "Marsh", "Tellr", ""];
    const MAILS: [&str; 5] = [
        "",
        "ann@quarry.io",
        "bob@quarry.io",
        "info@quarry.io",
        "at@gmail.com",
    ];
    const PHONES: [&str; 4] = ["", "+14155550123", "4155550123", "+442023543132"];
    let picks = picks.iter().enumerate();
    let line = |(at, [first, last, mail, phone]): (usize, &[usize; 4])| {
        let (name, surname) = (FIRSTS[*first], LASTS[*last]);
        let line = format!("{name} {surname} | {} | {}", MAILS[*mail], PHONES[*phone]);
        let mut person = person(&format!("{at:03}"), &line);
        person.city = Some(LASTS[*first].to_owned());
        person.birth_date = (at % 3 == 0).then(|| "1980-02-03".to_owned());
        person.street = (at % 5 == 0).then(|| format!("{mail} Mill Road"));
        person.websites = vec!["quarry.io".to_owned(); (at + 1) % 2];
        person
    };
    picks.map(line).collect()
}

/// Returns the same people, and for each a company of that name, site and phone.
fn both_kinds(picks: &[[usize; 4]]) -> Vec<Identity> {
    let people = identities(picks);
    let companies = people.iter().map(|person| {
        let mail = person.emails.first().map_or("", String::as_str);
        let site = mail.rsplit('@').next().unwrap_or_default();
        let phone = person.phones.first().map_or("", String::as_str);
        let name = person.full_name.as_deref().unwrap_or_default();
        company(&person.record.id, &format!("{name} Ltd | {site} | {phone}"))
    });
    people.iter().cloned().chain(companies).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_the_input_does_not_matter(picks in picked(30), turn in 0usize..30) {
        let identities = both_kinds(&picks);
        let mut turned = identities.clone();
        turned.rotate_left(turn % identities.len());
        let mut reversed = identities.clone();
        reversed.reverse();
        let found = resolved(&identities);
        prop_assert_eq!(&found, &resolved(&turned));
        prop_assert_eq!(&found, &resolved(&reversed));
        prop_assert_eq!(found.memberships.len(), identities.len());
    }

    #[test]
    fn the_number_of_threads_does_not_matter(picks in picked(60)) {
        let identities = both_kinds(&picks);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| resolved(&identities))
        };
        prop_assert_eq!(on(1), on(3));
    }

    #[test]
    fn who_is_not_affected_by_a_change_keeps_the_id(picks in picked(40), changed in 0usize..40) {
        let mut identities = both_kinds(&picks);
        let before = resolved(&identities);
        let at = changed % identities.len();
        identities[at].emails = vec!["zoe@harbour.io".to_owned()];
        let previous = Previous::default().followed_by(&before);
        let after = resolve(&identities, &previous, &[], &Settings::default());
        let ids = |found: &Resolution| {
            let members = found.memberships.iter();
            let members = members.map(|it| (it.entity_id, it.record.clone(), it.kind));
            members.fold(BTreeMap::<_, Vec<_>>::new(), |mut ids, (id, record, kind)| {
                ids.entry(id).or_default().push((kind, record));
                ids
            })
        };
        let (before, after) = (ids(&before), ids(&after));
        for (id, members) in &before {
            let same = after.iter().find(|(_, now)| *now == members);
            if let Some((now, _)) = same {
                prop_assert_eq!(now, id);
            }
        }
    }
}
