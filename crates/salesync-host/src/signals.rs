//! Ctrl-C and SIGTERM: what is in hand is committed, then the command ends. A second Ctrl-C ends it at once.

use tokio::sync::watch;

/// Returns a value that turns true when someone asks to stop.
pub(crate) fn stop_requested() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        wait().await;
        tracing::warn!("asked to stop: committing what is in hand; once more to stop at once");
        sender.send_replace(true);
        wait().await;
        #[expect(
            clippy::exit,
            reason = "the second request means now; every commit is whole or not there"
        )]
        std::process::exit(130);
    });
    receiver
}

async fn wait() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
