//! One opening of a file at a time in this process: the lock that DuckDB takes on the file only keeps
//! other processes out.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

static CLAIMED: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);

/// A file that this process has open; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Claim(PathBuf);

impl Claim {
    /// Claims a file; `None` where it is open already.
    pub(crate) fn take(path: &Path) -> Option<Self> {
        let whole = whole_path(path);
        let free = claimed().get_or_insert_default().insert(whole.clone());
        free.then(|| Self(whole))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        claimed().get_or_insert_default().remove(&self.0);
    }
}

fn claimed() -> MutexGuard<'static, Option<HashSet<PathBuf>>> {
    CLAIMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same for every way to write a path, also before the file is there.
fn whole_path(path: &Path) -> PathBuf {
    if let Ok(whole) = path.canonicalize() {
        return whole;
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_claimed_once_however_its_path_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let claim = Claim::take(&folder.path().join("a.duckdb")).unwrap();
        assert!(Claim::take(&folder.path().join(".").join("a.duckdb")).is_none());
        drop(claim);
        assert!(Claim::take(&folder.path().join("a.duckdb")).is_some());
    }
}
