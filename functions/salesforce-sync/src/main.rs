//! The function that syncs one vendor.

fn main() -> std::process::ExitCode {
    salesync_host::main(&[&salesforce_sync::SOURCE], None)
}
