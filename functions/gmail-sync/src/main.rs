//! The function that syncs one vendor.

fn main() -> std::process::ExitCode {
    salesync_host::main(&[&gmail_sync::SOURCE], None)
}
