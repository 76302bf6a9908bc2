//! One binary with every test that crosses two crates.
