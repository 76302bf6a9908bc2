//! Tests that cross two crates; see `it/`.
