//! What is resolved bit by bit is what is resolved at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::super::golden::ContactKind;
use super::super::index::number_of;
use super::super::learnt::Fact;
use super::*;
use crate::error::Result;

/// An index in memory, with the answer beside it.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    /// How many records were read.
    read: Arc<AtomicUsize>,
    facts: BTreeMap<u64, Vec<Fact>>,
    records: BTreeMap<u64, IndexedRecord>,
    places: BTreeMap<u64, Place>,
    keys: BTreeSet<(u64, u64)>,
    uses: BTreeMap<u64, KeyUse>,
    edges: Vec<IndexedEdge>,
    ages: BTreeMap<EntityId, u64>,
    answer: Resolution,
    runs: u64,
}

#[async_trait]
impl IndexReader for Kept {
    async fn facts(&self, places: &[u64]) -> Result<Vec<Fact>> {
        let found = places.iter().filter_map(|place| self.facts.get(place));
        Ok(found.flatten().cloned().collect())
    }

    async fn records(&self, numbers: &[u64]) -> Result<Vec<IndexedRecord>> {
        let found = numbers.iter().filter_map(|number| self.records.get(number));
        let found: Vec<IndexedRecord> = found.cloned().collect();
        self.read.fetch_add(found.len(), Ordering::Relaxed);
        Ok(found)
    }

    async fn places(&self, records: &[u64]) -> Result<Vec<Place>> {
        let found = records.iter().filter_map(|number| self.places.get(number));
        Ok(found.cloned().collect())
    }

    async fn members(&self, components: &[u64]) -> Result<Vec<Place>> {
        let places = self.places.values();
        let found = places.filter(|place| components.contains(&place.component));
        Ok(found.cloned().collect())
    }

    async fn blocks(&self, keys: &[u64]) -> Result<Vec<(u64, u64)>> {
        let found = self.keys.iter().filter(|(key, _)| keys.contains(key));
        Ok(found.copied().collect())
    }

    async fn uses(&self, keys: &[u64]) -> Result<Vec<KeyUse>> {
        Ok(keys
            .iter()
            .filter_map(|key| self.uses.get(key))
            .copied()
            .collect())
    }

    async fn edges(&self, records: &[u64]) -> Result<Vec<IndexedEdge>> {
        let wanted =
            |edge: &&IndexedEdge| records.contains(&edge.left) || records.contains(&edge.right);
        Ok(self.edges.iter().filter(wanted).copied().collect())
    }

    async fn ages(&self, ids: &[EntityId]) -> Result<BTreeMap<EntityId, u64>> {
        let found = ids.iter().filter_map(|id| self.ages.get_key_value(id));
        Ok(found.map(|(id, age)| (*id, *age)).collect())
    }
}

impl Kept {
    fn take(&mut self, change: IndexChange) {
        self.records
            .retain(|number, _| !change.changed.contains(number));
        self.keys
            .retain(|(_, number)| !change.changed.contains(number));
        self.records.extend(
            change
                .records
                .into_iter()
                .map(|record| (record.number, record)),
        );
        self.keys.extend(change.keys);
        self.uses
            .retain(|key, _| !change.touched_keys.contains(key));
        self.uses
            .extend(change.uses.into_iter().map(|used| (used.key, used)));
        let weighed = change.weighed;
        self.edges
            .retain(|edge| !weighed.contains(&edge.left) && !weighed.contains(&edge.right));
        self.edges.extend(change.edges);
        self.places
            .retain(|number, _| !change.moved.contains(number));
        self.places
            .extend(change.places.into_iter().map(|place| (place.record, place)));
    }

    fn note(&mut self, changes: &[Change]) {
        self.runs += 1;
        for change in changes {
            if let Change::Created(id) = change {
                self.ages.insert(*id, self.runs);
            }
        }
    }

    /// Keeps a whole resolve.
    fn of(identities: &[Identity], overrides: &[Override], settings: &Settings) -> (Self, Learnt) {
        let (answer, index, mut learnt) = resolve_and_index(
            identities.to_vec(),
            &Previous::default(),
            overrides,
            settings,
        );
        let mut kept = Self::default();
        kept.take(index);
        kept.note(&answer.changes);
        kept.answer = answer;
        for fact in learnt.take_facts() {
            kept.facts.entry(fact.place()).or_default().push(fact);
        }
        (kept, learnt)
    }

    /// Keeps nothing but what was learnt.
    fn empty(&self) -> Self {
        Self {
            facts: self.facts.clone(),
            ..Self::default()
        }
    }

    /// Resolves what changed.
    fn go_on(
        &mut self,
        changed: Vec<Changed>,
        decisions: Decisions<'_>,
        (settings, learnt): (&Settings, &Learnt),
    ) -> Increment {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let mut learnt = learnt.clone();
        let found = increment(self, changed, decisions, (settings, &mut learnt));
        let found = runtime.block_on(found).unwrap();
        self.take(found.index.clone());
        self.note(&found.resolution.changes);
        let (answer, outdated) = (&mut self.answer, &found.outdated);
        answer
            .people
            .retain(|person| !outdated.contains(&person.id));
        answer
            .companies
            .retain(|company| !outdated.contains(&company.id));
        answer
            .memberships
            .retain(|it| !outdated.contains(&it.entity_id));
        answer
            .evidence
            .retain(|it| !outdated.contains(&it.entity_id));
        answer.review.retain(|it| {
            !outdated.contains(&it.evidence.entity_id) && !outdated.contains(&it.other_entity_id)
        });
        let part = found.resolution.clone();
        answer.people.extend(part.people);
        answer.companies.extend(part.companies);
        answer.memberships.extend(part.memberships);
        answer.evidence.extend(part.evidence);
        answer.review.extend(part.review);
        found
    }

    /// Tells everything by records instead of ids, in one order.
    fn told(&self) -> Told {
        let mut members: BTreeMap<&EntityId, Vec<String>> = BTreeMap::new();
        for member in &self.answer.memberships {
            let record = member.record.to_string();
            members.entry(&member.entity_id).or_default().push(record);
        }
        members.values_mut().for_each(|records| records.sort());
        let named = |id: &EntityId| format!("{:?}", members.get(id));
        let mut lines = BTreeSet::new();
        for person in &self.answer.people {
            // Of companies that as many records name, ids tell which is first, and these differ.
            let is_sure = person
                .other_values
                .iter()
                .all(|it| it.field != "company_id");
            let employer = person.company_id.as_ref().filter(|_| is_sure).map(named);
            let mut plain = person.clone();
            plain.company_id = None;
            plain.other_values.retain(|it| it.field != "company_id");
            let text = format!("{plain:?}").replace(&*person.id.text(), "");
            lines.insert(format!(
                "person {} works at {employer:?}: {text}",
                named(&person.id)
            ));
        }
        for company in &self.answer.companies {
            let text = format!("{company:?}").replace(&*company.id.text(), "");
            lines.insert(format!("company {}: {text}", named(&company.id)));
        }
        for member in &self.answer.memberships {
            let text = format!("{member:?}").replace(&*member.entity_id.text(), "");
            lines.insert(format!("member of {}: {text}", named(&member.entity_id)));
        }
        for pair in &self.answer.evidence {
            let text = format!("{pair:?}").replace(&*pair.entity_id.text(), "");
            lines.insert(format!("evidence {text}"));
        }
        for review in &self.answer.review {
            let ids = [&review.evidence.entity_id, &review.other_entity_id];
            let text = ids.into_iter().fold(format!("{review:?}"), |text, id| {
                text.replace(&*id.text(), "")
            });
            lines.insert(format!("review {text}"));
        }
        let edges = self.edges.iter();
        let components = self.places.values();
        Told {
            lines,
            edges: edges.map(|edge| format!("{edge:?}")).collect(),
            components: components.map(|it| (it.record, it.component)).collect(),
            keys: self.keys.clone(),
            uses: self.uses.clone(),
        }
    }
}

#[derive(Debug, PartialEq)]
struct Told {
    lines: BTreeSet<String>,
    edges: BTreeSet<String>,
    components: BTreeMap<u64, u64>,
    keys: BTreeSet<(u64, u64)>,
    uses: BTreeMap<u64, KeyUse>,
}

#[track_caller]
fn same(one: &Told, other: &Told) {
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| -> String {
        a.difference(b).map(|line| format!("{line}\n")).collect()
    };
    assert_eq!(
        (
            only(&one.edges, &other.edges),
            only(&other.edges, &one.edges)
        ),
        Default::default()
    );
    assert!(one.uses == other.uses, "uses");
    assert!(one.keys == other.keys, "keys");
    assert!(one.components == other.components, "components");
    let (left, right) = (
        only(&one.lines, &other.lines),
        only(&other.lines, &one.lines),
    );
    assert!(
        left.is_empty() && right.is_empty(),
        "only one:\n{left}only other:\n{right}"
    );
}

fn all(identities: &[Identity]) -> Vec<Changed> {
    let changed = identities.iter().map(|identity| Changed {
        kind: identity.kind,
        record: identity.record.clone(),
        says: Some(identity.clone()),
    });
    changed.collect()
}

/// One of a few values.
fn one_of(values: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    proptest::option::weighted(0.75, proptest::sample::select(values))
        .prop_map(|value| value.map(str::to_owned))
}

/// Fewer than `most` of these values.
fn some_of(values: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<String>> {
    let value = proptest::sample::select(values).prop_map(str::to_owned);
    proptest::collection::vec(value, 0..most)
}

const COMPANIES: &[&str] = &[
    "Quarry Ltd",
    "Quarry",
    "Heron GmbH",
    "Heron Works",
    "Quarry Ltd dba Heron",
];

/// A record among few, whose values often meet.
pub(super) fn identity() -> impl Strategy<Value = Identity> {
    let ids = 0..40u32;
    let names = (
        one_of(&["Ann", "Anna", "Bob", "Robert", "Cy", "A", "Dana"]),
        one_of(&["Teller", "Tellre", "Marsh", "Quillan", "Okafor"]),
        one_of(&[
            "Quarry Ltd",
            "Ann Teller",
            "MARSH ROBE",
            "Dana Okafor",
            "Heron GmbH",
        ]),
    );
    let mails = some_of(
        &[
            "ann.teller@quarry.io",
            "a.teller@quarry.io",
            "robert.marsh@heron.de",
            "bmarsh@heron.de",
            "dana@okafor.net",
            "info@quarry.io",
            "ann@gmail.com",
            "dokafor@gmail.com",
        ],
        3,
    );
    let phones = some_of(&["+49 30 901820", "+44 20 7946 0018", "+1 415 555 0132"], 2);
    let place = (
        one_of(&["Berlin", "London"]),
        one_of(&[
            "12 Elm Street",
            "12 Elm Strete\nRose Farm",
            "14 Elm Street\nRose Farm",
            "9 Mill Lane",
        ]),
        one_of(&["10115", "10151", "3088"]),
        one_of(&["DE", "GB"]),
    );
    let rest = (
        one_of(COMPANIES),
        some_of(&["quarry.io", "heron.de", "heron.com"], 3),
        place,
        one_of(&["1980-02-03", "1980-03-02", "1975-12-30"]),
        one_of(&["0", "1", "2"]),
        0..3i64,
    );
    (ids, any::<bool>(), names, mails, phones, rest).prop_map(
        |(id, is_company, (first, last, full), emails, phones, rest)| {
            let (company, sites, place, birth, employer, changed_at) = rest;
            let kind = if is_company {
                EntityKind::Company
            } else {
                EntityKind::Person
            };
            let stream = if is_company { "accounts" } else { "contacts" };
            let id = if is_company { id % 8 } else { id };
            let mut identity = Identity::new(RecordRef::new("crm", stream, id.to_string()), kind);
            let link = |id: String| RecordRef::new("crm", "accounts", id);
            if is_company {
                identity.company = company;
                identity.websites = sites;
            } else {
                (identity.first_name, identity.last_name) = (first, last);
                identity.full_name = full;
                identity.company = company;
                identity.birth_date = birth;
                identity.employer = employer.map(link);
                identity.emails = emails;
            }
            identity.phones = phones;
            (identity.city, identity.street, ..) = place.clone();
            (.., identity.postal_code, identity.country) = place;
            identity.changed_at = changed_at;
            identity
        },
    )
}

/// What may happen to a record.
fn change() -> impl Strategy<Value = Changed> {
    (identity(), proptest::bool::weighted(0.8)).prop_map(|(identity, stays)| Changed {
        kind: identity.kind,
        record: identity.record.clone(),
        says: stays.then_some(identity),
    })
}

/// What a change leaves of a record as it was.
#[derive(Debug, Clone, Copy)]
enum Leaves {
    /// Nothing.
    Nothing,
    /// All but its phones.
    AllButPhones,
    /// All but its mailboxes.
    AllButEmails,
}

fn leaves() -> impl Strategy<Value = Leaves> {
    use Leaves::{AllButEmails, AllButPhones, Nothing};
    proptest::sample::select(&[Nothing, AllButPhones, AllButEmails][..])
}

/// Returns changes of what is there when each comes.
fn edits(start: &[Identity], batches: Vec<Vec<(Changed, Leaves)>>) -> Vec<Vec<Changed>> {
    let mut edited: Vec<Vec<Changed>> = Vec::new();
    for batch in batches {
        let there = after(start, &edited);
        let edit = |(mut changed, leaves): (Changed, Leaves)| {
            let there = there
                .iter()
                .find(|it| (it.kind, &it.record) == (changed.kind, &changed.record));
            if let Some((says, there)) = changed.says.as_mut().zip(there) {
                let (emails, phones) = (says.emails.clone(), says.phones.clone());
                match leaves {
                    Leaves::Nothing => {}
                    Leaves::AllButPhones => {
                        *says = Identity {
                            phones,
                            ..there.clone()
                        }
                    }
                    Leaves::AllButEmails => {
                        *says = Identity {
                            emails,
                            ..there.clone()
                        }
                    }
                }
            }
            changed
        };
        edited.push(batch.into_iter().map(edit).collect());
    }
    edited
}

/// Says what is there after some changes.
pub(super) fn after(start: &[Identity], batches: &[Vec<Changed>]) -> Vec<Identity> {
    let mut there: BTreeMap<(EntityKind, RecordRef), Identity> = BTreeMap::new();
    for changed in all(start)
        .into_iter()
        .chain(batches.iter().flatten().cloned())
    {
        let key = (changed.kind, changed.record);
        match changed.says {
            Some(says) => there.insert(key, says),
            None => there.remove(&key),
        };
    }
    there.into_values().collect()
}

pub(super) fn settings(cap: usize) -> Settings {
    let mut settings = Settings::default();
    settings.model.block_cap = cap;
    settings.model.block_window = 1;
    settings.model.people.prior_offset = 6.0;
    settings.model.companies.prior_offset = 6.0;
    settings
}

fn decision(left: u32, right: u32, rule: Rule) -> Override {
    let record = |id: u32| RecordRef::new("crm", "contacts", id.to_string());
    Override {
        kind: EntityKind::Person,
        left: record(left),
        right: record(right),
        rule,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_was_resolved_at_once_is_what_comes_of_adding_all(
        start in proptest::collection::vec(identity(), 0..60),
        cap in 2usize..8,
    ) {
        let settings = settings(cap);
        let start = after(&start, &[]);
        let (kept, learnt) = Kept::of(&start, &[], &settings);
        let mut added = kept.empty();
        added.go_on(all(&start), Decisions::default(), (&settings, &learnt));
        same(&kept.told(), &added.told());
    }

    #[test]
    fn resolving_in_any_slices_is_resolving_at_once(
        start in proptest::collection::vec(identity(), 0..60),
        batches in proptest::collection::vec(proptest::collection::vec((change(), leaves()), 1..8), 1..6),
        decided in proptest::collection::vec((0..40u32, 0..40u32, any::<bool>()), 0..4),
        cap in 2usize..8,
    ) {
        let settings = settings(cap);
        let start = after(&start, &[]);
        let batches = edits(&start, batches);
        let decided = decided.into_iter().filter(|(left, right, _)| left != right);
        let overrides: Vec<Override> = decided
            .map(|(left, right, always)| {
                decision(left, right, if always { Rule::Always } else { Rule::Never })
            })
            .collect();
        let about: Vec<(EntityKind, RecordRef)> = overrides
            .iter()
            .flat_map(|it| [(it.kind, it.left.clone()), (it.kind, it.right.clone())])
            .collect();
        let (mut kept, learnt) = Kept::of(&start, &[], &settings);
        let mut once = kept.empty();
        let known = (&settings, &learnt);
        for (at, batch) in batches.iter().enumerate() {
            // Decisions come after the first batch.
            let decisions = match at {
                0 => Decisions::default(),
                1 => Decisions { all: &overrides, about: &about },
                _ => Decisions { all: &overrides, about: &[] },
            };
            kept.go_on(last_of_each(batch), decisions, known);
        }
        let decisions = match batches.len() {
            1 => Decisions::default(),
            _ => Decisions { all: &overrides, about: &[] },
        };
        once.go_on(all(&after(&start, &batches)), decisions, known);
        same(&kept.told(), &once.told());
    }
}

/// Keeps the last change of each record.
fn last_of_each(changed: &[Changed]) -> Vec<Changed> {
    let changed = changed.iter().cloned();
    let last: BTreeMap<u64, Changed> = changed
        .map(|changed| (number_of(changed.kind, &changed.record), changed))
        .collect();
    last.into_values().collect()
}

#[test]
fn a_change_that_moves_nobody_among_namesakes_weighs_no_other_record() {
    let lines: Vec<String> = (0..20)
        .map(|number| format!("Ann {} | ann@quarry.io", employers::word(number)))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let identities = people(&lines);
    let settings = settings(6);
    let (kept, learnt) = Kept::of(&identities, &[], &settings);
    let change = |edit: &dyn Fn(&mut Identity)| {
        let mut says = identities[7].clone();
        edit(&mut says);
        let changed = Changed {
            kind: says.kind,
            record: says.record.clone(),
            says: Some(says),
        };
        let known = (&settings, &learnt);
        let mut kept = kept.clone();
        let found = kept.go_on(vec![changed], Decisions::default(), known);
        found.index.weighed.len()
    };
    assert_eq!(change(&|it| it.phones = vec!["+14155550123".to_owned()]), 1);
    assert_eq!(change(&|it| it.emails.clear()), 20, "one who left");
    let rename = |it: &mut Identity| it.full_name = Some("Ann Zebulon".to_owned());
    assert_eq!(change(&rename), 20, "one who stands elsewhere");
}

#[test]
fn who_keeps_a_phone_alone_that_two_had_is_told_anew_and_not_weighed() {
    let mut identities = people(&["Ann Teller | ann@quarry.io", "Bob Marsh | bob@heron.de"]);
    let phone = "+14155550132".to_owned();
    for identity in &mut identities {
        identity.phones = vec![phone.clone()];
    }
    let settings = settings(6);
    let (mut kept, learnt) = Kept::of(&identities, &[], &settings);
    let kind_of = |resolution: &Resolution| {
        let mut people = resolution.people.iter();
        let bob = people.find(|it| it.last_name.as_deref() == Some("Marsh"))?;
        bob.phones.first().map(|phone| phone.kind)
    };
    assert_eq!(kind_of(&kept.answer), Some(ContactKind::Shared));
    let mut says = identities.swap_remove(0);
    says.phones.clear();
    let changed = Changed {
        kind: says.kind,
        record: says.record.clone(),
        says: Some(says),
    };
    let known = (&settings, &learnt);
    let found = kept.go_on(vec![changed], Decisions::default(), known);
    assert_eq!(found.index.weighed.len(), 1);
    let kind = kind_of(&found.resolution);
    assert!(
        kind.is_some_and(|kind| kind != ContactKind::Shared),
        "{kind:?}"
    );
}

#[test]
fn no_record_is_read_that_a_change_does_not_touch() {
    let lines: Vec<String> = (0..200)
        .map(|number| {
            let (first, last) = (employers::word(number), employers::word(number + 400));
            format!("{first} {last} | {first}.{last}@{last}.io")
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut identities = people(&lines);
    let (mut kept, learnt) = Kept::of(&identities, &[], &settings(60));
    let changed = &mut identities[7];
    changed.phones = vec!["+14155550123".to_owned()];
    let changed = Changed {
        kind: changed.kind,
        record: changed.record.clone(),
        says: Some(changed.clone()),
    };
    let settings = settings(60);
    let known = (&settings, &learnt);
    let found = kept.go_on(vec![changed], Decisions::default(), known);
    assert_eq!(found.resolution.memberships.len(), 1);
    let read = kept.read.load(Ordering::Relaxed);
    assert!(read <= 2, "{read} of 200 records were read");
}
