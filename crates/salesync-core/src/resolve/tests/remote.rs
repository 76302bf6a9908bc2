//! What is resolved apart, record by record and part by part, is what is resolved at once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::index::{IndexChange, number_of};
use super::super::learnt::{Fact, FactField};
use super::super::remote::{
    Concluded, Lesson, LevelCount, Look, Part, answer, conclude, first_look, head, rules,
    second_look,
};
use super::increment::{Kept, after, identity, settings};
use super::*;

/// A whole resolve, and what is kept of its records for an engine of sets.
struct Whole {
    settings: Settings,
    resolution: Resolution,
    index: IndexChange,
    learnt: Learnt,
    facts: Vec<Fact>,
    looks: Vec<Look>,
}

fn wait<T>(work: impl Future<Output = crate::error::Result<T>>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(work).unwrap()
}

impl Whole {
    fn of(identities: Vec<Identity>, settings: Settings) -> Self {
        let (companies, people): (Vec<Identity>, Vec<Identity>) = identities
            .iter()
            .cloned()
            .partition(|it| it.kind == EntityKind::Company);
        let previous = Previous::default();
        let (resolution, index, mut learnt) =
            resolve_and_index(identities, &previous, &[], &settings);
        let facts: Vec<Fact> = learnt.take_facts().collect();
        let mut looks = wait(first_look(EntityKind::Company, &companies, &settings));
        let raw = wait(first_look(EntityKind::Person, &people, &settings));
        let asked = raw.iter().flat_map(|look| &look.asks);
        let asked: BTreeSet<u64> = asked.map(|(field, text)| field.place_of(text)).collect();
        let known = facts.iter().filter(|fact| asked.contains(&fact.place()));
        looks.extend(wait(second_look(
            &people,
            known.cloned().collect(),
            &settings,
        )));
        Self {
            settings,
            resolution,
            index,
            learnt,
            facts,
            looks,
        }
    }

    fn known(&self, look: &Look) -> Vec<&Fact> {
        let places = look.asks.iter();
        let places: BTreeSet<u64> = places.map(|(field, text)| field.place_of(text)).collect();
        let facts = self.facts.iter();
        facts
            .filter(|fact| places.contains(&fact.place()))
            .collect()
    }

    fn uses(&self, look: &Look) -> Vec<KeyUse> {
        let keys: BTreeSet<u64> = look.keys.iter().map(|(_, key)| *key).collect();
        let uses = self.index.uses.iter();
        uses.filter(|used| keys.contains(&used.key))
            .copied()
            .collect()
    }

    /// The phones of a person's record that are on companies' records.
    fn switchboards(&self, look: &Look) -> BTreeSet<String> {
        let phones = |look: &Look| -> BTreeSet<String> {
            let values = look.values.iter().filter(|it| it.of == "phone");
            values.map(|it| it.text.clone()).collect()
        };
        let companies = self.looks.iter();
        let companies = companies.filter(|it| it.kind == EntityKind::Company);
        let of_companies: BTreeSet<String> = companies.flat_map(phones).collect();
        match look.kind {
            EntityKind::Person => &phones(look) & &of_companies,
            EntityKind::Company => BTreeSet::new(),
        }
    }

    /// The answer to a question about all records of a kind.
    fn answered(&self, kind: EntityKind, name: &str, asked: Value) -> Vec<String> {
        let looks = self.looks.iter().filter(|look| look.kind == kind);
        let records = looks.map(|look| {
            let row: Value = serde_json::from_str(look.row.as_deref().unwrap()).unwrap();
            let facts = self.known(look).into_iter();
            let uses = self.uses(look).into_iter();
            json!({
                "row": row,
                "facts": facts.map(|it| json!([it.field, it.text, it.number, it.organisation])).collect::<Vec<_>>(),
                "uses": uses
                    .map(|it| json!([it.key.cast_signed(), it.records, it.users]))
                    .collect::<Vec<_>>(),
            })
        });
        let mut written = json!({
            "kind": kind,
            "settings": self.settings,
            "learnt": self.learnt,
            "records": records.collect::<Vec<_>>(),
        });
        written[name] = asked;
        let lines = answer(&written.to_string()).unwrap();
        lines.lines().map(str::to_owned).collect()
    }

    /// The records that pairs tie together.
    fn components(&self, kind: EntityKind) -> BTreeMap<u64, BTreeSet<u64>> {
        let of_kind: BTreeSet<u64> = self.looks_at(kind).map(|it| it.record).collect();
        let mut components: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
        for place in &self.index.places {
            if of_kind.contains(&place.record) {
                let members = components.entry(place.component).or_default();
                members.insert(place.record);
            }
        }
        components
    }

    fn looks_at(&self, kind: EntityKind) -> impl Iterator<Item = &Look> {
        self.looks.iter().filter(move |look| look.kind == kind)
    }

    /// One component, with those that nearly belong to it.
    fn part(&self, kind: EntityKind, told: &BTreeSet<u64>, employers: &Employers) -> Part {
        let near = self.index.edges.iter();
        let near = near.filter(|it| told.contains(&it.left) || told.contains(&it.right));
        let ends: BTreeSet<u64> = near.flat_map(|it| [it.left, it.right]).collect();
        let components = self.components(kind);
        let beside = components.values();
        let beside = beside.filter(|members| !members.is_disjoint(&ends));
        let all: BTreeSet<u64> = beside.flatten().chain(told).copied().collect();
        let looks: Vec<&Look> = self
            .looks_at(kind)
            .filter(|it| all.contains(&it.record))
            .collect();
        let is_in = |it: &&IndexedRecord| all.contains(&it.number);
        let edges = self.index.edges.iter();
        let edges = edges.filter(|it| all.contains(&it.left) && all.contains(&it.right));
        Part {
            records: self.index.records.iter().filter(is_in).cloned().collect(),
            told: told.clone(),
            edges: edges.copied().collect(),
            uses: looks.iter().flat_map(|look| self.uses(look)).collect(),
            facts: looks
                .iter()
                .flat_map(|look| self.known(look))
                .cloned()
                .collect(),
            switchboards: looks
                .iter()
                .flat_map(|look| self.switchboards(look))
                .collect(),
            employers: employers.clone(),
            ..Part::default()
        }
    }

    /// All parts, one after another.
    fn concluded(&self, kind: EntityKind, employers: &Employers) -> Vec<Concluded> {
        let components = self.components(kind);
        let parts = components.values();
        let known = (&self.settings, &self.learnt);
        let reader = Kept::default();
        let concluded = parts.map(|told| {
            let part = self.part(kind, told, employers);
            wait(conclude(kind, part, known, (&[], &reader)))
        });
        concluded.collect()
    }
}

type Employers = BTreeMap<String, EntityId>;

fn lines<T: std::fmt::Debug>(all: &[T]) -> BTreeSet<String> {
    all.iter().map(|it| format!("{it:?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn records_that_are_looked_at_apart_have_the_keys_of_all(
        identities in proptest::collection::vec(identity(), 0..60),
    ) {
        let whole = Whole::of(after(&identities, &[]), settings(5));
        let keys = whole.looks.iter().flat_map(|look| {
            look.keys.iter().map(|(_, key)| (*key, look.record))
        });
        let keys: BTreeSet<(u64, u64)> = keys.collect();
        let of_all: BTreeSet<(u64, u64)> = whole.index.keys.iter().copied().collect();
        prop_assert_eq!(keys, of_all);
        let derived = whole.looks.iter().map(|look| (look.record, look.derived.clone()));
        let derived: BTreeMap<u64, Derived> = derived.collect();
        for record in &whole.index.records {
            prop_assert_eq!(derived.get(&record.number), Some(&record.derived));
        }
    }

    #[test]
    fn pairs_that_are_weighed_apart_weigh_the_same(
        identities in proptest::collection::vec(identity(), 0..60),
    ) {
        let whole = Whole::of(after(&identities, &[]), settings(5));
        for kind in [EntityKind::Company, EntityKind::Person] {
            let of_kind: BTreeSet<u64> = whole.looks_at(kind).map(|it| it.record).collect();
            let edges = whole.index.edges.iter().filter(|it| of_kind.contains(&it.left));
            let edges: Vec<_> = edges.collect();
            // Whichever of the two comes first.
            let numbers = edges.iter().map(|it| [it.right, it.left].map(u64::cast_signed));
            let pairs: Vec<_> = numbers.collect();
            let lines = whole.answered(kind, "weigh", json!(pairs));
            let expected = edges.iter().map(|it| {
                let [left, right] = [it.left, it.right].map(u64::cast_signed);
                format!("{left} {right} {}", f64::from(it.bits))
            });
            prop_assert_eq!(lines, expected.collect::<Vec<_>>());
        }
    }

    #[test]
    fn users_that_are_counted_apart_are_as_many(
        identities in proptest::collection::vec(identity(), 0..60),
    ) {
        let whole = Whole::of(after(&identities, &[]), settings(5));
        let mut blocks: BTreeMap<(EntityKind, u64), Vec<u64>> = BTreeMap::new();
        let mut marked: BTreeSet<u64> = BTreeSet::new();
        for look in &whole.looks {
            let counted = look.keys.iter();
            let counted = counted.filter(|(kind, _)| ["mailbox", "domain", "phone"].contains(kind));
            for (kind, key) in counted {
                blocks.entry((look.kind, *key)).or_default().push(look.record);
                if *kind == "phone" && !whole.switchboards(look).is_empty() {
                    marked.insert(*key);
                }
            }
        }
        for ((kind, key), records) in blocks.iter().filter(|(_, records)| records.len() > 1) {
            let records: Vec<i64> = records.iter().map(|it| it.cast_signed()).collect();
            let lines = whole.answered(*kind, "users", json!([[key.cast_signed(), records]]));
            let used = whole.index.uses.iter().find(|used| used.key == *key).unwrap();
            // A switchboard has more.
            if !marked.contains(key) {
                prop_assert_eq!(lines, [format!("{} {}", key.cast_signed(), used.users)]);
            }
        }
    }

    #[test]
    fn what_is_clustered_in_parts_is_what_is_clustered_at_once(
        identities in proptest::collection::vec(identity(), 0..60),
    ) {
        let whole = Whole::of(after(&identities, &[]), settings(5));
        let companies = whole.concluded(EntityKind::Company, &Employers::new());
        let link = |record: u64| {
            let mut looks = whole.looks_at(EntityKind::Company);
            looks.find(|it| it.record == record).unwrap().link.clone()
        };
        let places = companies.iter().flat_map(|it| &it.places);
        let entities: BTreeMap<u64, EntityId> = places.map(|it| (it.record, it.entity_id)).collect();
        let firsts = companies.iter().flat_map(|it| &it.firsts);
        let employers = firsts.map(|(record, first)| (link(*first), entities[record])).collect();
        let people = whole.concluded(EntityKind::Person, &employers);
        let (mut found, mut places) = (Resolution::default(), Vec::new());
        for part in companies.into_iter().chain(people) {
            found.people.extend(part.resolution.people);
            found.companies.extend(part.resolution.companies);
            found.memberships.extend(part.resolution.memberships);
            found.evidence.extend(part.resolution.evidence);
            found.review.extend(part.resolution.review);
            places.extend(part.places);
        }
        let all = &whole.resolution;
        prop_assert_eq!(lines(&found.memberships), lines(&all.memberships));
        prop_assert_eq!(lines(&found.people), lines(&all.people));
        prop_assert_eq!(lines(&found.companies), lines(&all.companies));
        prop_assert_eq!(lines(&found.evidence), lines(&all.evidence));
        prop_assert_eq!(found.review.len(), all.review.len());
        prop_assert_eq!(lines(&found.review), lines(&all.review));
        prop_assert_eq!(lines(&places), lines(&whole.index.places));
    }
}

/// Two records of each of some people: a seventh has two dates of birth, a tenth has moved.
fn people_with_homes() -> Vec<Identity> {
    const FIRST: [&str; 8] = [
        "Ada", "Bela", "Carlo", "Dunja", "Emil", "Fatima", "Goran", "Hilda",
    ];
    const LAST: [&str; 11] = [
        "Okonkwo",
        "Lindqvist",
        "Marchetti",
        "Novak",
        "Petrosyan",
        "Quintero",
        "Rasmussen",
        "Szabo",
        "Tanaka",
        "Underhill",
        "Vasquez",
    ];
    let people = FIRST
        .into_iter()
        .flat_map(|first| LAST.map(|last| (first, last)));
    let records = (0..).zip(people).flat_map(|(at, (first, last))| {
        [0, 1].map(|copy| {
            let record = RecordRef::new("crm", "contacts", format!("{at}-{copy}"));
            let (street, city) = match copy == 1 && at % 10 == 0 {
                true => ("Harbour Road", "Sorrento"),
                false => (last, "Maitland"),
            };
            let month = 1 + u32::from(copy == 1 && at % 7 == 0) * 6;
            Identity {
                first_name: Some(first.to_owned()),
                last_name: Some(last.to_owned()),
                birth_date: Some(format!("{}-{month:02}-10", 1930 + at)),
                street: Some(format!("{} {street}", 100 + at)),
                city: Some(city.to_owned()),
                ..Identity::new(record, EntityKind::Person)
            }
        })
    });
    records.collect()
}

#[test]
fn what_pairs_teach_is_the_same_where_they_are_compared_apart() {
    let whole = Whole::of(people_with_homes(), settings(5));
    let mut apart = whole.learnt.clone();
    let seed = whole.settings.model.people.clone();
    apart.weights = seed.clone();
    for rule in rules(EntityKind::Person, &whole.settings.model) {
        let Some(lesson) = rule.lesson(EntityKind::Person) else {
            continue;
        };
        let mut blocks: BTreeMap<u64, Vec<&Look>> = BTreeMap::new();
        for look in whole.looks.iter().filter(|look| look.is_whole) {
            let keys = look.keys.iter().filter(|(kind, _)| *kind == rule.kind);
            keys.for_each(|(_, key)| blocks.entry(*key).or_default().push(look));
        }
        let pairs = blocks.into_values().filter_map(|mut looks| {
            looks.sort_by_key(|look| (look.order.clone(), look.record));
            let other = match lesson {
                Lesson::Households => looks.len().checked_sub(1).filter(|last| *last > 0)?,
                _ => 1,
            };
            Some([looks.first()?, looks.get(other)?].map(|look| look.record.cast_signed()))
        });
        let pairs: Vec<[i64; 2]> = pairs.collect();
        let lines = whole.answered(EntityKind::Person, "levels", json!(pairs));
        let counts = lines.iter().map(|line| LevelCount {
            levels: line.split(' ').map(str::to_owned).collect(),
            pairs: 1,
        });
        apart.learn(lesson, &counts.collect::<Vec<_>>()).unwrap();
    }
    let learnt = &whole.learnt.weights;
    assert_eq!(apart.weights, *learnt);
    assert_ne!(learnt.address.conflict, seed.address.conflict);
    assert_ne!(learnt.birth_conflict, seed.birth_conflict);
    assert_ne!(learnt.birth_near, seed.birth_near);
}

#[test]
fn levels_of_another_version_teach_nothing_but_that() {
    let two = LevelCount {
        levels: vec!["equal".to_owned(), "equal".to_owned()],
        pairs: 1,
    };
    let error = Learnt::default().learn(Lesson::Moves, &[two]).unwrap_err();
    assert_eq!(error.code(), crate::error::Code::Internal);
}

#[test]
fn a_question_that_is_none_is_told_without_what_it_says() {
    let error = answer(r#"{"kind": "person", "secret": "#).unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

/// Records of which every look tells the number.
#[test]
fn a_record_has_one_number_wherever_it_is_looked_at() {
    let identities = people(&["Ann Teller | ann@quarry.io"]);
    let looks = wait(first_look(
        EntityKind::Person,
        &identities,
        &Settings::default(),
    ));
    let expected = number_of(EntityKind::Person, &identities[0].record);
    assert_eq!(looks[0].record, expected);
}

#[test]
fn facts_are_asked_for_by_the_numbers_under_which_they_are_kept() {
    let known = (&Settings::default(), &Learnt::default());
    let head = head(EntityKind::Person, known.0, known.1).unwrap();
    let question = format!(
        r#"{head},"records":[],"places":[[7,"surname","o'hara \"x\""],[-8,"city","oslo"]]}}"#
    );
    let places = [
        (7, FactField::Surname.place_of("o'hara \"x\"")),
        (-8, FactField::City.place_of("oslo")),
    ];
    let lines = places.map(|(number, place)| format!("{number} {}\n", place.cast_signed()));
    assert_eq!(answer(&question).unwrap(), lines.concat());
}
