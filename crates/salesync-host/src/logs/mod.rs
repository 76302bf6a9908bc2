//! Log lines on stderr, so that stdout stays for results.

mod json;

use std::io::IsTerminal as _;

use salesync_core::error::{Code, Error, Result};
use tracing_subscriber::EnvFilter;

use self::json::JsonLines;
use crate::settings::{LogFormat, Settings};

/// The traces of AWS's SDK quote what is sent, secrets too: they are never written.
const QUIET: &str = "aws_config=warn,aws_smithy_runtime=warn,aws_smithy_runtime_api=warn,aws_runtime=warn,\
                     aws_sigv4=warn,aws_sdk_sqs=warn,aws_sdk_secretsmanager=warn,aws_smithy_http_client=warn";

/// Starts the log. Called once per process.
pub(crate) fn start(settings: &Settings) -> Result<()> {
    let filter = EnvFilter::try_new(format!("{},{QUIET}", settings.log)).map_err(|error| {
        Error::new(Code::ConfigInvalid, "read settings")
            .with("setting", "SALESYNC_LOG")
            .because(error)
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match settings.log_format {
        LogFormat::Text => lines.with_target(false).try_init(),
        LogFormat::Json => lines.event_format(JsonLines).try_init(),
    };
    started.map_err(|error| Error::new(Code::Internal, "start the log").because(error))
}

/// Makes a fault of ours a log line that says where it happened, and nothing of what it met: that could be a record.
pub(crate) fn hide_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location();
        tracing::error!(
            file = place.map(|place| place.file()),
            line = place.map(|place| place.line()),
            code = Code::Internal.as_str(),
            "a fault of ours"
        );
    }));
}
