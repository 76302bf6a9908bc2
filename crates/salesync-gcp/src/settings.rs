//! Where the warehouse is.

use salesync_core::time::Timestamp;

use crate::login::Federation;

/// A table that is larger is merged by partitions, where nothing else is said.
const LARGE_BYTES: u64 = 1 << 30;
/// A table that is larger is merged once a day, where nothing else is said.
const HUGE_BYTES: u64 = 100 << 30;

/// How rows are merged into a table: a merge bills all that it reads of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merging {
    /// Small tables whole, those above 1 GiB by partitions, those above 100 GiB once a day.
    BySize,
    /// Tables are read whole: one statement less.
    Whole,
    /// Only the partitions are read in which rows of the staged keys lie, which are looked for first: by the columns of
    /// the key and the day alone.
    Partitions,
    /// Rows are appended to a table beside it, from which they are merged once a day, by partitions. A view beside
    /// the table, `…_latest`, always has the newest rows.
    Daily,
}

impl Merging {
    /// Returns the choice that is called so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "auto" => Self::BySize,
            "whole" => Self::Whole,
            "partitions" => Self::Partitions,
            "daily" => Self::Daily,
            _ => return None,
        })
    }

    /// Returns how a table of that size is merged.
    pub(crate) fn of_size(self, size_bytes: u64) -> Self {
        match self {
            Self::BySize if size_bytes > HUGE_BYTES => Self::Daily,
            Self::BySize if size_bytes > LARGE_BYTES => Self::Partitions,
            Self::BySize => Self::Whole,
            chosen => chosen,
        }
    }
}

/// How rows that are too many for a parameter come to BigQuery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Road {
    /// By load jobs: they cost nothing and take some seconds.
    LoadJobs,
    /// By the Storage Write API: it is billed by the byte and takes a fraction of a second.
    WriteApi,
}

impl Road {
    /// Returns the choice that is called so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "jobs" => Self::LoadJobs,
            "stream" => Self::WriteApi,
            _ => return None,
        })
    }
}

/// Which dataset of which project is the warehouse, and how it is reached.
#[derive(Debug, Clone)]
pub struct BigQuerySettings {
    /// The project's id.
    pub project: String,
    /// The dataset; the tenant's own. Staging tables go to a dataset of that name with `_staging` after it.
    pub dataset: String,
    /// Where a dataset is made that is not there yet: `US`, `EU`, `europe-west3` ….
    pub location: String,
    /// The origin of an emulator, which is asked without a login; `None` is Google's own.
    pub emulator: Option<String>,
    /// How rows are merged.
    pub merging: Merging,
    /// How rows come to BigQuery.
    pub road: Road,
    /// The origin of an emulator's Storage Write API, which has a port of its own.
    pub write_emulator: Option<String>,
    /// The description of a federation, by which Google knows who asks; `None` is who asks Google otherwise.
    pub login: Option<Federation>,
    /// The most bytes that one job may bill.
    pub max_bytes_billed: u64,
    /// The time of the run.
    pub now: Timestamp,
}

impl BigQuerySettings {
    /// Returns the settings of a dataset at Google: made in the US where it is missing, large tables are merged by
    /// partitions, and no job bills more than 100 GiB.
    #[must_use]
    pub fn new(project: impl Into<String>, dataset: impl Into<String>, now: Timestamp) -> Self {
        Self {
            project: project.into(),
            dataset: dataset.into(),
            location: "US".to_owned(),
            emulator: None,
            merging: Merging::BySize,
            road: Road::LoadJobs,
            write_emulator: None,
            login: None,
            max_bytes_billed: 100 * 1024 * 1024 * 1024,
            now,
        }
    }
}
