//! Every port in memory: the meaning that all other implementations are measured against.

mod queue;
mod secret;
mod warehouse;

pub use queue::MemoryQueue;
pub use secret::MemorySecretStore;
pub use warehouse::MemoryWarehouse;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks what a panicking test may have left locked: the values are whole between statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
