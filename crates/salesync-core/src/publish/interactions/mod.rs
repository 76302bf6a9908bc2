//! Finds every interaction in the raw tables, with whom it was, by what each source declares
//! ([`crate::interaction`]) and by what was resolved.
//!
//! ```text
//! rows that tell ─→ one interaction each, or one of several rows ─→ who took part, each once ─→ two tables
//! ```
//!
//! Streams are read one after the other, those in parts part by part, and of each only the columns that are
//! declared. What is kept in memory is some 200 bytes for each interaction and some 30 for each that took part;
//! rows are made of it while they are written.

mod read;
mod register;
mod rows;
mod settle;
mod store;

use std::sync::Arc;

use super::merged::Merged;
use super::ours::Ours;
use crate::error::{Code, Error, Result};
use crate::plain::NewRows;
use crate::resolve::Resolution;
use crate::source::SourceDefinition;
use crate::warehouse::Warehouse;
use register::Register;
use rows::Gathered;
use store::Store;

/// Returns the rows of `interactions` and `interaction_parties`, and how many interactions there are.
pub(super) async fn gather(
    warehouse: &dyn Warehouse,
    sources: &[&'static SourceDefinition],
    (resolution, ours, merged): (Arc<Resolution>, Ours, Merged),
) -> Result<([NewRows; 2], usize)> {
    let mut store = Store::new(Register::new(sources, resolution, ours, merged));
    let mut streams = Vec::new();
    for source in sources {
        for declared in source.interactions {
            let told_by = u16::try_from(streams.len()).unwrap_or(u16::MAX);
            streams.push((source.name, declared.stream));
            read::stream(&mut store, warehouse, (source.name, told_by), declared).await?;
        }
    }
    let gathered = tokio::task::spawn_blocking(move || Gathered::new(store, streams))
        .await
        .map_err(|error| Error::new(Code::Internal, "order interactions").because(error))?;
    let count = gathered.len();
    Ok((gathered.tables(), count))
}
