//! Tests on the sandbox.
