//! Resolves what changed, and nothing that it does not touch.
//!
//! A record touches the keys that it has and had. Records that meet it there are weighed against it; the records that
//! pairs tie together, one way or another, are clustered anew. All else stays as it is: what the rest was weighed with
//! was learnt ([`Learnt`]) before and holds until it is learnt anew.

pub(super) mod answer;
pub(super) mod ready;
pub(super) mod stage;
mod touched;
pub(super) mod weighing;

use std::collections::{BTreeMap, BTreeSet};

use super::entity::EntityId;
use super::identity::{EntityKind, Identity, RecordRef};
use super::index::{IndexChange, IndexReader, Number, number_of};
use super::learnt::Learnt;
use super::model::Settings;
use super::overrides::Override;
use super::{Change, Resolution};
use crate::error::Result;
use stage::Stage;

/// A record that may have changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// What the record is about.
    pub kind: EntityKind,
    /// The record.
    pub record: RecordRef,
    /// What it says now; nothing where it is gone.
    pub says: Option<Identity>,
}

/// What people decided.
#[derive(Debug, Clone, Copy, Default)]
pub struct Decisions<'a> {
    /// All that holds.
    pub all: &'a [Override],
    /// The records about which something was decided or withdrawn since the last resolve.
    pub about: &'a [(EntityKind, RecordRef)],
}

/// The part of the answer that changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Increment {
    /// The entities that were looked at, as they are now, with all that belongs to them.
    pub resolution: Resolution,
    /// The entities of which nothing holds that the last answer told.
    pub outdated: BTreeSet<EntityId>,
    /// What changes in the index.
    pub index: IndexChange,
    /// Records that were not there before.
    pub appeared: Vec<RecordRef>,
}

/// Resolves the records that changed with those that they touch.
///
/// The answer is the one that resolving all records anew would give for them, by what was learnt before.
///
/// # Errors
/// What the reader says.
pub async fn increment(
    reader: &dyn IndexReader,
    changed: Vec<Changed>,
    decisions: Decisions<'_>,
    (settings, learnt): (&Settings, &mut Learnt),
) -> Result<Increment> {
    let mut increment = Increment::default();
    let (companies, people): (Vec<Changed>, Vec<Changed>) = changed
        .into_iter()
        .partition(|it| it.kind == EntityKind::Company);
    let about = |kind| {
        let about = decisions.about.iter().filter(move |(it, _)| *it == kind);
        about.map(move |(_, record)| number_of(kind, record))
    };
    let mut stage = Stage {
        kind: EntityKind::Company,
        reader,
        settings,
        learnt,
        overrides: decisions.all,
        employers: BTreeMap::new(),
        switchboards: BTreeMap::new(),
    };
    let of_companies = stage
        .run(
            companies,
            about(EntityKind::Company).collect(),
            BTreeSet::new(),
        )
        .await?;
    let to_refresh = of_companies.staff(reader).await?;
    let to_recount = of_companies.switchboards.keys().cloned().collect();
    stage.kind = EntityKind::Person;
    stage.employers.clone_from(&of_companies.entities);
    stage.switchboards.clone_from(&of_companies.switchboards);
    let refreshed = about(EntityKind::Person).chain(to_refresh).collect();
    let of_people = stage.run(people, refreshed, to_recount).await?;
    for part in [of_companies, of_people] {
        part.add_to(&mut increment);
    }
    let changes: &mut Vec<Change> = &mut increment.resolution.changes;
    changes.sort_unstable();
    Ok(increment)
}

/// The numbers of records with the entity that each is in now; nothing where it is gone.
pub(super) type Entities = BTreeMap<Number, Option<EntityId>>;
