//! Finds which records are one person.

mod counts;
mod scale;

use super::cluster::{self, Clustering};
use super::identity::EntityKind;
use super::keys::{self, Blocks, KeyKind, Pairs};
use super::prepared::{NameOrigin, Person, Prepared, Texts, place};
use super::records::Asked;

use scale::Scale;

/// Clusters the records about people; as `asked`.
pub(super) fn cluster(prepared: &Prepared, asked: &Asked<'_>) -> Clustering {
    let model = &asked.settings.model;
    let mut scale = Scale::new(prepared, model);
    let mut met = Pairs::new(model.block_cap, model.block_window);
    let mut blocks = Blocks::default();
    for kind in KINDS {
        blocks.clear();
        for (index, person) in (0..).zip(prepared.people()) {
            put_keys(kind, &person, &prepared.texts, |value| {
                blocks.put(value, index);
            });
        }
        blocks.sort();
        match kind {
            KeyKind::Mailbox => {
                scale.count_users(&blocks);
                scale.learn_forms(&blocks);
            }
            KeyKind::Phone => scale.count_users(&blocks),
            KeyKind::FullName => scale.learn(&blocks),
            _ => {}
        }
        met.meet(kind, &blocks, |index| {
            let row = prepared.people.get(place(index));
            row.map_or([0; 2], |row| row.rank.letters)
        });
    }
    drop(blocks);
    scale.mark_switchboards();
    let records = (EntityKind::Person, prepared.people.len());
    let wanted = asked.of(prepared, EntityKind::Person);
    cluster::find(records, met, &wanted, &mut scale)
}

/// The kinds of keys under which people meet, in the order in which they count.
const KINDS: [KeyKind; 12] = [
    KeyKind::Mailbox,
    KeyKind::RoleMailbox,
    KeyKind::Phone,
    KeyKind::MailboxName,
    KeyKind::NameAtOrganisation,
    KeyKind::FullName,
    KeyKind::NicknameAndSurname,
    KeyKind::Birth,
    KeyKind::House,
    KeyKind::NameAndPlace,
    KeyKind::NameAndBirthYear,
    KeyKind::Surname,
];

/// Puts a record under its keys of a kind.
fn put_keys(kind: KeyKind, person: &Person<'_>, texts: &Texts, mut put: impl FnMut(Option<u64>)) {
    let Person { name, place, .. } = person;
    // Who has a mailbox or phone meets others there, or by a whole name.
    let is_reachable = !person.mailboxes.is_empty() || !person.phones.is_empty();
    // An initial says too little to be a key.
    let parts = [name.first, name.last]
        .into_iter()
        .filter(|part| texts.text(*part).len() > 1);
    match kind {
        KeyKind::Mailbox => person
            .mailboxes
            .iter()
            .for_each(|mailbox| put(keys::numbered(mailbox.address, 0))),
        KeyKind::MailboxName => person
            .mailboxes
            .iter()
            .for_each(|mailbox| put(Some(u64::from(mailbox.local)))),
        KeyKind::RoleMailbox if name.origin == NameOrigin::None => person
            .role_mailboxes
            .iter()
            .for_each(|role| put(keys::numbered(*role, 0))),
        KeyKind::Phone => person
            .phones
            .iter()
            .for_each(|phone| put(keys::numbered(*phone, 0))),
        KeyKind::NameAtOrganisation => parts.for_each(|part| {
            let organisations = person.organisations.iter();
            organisations.for_each(|org| put(keys::numbered(part, *org)));
        }),
        KeyKind::FullName => put(keys::both(
            name.first.min(name.last),
            name.first.max(name.last),
        )),
        KeyKind::NicknameAndSurname => {
            for (forms, surname) in [(name.first_forms, name.last), (name.last_forms, name.first)] {
                let groups = forms.groups().iter();
                groups.for_each(|group| put(keys::numbered(surname, u32::from(*group))));
            }
        }
        KeyKind::Birth => put(keys::numbered(person.birth, 0)),
        KeyKind::House => put(keys::both(place.number, place.street)),
        KeyKind::NameAndPlace if !is_reachable => {
            parts.for_each(|part| put(keys::both(part, place.postal_code)));
            put(keys::both(name.last, place.city));
        }
        KeyKind::NameAndBirthYear => {
            let year = texts.text(person.birth).get(..4);
            if let Some(year) = year.and_then(|year| year.parse().ok()) {
                parts.for_each(|part| put(keys::numbered(part, year)));
            }
        }
        KeyKind::Surname if !is_reachable => {
            put(keys::numbered(name.last, 0));
            if name.last.is_empty() {
                put(keys::numbered(name.first, 0));
            }
        }
        _ => {}
    }
}
