//! The HTTP front: what a scheduler, a queue that pushes and people ask for, answered in JSON.
//!
//! ```text
//! request ─ id, security headers ─ who asks (access) ─ body, capped ─ was it used before (used) ─ command, apart ─ answer
//! ```
//!
//! Whoever is not known is refused before the body is read. Only `/health`, `/live` and the description are for all.

mod access;
mod answer;
mod around;
mod body;
mod commands;
mod keys;
mod reads;
mod token;
mod used;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use salesync_core::error::{Code, Error, Result};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;

use self::access::Access;
use self::answer::Refused;
use self::used::Used;
use super::leases::Leases;
use crate::context::Context;

/// The description of what is served; a test holds it to [`router`].
const DESCRIPTION: &str = include_str!("../../../../../docs/api/openapi.yaml");

/// How long what is at work has to commit what is in hand, once it was told to stop: a platform waits ten seconds.
const TO_STOP: Duration = Duration::from_secs(9);

/// What all requests share; built once for each start.
pub(crate) struct Front {
    cx: Context,
    access: Access,
    used: Used,
    leases: Leases,
    stop: watch::Receiver<bool>,
}

impl Front {
    /// Returns a front that carries commands out until `stop` turns true.
    pub(crate) fn new(cx: Context, stop: watch::Receiver<bool>) -> Arc<Self> {
        Arc::new(Self {
            access: Access::new(&cx.settings.triggers),
            cx,
            used: Used::default(),
            leases: Leases::default(),
            stop,
        })
    }
}

/// Answers until it is told to stop; then takes nothing new, and waits until what is at work has committed.
///
/// # Errors
/// `ERR_INTERNAL` where the socket is lost.
pub(crate) async fn serve(front: Arc<Front>, listener: TcpListener) -> Result<()> {
    let leases = front.leases.clone();
    let (mut stop, mut stopped) = (front.stop.clone(), front.stop.clone());
    let signal = async move {
        drop(stop.wait_for(|stop| *stop).await);
    };
    let served = axum::serve(listener, router(front)).with_graceful_shutdown(signal);
    let too_late = async {
        drop(stopped.wait_for(|stop| *stop).await);
        tokio::time::sleep(TO_STOP).await;
    };
    tokio::select! {
        served = async {
            served.await?;
            leases.all_given_back().await;
            std::io::Result::Ok(())
        } => served.map_err(|error| Error::new(Code::Internal, "serve HTTP").because(error)),
        () = too_late => {
            tracing::warn!("what is at work did not end in time: the next run goes on from the last commit");
            Ok(())
        }
    }
}

fn router(front: Arc<Front>) -> Router {
    Router::new()
        .route("/health", get(|| async { alive() }))
        .route("/live", get(|| async { alive() }))
        .route("/openapi.yaml", get(|| async { description() }))
        .route("/ready", get(reads::ready))
        .route("/metrics", get(reads::metrics))
        .route("/v1/runs", get(reads::runs))
        .route("/v1/runs/{id}", get(reads::run))
        .route("/v1/dlq", get(reads::letters))
        .route("/v1/dlq/redrive", post(commands::redrive))
        .route("/v1/syncs", post(commands::sync))
        .route("/v1/resolve", post(commands::resolve))
        .route("/v1/continuations", post(commands::go_on))
        .fallback(|| async { Refused::with(Code::RequestNotFound) })
        .method_not_allowed_fallback(|| async { Refused::with(Code::RequestMethod) })
        .layer(CatchPanicLayer::custom(fault_of_ours))
        .layer(axum::middleware::from_fn(around::around))
        .with_state(front)
}

/// Says that the process lives, and nothing more: anybody may ask.
fn alive() -> Response {
    answer::document(200, &serde_json::json!({"status": "ok"}))
}

fn description() -> Response {
    ([(header::CONTENT_TYPE, "application/yaml")], DESCRIPTION).into_response()
}

fn fault_of_ours(_: Box<dyn std::any::Any + Send>) -> Response {
    Refused::with(Code::Internal).into_response()
}

#[cfg(test)]
#[cfg(feature = "duckdb")]
mod tests;
