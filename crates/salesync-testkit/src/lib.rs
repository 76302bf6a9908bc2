//! What every adapter of salesync is tested with: a contract suite for each port, and faults by script.
//!
//! A suite is a list of promises. A macro makes one test of each, so that a broken promise has a name:
//!
//! ```
//! use std::sync::Arc;
//! use salesync_core::memory::MemoryQueue;
//!
//! /// Returns a fresh, empty implementation and whatever must live as long as it.
//! async fn make() -> (Arc<MemoryQueue>, ()) {
//!     (Arc::new(MemoryQueue::default()), ())
//! }
//!
//! salesync_testkit::queue_contract!(make);
//! # fn main() {}
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "every function of this crate is the body of a test"
)]

pub mod faults;
pub mod queue;
pub mod secret;
pub mod warehouse;

/// What a suite's `make` returns: a fresh, empty implementation and whatever must live as long as it; or none, where
/// what it needs is not here and the test is passed over.
pub trait Made {
    /// The implementation.
    type Implementation;
    /// What must live as long as it.
    type Kept;

    /// Returns both, where they are there.
    fn made(self) -> Option<(Self::Implementation, Self::Kept)>;
}

impl<T, K> Made for (T, K) {
    type Implementation = T;
    type Kept = K;

    fn made(self) -> Option<(T, K)> {
        Some(self)
    }
}

impl<T, K> Made for Option<(T, K)> {
    type Implementation = T;
    type Kept = K;

    fn made(self) -> Option<(T, K)> {
        self
    }
}
