//! Resolves all records, or those that changed, and publishes what came of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use twox_hash::XxHash3_64;

use super::deals::Known;
use super::index::{Kept, WarehouseIndex};
use super::merged::Merged;
use super::ours::Ours;
use super::{
    Resolved, changes, deals, identities, index, interactions, overrides, published, rows,
};
use crate::error::{Code, Error, Result};
use crate::plain::NewRows;
use crate::resolve::{
    Changed, Decisions, EntityId, EntityKind, Identity, Increment, IndexChange, Learnt, Override,
    Previous, RecordRef, Resolution, Settings, increment, resolve, resolve_and_index,
};
use crate::run::RunId;
use crate::source::SourceDefinition;
use crate::time::Timestamp;
use crate::warehouse::Warehouse;

/// A resolve that has begun.
pub(super) struct Resolving<'a> {
    pub(super) warehouse: &'a dyn Warehouse,
    pub(super) sources: &'a [&'static SourceDefinition],
    pub(super) settings: Settings,
    pub(super) run: (&'a RunId, Timestamp),
    pub(super) ours: Ours,
    merged: Merged,
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
            ours,
            merged,
            overrides,
            unsettled_since,
        })
    }

    /// Returns the records that changed since the last resolve; nothing where that calls for resolving all.
    pub(super) async fn changed_since(&self, kept: &Kept) -> Result<Option<Vec<Changed>>> {
        let most = share(kept.records, self.settings.refresh_share);
        if kept.circumstances != self.circumstances || kept.changed > most {
            return Ok(None);
        }
        let since = (&self.ours, kept.changed_since);
        let mut changed = changes::changed(self.warehouse, self.sources, since).await?;
        if kept.changed + size(changed.len()) > most {
            changed = self.really_changed(changed).await?;
        }
        Ok((kept.changed + size(changed.len()) <= most).then_some(changed))
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
    pub(super) async fn changed(self, kept: &Kept, changed: Vec<Changed>) -> Result<Resolved> {
        let about = decided_since(&kept.overrides, &self.overrides);
        let decisions = Decisions {
            all: &self.overrides,
            about: &about,
        };
        let mut learnt = kept.learnt.clone();
        let reader = WarehouseIndex(self.warehouse);
        let known = (&self.settings, &mut learnt);
        let found = increment(&reader, changed, decisions, known).await?;
        let Increment {
            resolution,
            outdated,
            index: change,
        } = found;
        let (part, change) = (Arc::new(resolution), Arc::new(change));
        let count = size(part.counts.identities);
        // Another resolve at the same time may have told the same new entities.
        let people = part.people.iter().map(|person| person.id.clone());
        let companies = part.companies.iter().map(|company| company.id.clone());
        let told: BTreeSet<EntityId> = people.chain(companies).chain(outdated.clone()).collect();
        let mut tables = rows::of(&part, rows::Replaces::Entities(&told), self.run)?;
        tables.extend(index::rows_of_change(&change, &index::Replaces::Changed)?);
        let left = |kind, before: u64, now: usize| {
            let gone = outdated.iter().filter(|id| id.kind() == kind);
            (before + size(now)).saturating_sub(size(gone.count()))
        };
        let kept = Kept {
            changed_since: self.unsettled_since,
            overrides: self.overrides.clone(),
            changed: kept.changed + count,
            people: left(EntityKind::Person, kept.people, part.people.len()),
            companies: left(EntityKind::Company, kept.companies, part.companies.len()),
            ..kept.clone()
        };
        tables.push(index::state_row(Some(&kept), self.run)?);
        let resolved = Resolved {
            records: size(part.memberships.len()),
            changed: Some(count),
            people: kept.people,
            companies: kept.companies,
            ..rows::summary(&part)
        };
        let resolution = published::with(self.warehouse, self.sources, (&part, &outdated)).await?;
        self.publish(resolution.map(Arc::new), tables, resolved)
            .await
    }

    /// Resolves all records. `had_state` says that an earlier resolve kept what it would take to resolve only what changed.
    pub(super) async fn all(self, had_state: bool) -> Result<Resolved> {
        let identities = identities::read(self.warehouse, self.sources, &self.ours).await?;
        let earlier = rows::earlier(self.warehouse).await?;
        let previous = Previous {
            assignments: earlier.assignments,
            retired: earlier.retired,
            ages: earlier.ages,
        };
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
        let kept = is_indexed.then(|| Kept {
            changed_since: self.unsettled_since,
            circumstances: self.circumstances.clone(),
            learnt,
            overrides: self.overrides.clone(),
            records: size(resolution.memberships.len()),
            changed: 0,
            people: size(resolution.people.len()),
            companies: size(resolution.companies.len()),
        });
        if is_indexed || had_state {
            tables.push(index::state_row(kept.as_ref(), self.run)?);
        }
        let resolved = rows::summary(&resolution);
        self.publish(Some(resolution), tables, resolved).await
    }

    /// Puts these tables, and those of interactions and deals, in the place of the last ones. Without the whole answer
    /// there are neither interactions nor deals.
    async fn publish(
        self,
        resolution: Option<Arc<Resolution>>,
        mut tables: Vec<NewRows>,
        mut resolved: Resolved,
    ) -> Result<Resolved> {
        let warehouse = self.warehouse;
        if let Some(resolution) = resolution {
            tables.extend(self.happenings(resolution, &mut resolved).await?);
        }
        warehouse.replace(tables).await?;
        Ok(resolved)
    }

    /// Returns the tables of interactions and deals, told by who everybody is, and counts them.
    pub(super) async fn happenings(
        self,
        resolution: Arc<Resolution>,
        resolved: &mut Resolved,
    ) -> Result<Vec<NewRows>> {
        let known = Known {
            resolution: &resolution,
            ours: &self.ours,
            merged: &self.merged,
        };
        let (deals, count) = deals::gather(self.warehouse, self.sources, known).await?;
        resolved.deals = size(count);
        let known = (resolution, self.ours, self.merged);
        let (rows, count) = interactions::gather(self.warehouse, self.sources, known).await?;
        resolved.interactions = size(count);
        Ok(rows.into_iter().chain([deals]).collect())
    }
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
