//! Where the emulator of BigQuery is that tests ask.

/// Returns its origin; none where there is none, which is said.
pub(crate) fn emulator() -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "where the emulator is, is no setting of the program"
    )]
    let found = std::env::var("SALESYNC_TEST_BIGQUERY").ok();
    if found.is_none() {
        eprintln!("passed over: SALESYNC_TEST_BIGQUERY names no emulator of BigQuery");
    }
    found
}
