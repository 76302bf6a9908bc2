//! Every source in one program: the command line, with the invented vendors for its demo, and the function that resolves
//! and redrives.

#[cfg(feature = "laptop")]
mod world;

use std::process::ExitCode;

use salesync_core::source::SourceDefinition;

/// Every source of salesync; a new one is a line here and a line in Cargo.toml.
static SOURCES: &[&SourceDefinition] = &[
    &dialpad_sync::SOURCE,
    &gmail_sync::SOURCE,
    &hubspot_sync::SOURCE,
    &salesforce_sync::SOURCE,
];

fn main() -> ExitCode {
    #[cfg(feature = "laptop")]
    let demo = Some(&world::Invented as &dyn salesync_host::DemoWorld);
    #[cfg(not(feature = "laptop"))]
    let demo = None;
    salesync_host::main(SOURCES, demo)
}
