//! Where the warehouse is.

use salesync_core::time::Timestamp;

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
    /// The most bytes that one job may bill.
    pub max_bytes_billed: u64,
    /// The time of the run.
    pub now: Timestamp,
}

impl BigQuerySettings {
    /// Returns the settings of a dataset at Google: made in the US where it is missing, and no job bills more than
    /// 100 GiB.
    #[must_use]
    pub fn new(project: impl Into<String>, dataset: impl Into<String>, now: Timestamp) -> Self {
        Self {
            project: project.into(),
            dataset: dataset.into(),
            location: "US".to_owned(),
            emulator: None,
            max_bytes_billed: 100 * 1024 * 1024 * 1024,
            now,
        }
    }
}
