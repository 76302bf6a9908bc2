//! The one open file, shared by warehouse and queue. All work on it happens on a blocking thread.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use salesync_core::error::{Code, Error, Result};

use crate::claim::Claim;
use crate::database::Database;
use crate::open::{beside, open, open_now};
use crate::settings::DuckDbSettings;

/// An open file. The last clone closes it.
#[derive(Clone)]
pub(crate) struct Store {
    file: Arc<OpenFile>,
}

struct OpenFile {
    path: PathBuf,
    // Dropped in this order: the file is closed before another opening may claim it.
    database: Mutex<Database>,
    _claim: Claim,
}

impl Store {
    /// Opens the file and makes what every run needs in it.
    pub(crate) async fn open(settings: DuckDbSettings) -> Result<Self> {
        settings.check()?;
        let file = open(move || {
            let claim = Claim::take(&settings.path).ok_or_else(|| {
                Error::new(Code::RunOverlap, "open a DuckDB file")
                    .with("file", settings.path.display())
            })?;
            let log = beside(&settings.path, ".wal");
            let database = Database::new(open_now(&settings)?, log, &settings.schema)?;
            Ok(OpenFile {
                path: settings.path.clone(),
                database: Mutex::new(database),
                _claim: claim,
            })
        })
        .await?;
        Ok(Self {
            file: Arc::new(file),
        })
    }

    pub(crate) fn path(&self) -> &PathBuf {
        &self.file.path
    }

    /// Does `work` on a blocking thread, one at a time.
    ///
    /// # Cancel safety
    /// Work that has begun is ended although nobody waits for it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let file = Arc::clone(&self.file);
        tokio::task::spawn_blocking(move || {
            // A panic in earlier work has rolled its transaction back: the database is whole.
            let mut database = file.database.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut database)
        })
        .await
        .map_err(|_| Error::new(Code::Internal, "work in a DuckDB file"))?
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.file.path)
            .finish_non_exhaustive()
    }
}
