//! Resolves what is in the warehouse and publishes the answer: people, companies, which record belongs
//! to which, and why; what happened between them and us; and the deals with them.

mod deals;
mod entities;
mod identities;
mod interactions;
mod merged;
mod ours;
mod overrides;
mod reading;
mod rows;
mod tables;
mod why;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::Serialize;

use crate::error::Result;
use crate::plain::NewRows;
use crate::resolve::{Previous, Settings, resolve};
use crate::run::RunId;
use crate::source::SourceDefinition;
use crate::time::Timestamp;
use crate::warehouse::Warehouse;
use deals::Known;
use merged::Merged;
use ours::Ours;

pub use overrides::{Decided, decide};
pub use tables::{
    COMPANIES, DEALS, ENTITY_HISTORY, ENTITY_RECORDS, INTERACTION_PARTIES, INTERACTIONS,
    MATCH_EVIDENCE, MATCH_OVERRIDE_EVENTS, MATCH_REVIEW, PEOPLE,
};
pub use why::{Why, WhyEvent, WhyField, WhyOverride, WhyPair, WhyRecord, why};

/// What a resolve found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Resolved {
    /// Records that say who a person or company is.
    pub records: u64,
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

/// Resolves every live record of `sources` and puts the answer in the place of the last one, all of it or
/// nothing. Entities keep their ids.
///
/// # Errors
/// What the warehouse says; the last answer stays then.
pub async fn resolve_and_publish(
    warehouse: &dyn Warehouse,
    sources: &[&'static SourceDefinition],
    settings: Settings,
    (run_id, now): (&RunId, Timestamp),
) -> Result<Resolved> {
    let ours = Ours::read(warehouse, sources).await?;
    let identities = identities::read(warehouse, sources, &ours).await?;
    let earlier = rows::earlier(warehouse).await?;
    let previous = Previous {
        assignments: earlier.assignments,
        retired: earlier.retired,
        ages: earlier.ages,
    };
    let merged = Merged::read(warehouse, sources).await?;
    let overrides = overrides::living(overrides::read(warehouse).await?, &merged);
    // Resolving is pure work on the processor: it must not hold up the runtime's other tasks.
    let resolution =
        tokio::task::spawn_blocking(move || resolve(&identities, &previous, &overrides, &settings))
            .await
            .map_err(|error| {
                crate::error::Error::new(crate::error::Code::Internal, "resolve").because(error)
            })?;
    let resolution = Arc::new(resolution);
    let known = Known {
        resolution: &resolution,
        ours: &ours,
        merged: &merged,
    };
    let (deals, deal_count) = deals::gather(warehouse, sources, known).await?;
    let known = (Arc::clone(&resolution), ours, merged);
    let (interactions, interaction_count) = interactions::gather(warehouse, sources, known).await?;
    let whole = rows::of(&resolution, earlier.history, (run_id, now))?;
    let tables = whole.into_iter().map(NewRows::from);
    warehouse
        .replace(tables.chain(interactions).chain([deals]).collect())
        .await?;
    let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    Ok(Resolved {
        interactions: size(interaction_count),
        deals: size(deal_count),
        ..rows::summary(&resolution)
    })
}
