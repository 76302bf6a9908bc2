//! Opens a file: waits for another process, puts a damaged write-ahead log aside, names what is wrong.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use duckdb::{Config, Connection};
use salesync_core::error::{Code, Error, Result};

use crate::failure::{failure, kind_of};
use crate::settings::DuckDbSettings;

/// How long another process may keep the file before this run gives way.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait between two attempts.
const PAUSE: Duration = Duration::from_millis(100);
/// The write-ahead log is folded into the file when it has grown to this, not after every small commit.
const CHECKPOINT_THRESHOLD: &str = "64MB";

/// Opens the file, waiting for another process that has it open.
///
/// # Errors
/// [`Code::RunOverlap`] where that process does not let go, else as [`open_now`].
///
/// # Cancel safety
/// A dropped opening leaves nothing behind.
pub(crate) async fn open<T: Send + 'static>(
    attempt: impl Fn() -> Result<T> + Clone + Send + 'static,
) -> Result<T> {
    let attempts = PATIENCE.as_millis() / PAUSE.as_millis();
    for _ in 0..attempts {
        match in_background(attempt.clone()).await {
            Err(error) if error.code() == Code::RunOverlap => tokio::time::sleep(PAUSE).await,
            outcome => return outcome,
        }
    }
    in_background(attempt).await
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::new(Code::Internal, "open a DuckDB file"))?
}

/// Opens the file once.
///
/// # Errors
/// [`Code::RunOverlap`] where another process has it open, [`Code::StoreCorrupt`] where it is no
/// DuckDB file, [`Code::StoreSchema`] where a newer DuckDB wrote it, [`Code::ConfigInvalid`] where
/// its folder is missing.
pub(crate) fn open_now(settings: &DuckDbSettings) -> Result<Connection> {
    check_path(&settings.path)?;
    let connection = match connect(&settings.path) {
        Ok(connection) => connection,
        Err(error) if is_about_the_log(&error) => {
            put_log_aside(&settings.path)?;
            connect(&settings.path).map_err(|error| refusal(&settings.path, &error))?
        }
        Err(error) => return Err(refusal(&settings.path, &error)),
    };
    limit(&connection, settings)?;
    Ok(connection)
}

fn check_path(path: &Path) -> Result<()> {
    let wrong = |what| {
        Error::new(Code::ConfigInvalid, "open a DuckDB file")
            .with("file", path.display())
            .with("found", what)
    };
    if path.is_dir() {
        return Err(wrong("a folder in its place"));
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(wrong("no folder to put it in"));
    }
    Ok(())
}

/// Connects without a limit on memory: replaying the log may need more than the work does.
fn connect(path: &Path) -> duckdb::Result<Connection> {
    let config = Config::default()
        .with("autoinstall_known_extensions", "false")?
        .with("autoload_known_extensions", "false")?
        .with("checkpoint_threshold", CHECKPOINT_THRESHOLD)?;
    Connection::open_with_flags(path, config)
}

fn limit(connection: &Connection, settings: &DuckDbSettings) -> Result<()> {
    let failed = failure("set DuckDB's limits");
    let memory_limit_mb = settings.memory_limit_mb;
    connection
        .execute_batch(&format!(
            "SET memory_limit = '{memory_limit_mb}MB'; PRAGMA disable_checkpoint_on_shutdown"
        ))
        .map_err(&failed)?;
    if let Some(threads) = settings.threads {
        connection
            .execute_batch(&format!("SET threads = {threads}"))
            .map_err(&failed)?;
    }
    // Builds without time zones do not know the setting, and mean UTC anyway.
    if let Err(error) = connection.execute_batch("SET TimeZone = 'UTC'") {
        tracing::debug!(error = kind_of(&error), "this DuckDB has no time zones");
    }
    Ok(())
}

fn refusal(path: &Path, error: &duckdb::Error) -> Error {
    let text = error.to_string();
    let code = if text.contains("Could not set lock") || text.contains("Conflicting lock") {
        Code::RunOverlap
    } else if text.contains("not a valid DuckDB database") || is_about_the_log(error) {
        Code::StoreCorrupt
    } else if text.contains("newer version") || text.contains("storage version") {
        Code::StoreSchema
    } else if ["IO Error", "Out of Memory Error"].contains(&kind_of(error))
        && !text.contains("Corrupt")
        && !text.contains("checksum")
    {
        Code::StoreUnavailable
    } else {
        Code::StoreCorrupt
    };
    Error::new(code, "open a DuckDB file")
        .with("file", path.display())
        .with("duckdb", kind_of(error))
}

/// Returns whether the log can't be replayed. A conflict over the lock names paths, in which any word may
/// stand: it never counts.
fn is_about_the_log(error: &duckdb::Error) -> bool {
    let text = error.to_string();
    !text.contains("Could not set lock") && text.contains("WAL file")
}

/// Renames a log that can't be replayed. Rows and cursors were in it together, so that what it held
/// is read again by the next run: nothing is lost for good.
fn put_log_aside(path: &Path) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::new(
            Code::StoreUnavailable,
            "put a damaged write-ahead log aside",
        )
        .because(error)
    };
    for suffix in [".wal", ".wal.checkpoint", ".wal.recovery"] {
        let log = beside(path, suffix);
        if !log.exists() {
            continue;
        }
        let free = (1..).map(|n| beside(path, &format!("{suffix}.damaged-{n}")));
        let Some(aside) = free.into_iter().find(|aside| !aside.exists()) else {
            continue;
        };
        std::fs::rename(&log, &aside).map_err(failed)?;
        tracing::warn!(
            file = %path.display(),
            aside = %aside.display(),
            "the write-ahead log can't be replayed and is put aside; the next run reads again what it held"
        );
    }
    Ok(())
}

/// Returns the path of a file that DuckDB keeps beside the database.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(suffix);
    PathBuf::from(name)
}
