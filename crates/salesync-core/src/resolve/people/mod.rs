//! Finds which records are one person.

mod counts;
mod known;
mod scale;

use super::cluster::{self, Clustering};
use super::identity::EntityKind;
use super::keys::{Blocks, KeyKind, KeyValue, Pairs};
use super::learnt::Learnt;
use super::prepared::{NameOrigin, PerText, Person, Prepared, Symbol, Texts, place};
use super::records::Asked;

pub(super) use counts::{NEIGHBOURS, SWITCHBOARD_USERS, step};
pub(super) use known::{FEWEST_BIRTHS, FEWEST_EMPLOYED, FEWEST_NAMES, Known, bearer, population};
pub(super) use scale::Scale;

/// Clusters the records about people; as `asked`. Returns how many use each mailbox and phone beside it. Tells what it
/// went by where that is asked for.
pub(super) fn cluster(
    prepared: &Prepared,
    asked: &Asked<'_>,
    learnt: Option<&mut Learnt>,
) -> (Clustering, PerText<u8>) {
    let model = &asked.settings.model;
    let known = Known::count(prepared, &model.people);
    let mut scale = Scale::new(prepared, model, known);
    let mut met = Pairs::new(model.block_cap, model.block_window);
    let mut blocks = Blocks::default();
    for kind in KINDS {
        blocks.fill(prepared.people.len(), |index, put| {
            if let Some(person) = prepared.person(place(index)) {
                put_keys(kind, &person, &prepared.texts, put);
            }
        });
        match kind {
            KeyKind::Mailbox => {
                scale.count_users(&blocks);
                scale.learn_forms(&blocks);
            }
            KeyKind::Phone => scale.count_users(&blocks),
            KeyKind::FullName => scale.learn(&blocks),
            KeyKind::Birth => scale.learn_moves(&blocks),
            KeyKind::House => scale.learn_households(&blocks),
            _ => {}
        }
        met.meet(kind, &blocks, |index| names(prepared, index));
    }
    drop(blocks);
    scale.mark_switchboards();
    let records = (EntityKind::Person, prepared.people.len());
    let wanted = asked.of(prepared, EntityKind::Person);
    let found = cluster::find(records, met, &wanted, &mut scale);
    if let Some(learnt) = learnt {
        scale.known.tell(&prepared.texts, learnt);
    }
    (found, scale.users)
}

/// Returns the names that tell those apart who share much else.
pub(super) fn names(prepared: &Prepared, index: u32) -> [Symbol; 2] {
    let row = prepared.people.get(place(index));
    row.map_or([Symbol::EMPTY; 2], |row| [row.name.last, row.name.first])
}

/// The kinds of keys under which people meet, in the order in which they count.
pub(super) const KINDS: [KeyKind; 13] = [
    KeyKind::Mailbox,
    KeyKind::RoleMailbox,
    KeyKind::Phone,
    KeyKind::MailboxName,
    KeyKind::NameAtOrganisation,
    KeyKind::FullName,
    KeyKind::NicknameAndSurname,
    KeyKind::Birth,
    KeyKind::House,
    KeyKind::Address,
    KeyKind::NameAndPlace,
    KeyKind::NameAndBirthYear,
    KeyKind::Surname,
];

/// Tells the values of a record's keys of a kind.
pub(super) fn put_keys(
    kind: KeyKind,
    person: &Person<'_>,
    texts: &Texts,
    mut put: impl FnMut(KeyValue),
) {
    let Person { name, place, .. } = person;
    // Who has a mailbox or phone meets others there, or by a whole name.
    let is_reachable = !person.mailboxes.is_empty() || !person.phones.is_empty();
    // An initial says too little to be a key.
    let parts = [name.first, name.last]
        .into_iter()
        .filter(|part| texts.text(*part).len() > 1);
    let mut put = |value: Option<KeyValue>| value.into_iter().for_each(&mut put);
    match kind {
        KeyKind::Mailbox => person
            .mailboxes
            .iter()
            .for_each(|mailbox| put(KeyValue::text(mailbox.address))),
        KeyKind::MailboxName => person
            .mailboxes
            .iter()
            .for_each(|mailbox| put(Some(KeyValue::Number(mailbox.local)))),
        KeyKind::RoleMailbox if name.origin == NameOrigin::None => person
            .role_mailboxes
            .iter()
            .for_each(|role| put(KeyValue::text(*role))),
        KeyKind::Phone => person
            .phones
            .iter()
            .for_each(|phone| put(KeyValue::text(*phone))),
        KeyKind::NameAtOrganisation => parts.for_each(|part| {
            let organisations = person.organisations.iter();
            organisations.for_each(|org| put(KeyValue::both(part, *org)));
        }),
        KeyKind::FullName => put(KeyValue::both(name.first, name.last)),
        KeyKind::NicknameAndSurname => {
            for (forms, surname) in [(name.first_forms, name.last), (name.last_forms, name.first)] {
                let groups = forms.groups().iter();
                groups.for_each(|group| put(KeyValue::numbered(surname, u32::from(*group))));
            }
        }
        KeyKind::Birth => put(KeyValue::text(person.birth)),
        KeyKind::House => put(KeyValue::both(place.number, place.street)),
        // An address with one part mistyped.
        KeyKind::Address if !is_reachable => {
            put(KeyValue::both(place.number, place.postal_code));
            put(KeyValue::both(place.street, place.postal_code));
            put(KeyValue::both(place.number, place.building));
            put(KeyValue::both(place.street, place.building));
        }
        KeyKind::NameAndPlace if !is_reachable => {
            parts.for_each(|part| put(KeyValue::both(part, place.postal_code)));
            put(KeyValue::both(name.last, place.city));
        }
        KeyKind::NameAndBirthYear => {
            let year = texts.text(person.birth).get(..4);
            if let Some(year) = year.and_then(|year| year.parse().ok()) {
                parts.for_each(|part| put(KeyValue::numbered(part, year)));
            }
        }
        KeyKind::Organisation => {
            let organisations = person.organisations.iter();
            organisations.for_each(|org| put(KeyValue::text(*org)));
        }
        KeyKind::Surname if !is_reachable => {
            put(KeyValue::text(name.last));
            if name.last.is_empty() {
                put(KeyValue::text(name.first));
            }
        }
        _ => {}
    }
}
