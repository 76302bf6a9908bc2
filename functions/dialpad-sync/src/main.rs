//! The function that syncs one vendor.

fn main() -> std::process::ExitCode {
    salesync_host::main(&[&dialpad_sync::SOURCE], None)
}
