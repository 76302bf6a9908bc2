//! Google's cloud: BigQuery as a salesync warehouse and as the log of its dead letters, Pub/Sub as a queue, Secret
//! Manager as a secret store.
//!
//! ```text
//! rows ─ few ──▶ a query parameter ─┐
//!      └ many ─▶ Parquet, load job,  ├─▶ one script: BEGIN ─ MERGE per table ─ INSERT into the logs ─ COMMIT
//!                staging table ──────┘
//! ```
//!
//! A commit is one job: all of it happens or nothing. Staging tables lie in a dataset of their own, in which every
//! table ends after a day. Nothing is ever streamed into a table that is merged.
//!
//! Pub/Sub and Secret Manager are asked over REST through `salesync-http`, as BigQuery is. Google's own client of Pub/Sub
//! acknowledges in the background and can not say when that is done, so that what a function settled right before it
//! ended would come back; the tests have it on the other end.

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
mod pubsub;
mod queue;
mod quotas;
mod rest;
mod scan;
mod script;
mod secrets;
mod seen;
mod sets;
mod settings;
mod sql;
mod stage;
mod tables;
mod target;
mod ties;
mod warehouse;
mod write_api;

pub use login::Federation;
pub use pubsub::{PubSubPlace, PubSubQueue, PubSubSettings};
pub use queue::BigQueryQueue;
pub use secrets::{GoogleSecretStore, SecretPlace, SecretSettings};
pub use settings::{BigQuerySettings, Merging, Road};
pub use warehouse::BigQueryWarehouse;
