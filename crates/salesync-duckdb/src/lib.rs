//! A warehouse and a queue in one DuckDB file.
//!
//! Rows, marks of deletion, logs and cursors of a commit become durable in one transaction of one
//! file: a crash loses all of a commit or nothing of it. Because rows and cursors share the file, even
//! a damaged write-ahead log may be put aside: what is lost with it is read again.
//!
//! One process at a time writes to a file; a second one is told that another run is at work.

mod claim;
mod commit;
mod database;
mod failure;
pub mod files;
mod layout;
mod logs;
mod marks;
mod merge;
mod open;
mod prepare;
mod queue;
mod scan;
mod settings;
mod sql;
mod stage;
mod state;
mod store;
mod ties;
mod warehouse;

pub use queue::DuckDbQueue;
pub use settings::DuckDbSettings;
pub use warehouse::DuckDbWarehouse;
