//! What a resolve keeps in the warehouse, so that the next one need only look at what changed.

mod read;
pub(super) mod says;
mod state;
mod tables;
mod write;

pub(super) use crate::resolve::index::{number_of, numbered};
pub(super) use read::WarehouseIndex;
pub(super) use state::{Kept, kept, state_row};
pub(super) use tables::TELLERS;
pub(super) use write::{Replaces, no_rows, rows_of_change, rows_of_facts, rows_of_places};
