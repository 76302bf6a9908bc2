//! Resolves all records, or those that changed, and publishes what came of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use twox_hash::XxHash3_64;

use super::deals::Known;
use super::directory::Directory;
use super::index::{Kept, WarehouseIndex};
use super::merged::Merged;
use super::names::Names;
use super::ours::Ours;
use super::touched::Touched;
use super::{
    Resolved, changes, deals, identities, index, interactions, overrides, published, rows,
};
use crate::error::{Code, Error, Result};
use crate::normalise;
use crate::plain::NewRows;
use crate::resolve::{
    Changed, Decisions, EntityId, EntityKind, Identity, Increment, IndexChange, Learnt, Override,
    RecordRef, Resolution, Settings, increment, resolve, resolve_and_index,
};
use crate::run::RunId;
use crate::source::SourceDefinition;
use crate::time::Timestamp;
use crate::warehouse::Warehouse;

/// What was read since the last resolve.
pub(super) struct Read {
    /// The records that may say something else.
    changed: Vec<Changed>,
    /// The records that are gone, of which some lead to others by having been merged, and some do not any more.
    gone: Vec<RecordRef>,
}

/// A resolve that has begun.
pub(super) struct Resolving<'a> {
    pub(super) warehouse: &'a dyn Warehouse,
    pub(super) sources: &'a [&'static SourceDefinition],
    pub(super) settings: Settings,
    pub(super) run: (&'a RunId, Timestamp),
    pub(super) ours: Arc<Ours>,
    merged: Arc<Merged>,
    pub(super) overrides: Vec<Override>,
    /// What is read at that time or later this resolve does not see, or perhaps not.
    pub(super) unsettled_since: Timestamp,
    pub(super) circumstances: String,
}

impl<'a> Resolving<'a> {
    pub(super) async fn new(
        warehouse: &'a dyn Warehouse,
        sources: &'a [&'static SourceDefinition],
        settings: Settings,
        run: (&'a RunId, Timestamp),
    ) -> Result<Self> {
        let unsettled_since = changes::unsettled_since(warehouse, run.1).await?;
        let ours = Ours::read(warehouse, sources).await?;
        let merged = Merged::read(warehouse, sources).await?;
        let mut overrides = overrides::living(overrides::read(warehouse).await?, &merged);
        overrides.sort();
        Ok(Self {
            circumstances: circumstances(sources, &settings, &ours)?,
            warehouse,
            sources,
            settings,
            run,
            ours: Arc::new(ours),
            merged: Arc::new(merged),
            overrides,
            unsettled_since,
        })
    }

    /// Returns the records that changed since the last resolve; nothing where that calls for resolving all.
    pub(super) async fn changed_since(&self, kept: &Kept) -> Result<Option<Read>> {
        let most = share(kept.records, self.settings.refresh_share);
        if kept.circumstances != self.circumstances || kept.changed > most {
            return Ok(None);
        }
        let since = (&*self.ours, &*self.merged, kept.changed_since);
        let mut changed = changes::changed(self.warehouse, self.sources, since).await?;
        let gone = changed.iter().filter(|it| it.says.is_none());
        let gone = gone.map(|it| it.record.clone()).collect();
        if kept.changed + size(changed.len()) > most {
            changed = self.really_changed(changed).await?;
        }
        let is_little = kept.changed + size(changed.len()) <= most;
        Ok(is_little.then_some(Read { changed, gone }))
    }

    /// Leaves out the records that say what they said before.
    async fn really_changed(&self, mut changed: Vec<Changed>) -> Result<Vec<Changed>> {
        let number = |it: &Changed| index::number_of(it.kind, &it.record);
        let numbers: Vec<u64> = changed.iter().map(number).collect();
        let reader = WarehouseIndex(self.warehouse);
        let before = crate::resolve::IndexReader::records(&reader, &numbers).await?;
        let before: std::collections::HashMap<u64, Identity> = before
            .into_iter()
            .map(|record| (record.number, record.identity))
            .collect();
        changed.retain(|it| before.get(&number(it)) != it.says.as_ref());
        Ok(changed)
    }

    /// Resolves what changed.
    pub(super) async fn changed(self, kept: &Kept, read: Read) -> Result<Resolved> {
        let about = decided_since(&kept.overrides, &self.overrides);
        let decisions = Decisions {
            all: &self.overrides,
            about: &about,
        };
        let mut learnt = kept.learnt.clone();
        let reader = WarehouseIndex(self.warehouse);
        let known = (&self.settings, &mut learnt);
        let found = increment(&reader, read.changed, decisions, known).await?;
        let Increment {
            resolution,
            outdated,
            index: change,
            mut appeared,
        } = found;
        appeared.extend(read.gone);
        let (part, change) = (Arc::new(resolution), Arc::new(change));
        let count = size(part.counts.identities);
        // Another resolve at the same time may have told the same new entities.
        let people = part.people.iter().map(|person| person.id);
        let companies = part.companies.iter().map(|company| company.id);
        let told: BTreeSet<EntityId> = people.chain(companies).chain(outdated.clone()).collect();
        let mut tables = rows::of(&part, rows::Replaces::Entities(&told), self.run)?;
        tables.extend(index::rows_of_change(&change, &index::Replaces::Changed)?);
        let left = |kind, before: u64, now: usize| {
            let gone = outdated.iter().filter(|id| id.kind() == kind);
            (before + size(now)).saturating_sub(size(gone.count()))
        };
        let answer = (&*part, &outdated);
        let restated = (appeared, Arc::clone(&self.merged));
        let touched = Touched::read(self.warehouse, kept.changed_since, answer, restated).await?;
        let happened = self.happened(kept, &touched, answer).await?;
        let kept = Kept {
            changed_since: self.unsettled_since,
            overrides: self.overrides.clone(),
            changed: kept.changed + count,
            people: left(EntityKind::Person, kept.people, part.people.len()),
            companies: left(EntityKind::Company, kept.companies, part.companies.len()),
            interactions: happened.interactions,
            deals: happened.deals,
            ..kept.clone()
        };
        tables.push(index::state_row(Some(&kept), self.run)?);
        tables.extend(happened.tables);
        self.warehouse.replace(tables).await?;
        Ok(Resolved {
            records: size(part.memberships.len()),
            changed: Some(count),
            people: kept.people,
            companies: kept.companies,
            interactions: kept.interactions,
            deals: kept.deals,
            ..rows::summary(&part)
        })
    }

    /// Resolves all records. `had_state` says that an earlier resolve kept what it would take to resolve only what changed.
    pub(super) async fn all(self, had_state: bool) -> Result<Resolved> {
        let identities = identities::read(self.warehouse, self.sources, &self.ours).await?;
        let previous = rows::earlier(self.warehouse).await?;
        let is_indexed = identities.len() >= self.settings.index_from;
        let (overrides, settings) = (self.overrides.clone(), self.settings.clone());
        // Resolving is pure work on the processor: it must not hold up the runtime's other tasks.
        let resolved = tokio::task::spawn_blocking(move || {
            if is_indexed {
                resolve_and_index(identities, &previous, &overrides, &settings)
            } else {
                let resolution = resolve(&identities, &previous, &overrides, &settings);
                (resolution, IndexChange::default(), Learnt::default())
            }
        });
        let (resolution, change, mut learnt) = resolved
            .await
            .map_err(|error| Error::new(Code::Internal, "resolve").because(error))?;
        let resolution = Arc::new(resolution);
        let mut tables = rows::of(&resolution, rows::Replaces::All, self.run)?;
        if is_indexed {
            let change = Arc::new(change);
            tables.extend(index::rows_of_change(&change, &index::Replaces::All)?);
            tables.push(index::rows_of_facts(learnt.take_facts()));
        }
        let happened = self.all_happened(Arc::clone(&resolution)).await?;
        let kept = is_indexed.then(|| Kept {
            changed_since: self.unsettled_since,
            circumstances: self.circumstances.clone(),
            learnt,
            overrides: self.overrides.clone(),
            records: size(resolution.memberships.len()),
            changed: 0,
            people: size(resolution.people.len()),
            companies: size(resolution.companies.len()),
            interactions: happened.interactions,
            deals: happened.deals,
        });
        if is_indexed || had_state {
            tables.push(index::state_row(kept.as_ref(), self.run)?);
        }
        tables.extend(happened.tables);
        self.warehouse.replace(tables).await?;
        Ok(Resolved {
            interactions: happened.interactions,
            deals: happened.deals,
            ..rows::summary(&resolution)
        })
    }

    /// Tells all interactions and deals, by who everybody is.
    pub(super) async fn all_happened(&self, resolution: Arc<Resolution>) -> Result<Happened> {
        let directory = Arc::new(Directory::of(resolution));
        let (deals, deals_count) =
            deals::gather(self.warehouse, self.sources, self.known(&directory)).await?;
        let known = (directory, Arc::clone(&self.ours), Arc::clone(&self.merged));
        let (rows, count) = interactions::gather(self.warehouse, self.sources, known).await?;
        Ok(Happened {
            tables: rows.into_iter().chain([deals]).collect(),
            interactions: size(count),
            deals: size(deals_count),
        })
    }

    /// Tells those interactions and deals anew that have to do with what is touched, or all where that is much.
    async fn happened(
        &self,
        kept: &Kept,
        touched: &Touched,
        answer: (&Resolution, &BTreeSet<EntityId>),
    ) -> Result<Happened> {
        let of = |count: u64| {
            (
                touched,
                usize::try_from(most_of(count)).unwrap_or(usize::MAX),
            )
        };
        let interactions =
            interactions::Changed::read(self.warehouse, self.sources, of(kept.interactions));
        let deals = deals::Changed::read(self.warehouse, self.sources, of(kept.deals));
        let (Some(interactions), Some(deals)) = (interactions.await?, deals.await?) else {
            let whole = published::with(self.warehouse, answer, None).await?;
            return self.all_happened(Arc::new(whole)).await;
        };
        let mut names = Names::default();
        interactions.name(&mut names, &self.merged)?;
        deals.name(&mut names, &self.merged)?;
        let known = published::with(self.warehouse, answer, Some(&names)).await?;
        let directory = Arc::new(Directory::of(Arc::new(known)));
        let (mut tables, deals_now, deals_before) = deals.tables(self.known(&directory))?;
        let known = (directory, Arc::clone(&self.ours), Arc::clone(&self.merged));
        let (rows, now, before) = interactions.tables(known).await?;
        tables.extend(rows);
        let left = |all: u64, before, now| all.saturating_sub(size(before)) + size(now);
        Ok(Happened {
            tables,
            interactions: left(kept.interactions, before, now),
            deals: left(kept.deals, deals_before, deals_now),
        })
    }

    fn known<'r>(&'r self, directory: &'r Directory) -> Known<'r> {
        Known {
            directory,
            ours: &self.ours,
            merged: &self.merged,
        }
    }
}

/// Interactions and deals.
pub(super) struct Happened {
    /// The tables of those that were told anew.
    pub(super) tables: Vec<NewRows>,
    /// How many interactions there are.
    pub(super) interactions: u64,
    /// How many deals there are.
    pub(super) deals: u64,
}

/// So many of what happened are told anew without telling all: of many a fifth, and never more than a warehouse can be
/// asked for by name.
fn most_of(count: u64) -> u64 {
    (count / 5).clamp(1_000, 20_000)
}

/// Returns a digest of all that asks for a whole resolve where it changes: what is asked for, who we are, and which
/// salesync this is.
fn circumstances(
    sources: &[&'static SourceDefinition],
    settings: &Settings,
    ours: &Ours,
) -> Result<String> {
    let settings = serde_json::to_string(settings)
        .map_err(|error| Error::new(Code::Internal, "resolve").because(error))?;
    let sources: Vec<&str> = sources.iter().map(|source| source.name).collect();
    let whole = [
        env!("CARGO_PKG_VERSION"),
        normalise::RULES,
        &settings,
        &sources.join(","),
        &ours.told(),
    ];
    let digest = XxHash3_64::oneshot(whole.join("\u{1f}").as_bytes());
    Ok(format!("{digest:016x}"))
}

/// Returns the records about which something else is decided now.
fn decided_since(before: &[Override], now: &[Override]) -> Vec<(EntityKind, RecordRef)> {
    let [before, now] = [before, now].map(|all| all.iter().collect::<BTreeSet<_>>());
    let changed = before.symmetric_difference(&now);
    let about = changed.flat_map(|it| [(it.kind, it.left.clone()), (it.kind, it.right.clone())]);
    about.collect()
}

pub(super) fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Returns a share of a count.
fn share(count: u64, share: f64) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count of records needs no more than its first digits"
    )]
    let share = (count as f64 * share.clamp(0.0, 1.0)) as u64;
    share
}
