//! Every source in one program: the command line, and the invented vendors for its demo.

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
    salesync_host::main(SOURCES, Some(&world::Invented))
}
