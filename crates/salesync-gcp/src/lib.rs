//! BigQuery as a salesync warehouse and queue.
//!
//! ```text
//! rows ─ few ──▶ a query parameter ─┐
//!      └ many ─▶ Parquet, load job,  ├─▶ one script: BEGIN ─ MERGE per table ─ INSERT into the logs ─ COMMIT
//!                staging table ──────┘
//! ```
//!
//! A commit is one job: all of it happens or nothing. Staging tables lie in a dataset of their own, in which every
//! table ends after a day. Nothing is ever streamed into a table that is merged.

mod api;
mod cells;
mod commit;
mod days;
mod landing;
mod layout;
mod login;
mod logs;
mod marks;
mod merge;
mod prepare;
mod queue;
mod quotas;
mod scan;
mod script;
mod seen;
mod settings;
mod sql;
mod stage;
mod tables;
mod target;
mod ties;
mod warehouse;
mod write_api;

pub use queue::BigQueryQueue;
pub use settings::{BigQuerySettings, Merging, Road};
pub use warehouse::BigQueryWarehouse;
