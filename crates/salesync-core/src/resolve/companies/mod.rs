//! Finds which records are one company.

mod known;
mod lend;
mod names;
mod scale;

use super::cluster::{self, Clustering};
use super::identity::EntityKind;
use super::keys::{Blocks, KeyKind, KeyValue, Pairs};
use super::learnt::Learnt;
use super::prepared::{Company, PerText, Prepared, Symbol, place};
use super::records::Asked;

pub(super) use known::{Known, population, rarities_of};
pub(super) use lend::{lend, recall_lent};
pub(super) use scale::Scale;

/// The fewest companies that a set stands for.
const FEWEST_COMPANIES: u32 = 200;

/// Clusters the records about companies; as `asked`. Returns how many use each domain and phone beside it. Tells what it
/// went by where that is asked for.
pub(super) fn cluster(
    prepared: &Prepared,
    asked: &Asked<'_>,
    learnt: Option<&mut Learnt>,
) -> (Clustering, PerText<u8>) {
    let model = &asked.settings.model;
    let mut scale = Scale::new(prepared, model, Known::count(prepared, &model.companies));
    let mut met = Pairs::new(model.block_cap, model.block_window);
    let mut blocks = Blocks::default();
    for kind in KINDS {
        blocks.fill(prepared.companies.len(), |index, put| {
            if let Some(company) = prepared.company(place(index)) {
                put_keys(kind, &company, put);
            }
        });
        if matches!(kind, KeyKind::Domain | KeyKind::Phone) {
            scale.count_users(&blocks);
        }
        if kind == KeyKind::Domain {
            scale.learn_contradictions(&blocks);
        }
        met.meet(kind, &blocks, |index| names(prepared, index));
    }
    let records = (EntityKind::Company, prepared.companies.len());
    let wanted = asked.of(prepared, EntityKind::Company);
    let found = cluster::find(records, met, &wanted, &mut scale);
    if let Some(learnt) = learnt {
        scale.known.tell(&prepared.texts, learnt);
    }
    (found, scale.users)
}

/// Returns the names that tell those apart that share much else.
pub(super) fn names(prepared: &Prepared, index: u32) -> [Symbol; 2] {
    let company = prepared.company(place(index));
    let first = |symbols: &[Symbol]| symbols.first().copied().unwrap_or_default();
    company.map_or([Symbol::EMPTY; 2], |company| {
        [first(company.compact_names), first(company.domains)]
    })
}

/// The kinds of keys under which companies meet, in the order in which they count.
pub(super) const KINDS: [KeyKind; 7] = [
    KeyKind::Domain,
    KeyKind::Phone,
    KeyKind::House,
    KeyKind::NameAndPlace,
    KeyKind::NameAndZone,
    KeyKind::CompanyName,
    KeyKind::FirstWord,
];

/// Tells the values of a record's keys of a kind.
pub(super) fn put_keys(kind: KeyKind, company: &Company<'_>, mut put: impl FnMut(KeyValue)) {
    let mut each = |symbols: &mut dyn Iterator<Item = &Symbol>| {
        symbols
            .copied()
            .filter_map(KeyValue::text)
            .for_each(&mut put);
    };
    match kind {
        KeyKind::Domain => each(&mut company.domains.iter()),
        KeyKind::Phone => each(&mut company.phones.iter()),
        KeyKind::House => {
            let house = KeyValue::both(company.place.number, company.place.street);
            house.into_iter().for_each(put);
        }
        KeyKind::NameAndPlace => each(&mut company.names_at.iter().step_by(2)),
        KeyKind::NameAndZone => each(&mut company.names_at.iter().skip(1).step_by(2)),
        KeyKind::CompanyName => {
            each(&mut company.compact_names.iter());
            each(&mut company.domain_cores.iter());
        }
        KeyKind::FirstWord => each(&mut company.first_words.iter()),
        _ => {}
    }
}
