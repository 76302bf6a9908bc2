//! Which file, which schema in it, and how much of the machine DuckDB may use.

use std::path::PathBuf;

use salesync_core::error::{Code, Error, Result};
use salesync_core::validate::check_name;

/// Names that DuckDB gives a meaning of its own.
const RESERVED: [&str; 6] = [
    "main",
    "temp",
    "system",
    "pg_catalog",
    "information_schema",
    "memory",
];

/// What a [`crate::DuckDbWarehouse`] is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuckDbSettings {
    /// The file; it is made where there is none, its folder is not.
    pub path: PathBuf,
    /// The schema that holds the tables: the tenant.
    pub schema: String,
    /// How many megabytes DuckDB may hold in memory.
    pub memory_limit_mb: u32,
    /// How many threads DuckDB may use; `None` is one per core.
    pub threads: Option<u16>,
}

impl DuckDbSettings {
    /// Returns the usual settings for a file: schema `sales`, 256 MB, a thread per core.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            schema: "sales".to_owned(),
            memory_limit_mb: 256,
            threads: None,
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        check_name("tenant", &self.schema)?;
        let invalid = |setting, rule| {
            Error::new(Code::ConfigInvalid, "open a DuckDB file").with(setting, rule)
        };
        if RESERVED.contains(&self.schema.as_str()) {
            return Err(invalid("tenant", "is a name that DuckDB keeps for itself"));
        }
        if self.memory_limit_mb < 64 {
            return Err(invalid("memory_limit_mb", "is at least 64"));
        }
        if self.threads == Some(0) {
            return Err(invalid("threads", "is at least 1"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_refused_before_the_file_is_touched() {
        let good = DuckDbSettings::new("x.duckdb");
        assert!(good.check().is_ok());
        let bad = [
            DuckDbSettings {
                schema: "Sales".into(),
                ..good.clone()
            },
            DuckDbSettings {
                schema: "temp".into(),
                ..good.clone()
            },
            DuckDbSettings {
                memory_limit_mb: 1,
                ..good.clone()
            },
            DuckDbSettings {
                threads: Some(0),
                ..good
            },
        ];
        assert!(bad.iter().all(|settings| settings.check().is_err()));
    }
}
