//! `salesync serve`: the HTTP front on this machine.

use std::net::SocketAddr;

use salesync_core::error::{Code, Error, Result};
use serde_json::json;
use tokio::net::TcpListener;

use super::args::ServeWords;
use crate::context::Context;
use crate::fronts::http::{self, Front};
use crate::report::{self, Output};
use crate::settings::TriggerChoices;
use crate::signals;

/// Serves until it is told to stop.
pub(super) async fn run(cx: Context, words: &ServeWords, output: Output) -> Result<u8> {
    if cx.settings.triggers.is_empty() && !words.address.is_loopback() {
        return Err(TriggerChoices::missing());
    }
    let address = SocketAddr::new(words.address, words.port);
    let unheard = |error: std::io::Error| {
        Error::new(Code::RequestInvalid, "listen")
            .with("address", address)
            .because(error)
    };
    let listener = TcpListener::bind(address).await.map_err(unheard)?;
    let url = format!("http://{}", listener.local_addr().map_err(unheard)?);
    match output {
        Output::Json => report::line(&json!({"url": url}).to_string()),
        Output::Text => report::line(&format!(
            "salesync answers at {url} until Ctrl-C; {url}/openapi.yaml says to what"
        )),
    }
    // A store of secrets may take its time: nobody waits for it.
    tokio::spawn(expect_sources(cx.clone()));
    http::serve(Front::new(cx, signals::stop_requested()), listener).await?;
    Ok(0)
}

/// Counts the sources that somebody has set up from 0 on.
async fn expect_sources(cx: Context) {
    for source in &cx.sources {
        if cx.secrets.has(source.name).await.unwrap_or_default() {
            cx.telemetry.expect(source.name);
        }
    }
}
