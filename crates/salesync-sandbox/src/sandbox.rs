//! The running server.

use std::io::{Error, Result};
use std::net::{Ipv4Addr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::server::{App, router};
use crate::{SandboxConfig, World};

/// A running server. It stops when dropped, or by [`Sandbox::stop`].
///
/// It runs on threads of its own, so that it neither disturbs the runtime of those who ask it nor
/// is disturbed by it.
#[derive(Debug)]
pub struct Sandbox {
    world: World,
    url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Invents the world and serves it; it answers from the moment that this returns.
    ///
    /// # Errors
    ///
    /// The port is taken, or no thread could be started.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves nothing running.
    pub async fn start(config: SandboxConfig) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port))?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let (latency, disturb) = (config.latency, config.disturb);
        let world = tokio::task::spawn_blocking(move || World::invent(&config))
            .await
            .map_err(Error::other)?;
        let app = App {
            world: world.clone(),
            origin: url.clone(),
            latency,
            disturb,
        };
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("salesync-sandbox")
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("salesync-sandbox".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = serve(listener, app) => {}
                        _ = stopped => {}
                    }
                });
                runtime.shutdown_timeout(Duration::from_millis(500));
            })?;
        Ok(Self {
            world,
            url,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Gives the one origin of all vendors, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Gives the truth behind the answers, and the ways to change it.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Stops serving and closes all connections.
    ///
    /// # Cancel safety
    ///
    /// A dropped future stops the server all the same.
    pub async fn stop(mut self) {
        if let Some(thread) = self.signal() {
            // A server that panicked has stopped, too.
            tokio::task::spawn_blocking(move || thread.join().is_ok())
                .await
                .unwrap_or_default();
        }
    }

    fn signal(&mut self) -> Option<JoinHandle<()>> {
        if let Some(stop) = self.stop.take() {
            // The receiver is gone only if the server has ended by itself.
            stop.send(()).unwrap_or_default();
        }
        self.thread.take()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(thread) = self.signal() {
            thread.join().unwrap_or_default();
        }
    }
}

async fn serve(listener: TcpListener, app: App) {
    if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
        // axum's server only ever ends by being dropped.
        axum::serve(listener, router(app)).await.unwrap_or_default();
    }
}
