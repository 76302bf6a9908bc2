//! Finds interactions in the raw tables, with whom they were, by what each source declares
//! ([`crate::interaction`]) and by what was resolved.
//!
//! ```text
//! rows that tell ─→ one interaction each, or one of several rows ─→ who took part, each once ─→ two tables
//! ```
//!
//! Where all are told ([`gather`]), streams are read one after the other, those in parts part by part, and of each only
//! the columns that are declared. What is kept in memory is some 200 bytes for each interaction and some 30 for each
//! that took part; rows are made of it while they are written.
//!
//! Where a part of the answer changed ([`Changed`]), those are told anew with whom it has to do, and those of which rows
//! tell, or told, that were read since; the others stay as they are. Which rows told of which is kept for that.

mod affected;
mod columns;
mod read;
mod reader;
mod register;
mod retell;
mod rows;
mod settle;
mod store;

use std::sync::Arc;

use super::directory::Directory;
use super::merged::Merged;
use super::ours::Ours;
use crate::error::{Code, Error, Result};
use crate::plain::{NewRows, Outdated};
use crate::source::SourceDefinition;
use crate::warehouse::Warehouse;
use columns::Stream;
use register::Register;
pub(super) use retell::Changed;
use rows::Gathered;
use store::Store;

/// Returns the rows of `interactions`, `interaction_parties` and of who tells of them, and how many interactions there are.
pub(super) async fn gather(
    warehouse: &dyn Warehouse,
    sources: &[&'static SourceDefinition],
    (directory, ours, merged): (Arc<Directory>, Arc<Ours>, Arc<Merged>),
) -> Result<([NewRows; 3], usize)> {
    let mut store = Store::new(Register::new(sources, directory, ours, merged));
    let streams = streams(sources);
    for stream in (0..).zip(&streams) {
        read::stream(&mut store, warehouse, (stream.0, *stream.1)).await?;
    }
    let gathered = gathered(store, streams).await?;
    let count = gathered.len();
    Ok((gathered.tables(&Outdated::All), count))
}

/// Returns the streams that tell of interactions.
fn streams(sources: &[&'static SourceDefinition]) -> Vec<Stream> {
    let of_source = |source: &&'static SourceDefinition| {
        let source = *source;
        let declared = source.interactions.iter();
        declared.map(move |declared| (source.name, declared))
    };
    sources.iter().flat_map(of_source).collect()
}

/// Puts what was read in order.
async fn gathered(store: Store, streams: Vec<Stream>) -> Result<Gathered> {
    tokio::task::spawn_blocking(move || Gathered::new(store, streams))
        .await
        .map_err(|error| Error::new(Code::Internal, "order interactions").because(error))
}
