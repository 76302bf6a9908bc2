//! The function that syncs one vendor.

fn main() -> std::process::ExitCode {
    salesync_host::main(&[&hubspot_sync::SOURCE], None)
}
