//! Resolves what is in the warehouse and publishes the answer: people, companies, which record belongs
//! to which, and why; what happened between them and us; and the deals with them.

mod changes;
mod deals;
mod directory;
mod entities;
mod identities;
mod index;
mod interactions;
mod merged;
mod names;
mod ours;
mod overrides;
mod published;
mod reading;
mod remote;
mod resolving;
mod rows;
mod tables;
mod touched;
mod why;

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::error::{Code, Error, Result};
use crate::resolve::Settings;
use crate::run::RunId;
use crate::source::SourceDefinition;
use crate::sync::Observer;
use crate::time::Timestamp;
use crate::warehouse::Warehouse;
use resolving::Resolving;

pub use overrides::{Decided, decide};
pub use tables::{
    COMPANIES, DEALS, ENTITY_HISTORY, ENTITY_RECORDS, INTERACTION_PARTIES, INTERACTIONS,
    MATCH_EVIDENCE, MATCH_OVERRIDE_EVENTS, MATCH_REVIEW, PEOPLE,
};
pub use why::{Why, WhyEvent, WhyField, WhyOverride, WhyPair, WhyRecord, why};

/// What a resolve found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Resolved {
    /// Records that were resolved, each of which says who a person or company is.
    pub records: u64,
    /// How many of them changed since the last resolve; nothing where all records were resolved.
    pub changed: Option<u64>,
    /// People.
    pub people: u64,
    /// Companies.
    pub companies: u64,
    /// Pairs of records that were compared.
    pub pairs_compared: u64,
    /// Unions that were refused because the records contradict each other.
    pub refused: u64,
    /// Entities that might be one, for a person to decide: rows of `match_review`.
    pub to_review: u64,
    /// Decisions to join records that could not hold beside decisions to keep others apart.
    pub contradicting_overrides: u64,
    /// Entities that are new since the last resolve.
    pub created: u64,
    /// Entities that went into another since the last resolve.
    pub merged: u64,
    /// Entities that lost records to another since the last resolve.
    pub split: u64,
    /// Interactions: mails, calls, meetings, notes, tasks and text messages.
    pub interactions: u64,
    /// Deals.
    pub deals: u64,
}

/// How much is resolved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Extent {
    /// What changed since the last resolve, with what it touches. All where too much changed, where little is there, and
    /// where the last resolve went by other settings.
    #[default]
    Changed,
    /// All records. What evidence is worth is learnt anew.
    All,
    /// All records, where they are: what is about all of them the warehouse does itself, so that they need not fit into
    /// memory here.
    InWarehouse,
}

/// Resolves the live records of `sources` and puts the answer in the place of the last one, all of it or nothing.
/// Entities keep their ids. What takes long tells `observe` how far it is.
///
/// # Errors
/// What the warehouse says; the last answer stays then. [`Code::RequestInvalid`] where the warehouse can't do what it is to
/// do itself.
pub async fn resolve_and_publish(
    warehouse: &dyn Warehouse,
    sources: &[&'static SourceDefinition],
    (settings, extent): (Settings, Extent),
    run: (&RunId, Timestamp),
    observe: &Observer,
) -> Result<Resolved> {
    let resolving = Resolving::new(warehouse, sources, settings, run).await?;
    let kept = index::kept(warehouse).await?;
    if extent == Extent::InWarehouse {
        let Some(sets) = warehouse.sets().await? else {
            let reason = format!("{} does not resolve by itself", warehouse.describe());
            return Err(Error::new(Code::RequestInvalid, "resolve in the warehouse")
                .with("reason", reason)
                .with("instead", "salesync resolve --full"));
        };
        let had_state = kept.is_some();
        return resolving
            .all_in_warehouse(sets.as_ref(), had_state, observe)
            .await;
    }
    if extent == Extent::Changed
        && let Some(kept) = &kept
        && let Some(changed) = resolving.changed_since(kept).await?
    {
        return resolving.changed(kept, changed).await;
    }
    resolving.all(kept.is_some()).await
}
