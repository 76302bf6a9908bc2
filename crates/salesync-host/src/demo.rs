//! What the demo needs: the vendors' APIs on this machine, with invented people. The program that holds
//! them hands them in, so that no other program carries them.

use async_trait::async_trait;

/// How large a world is and where it listens.
#[derive(Debug, Clone, Copy)]
pub struct WorldOptions {
    /// About how many records all vendors hold together.
    pub records: usize,
    /// The port on loopback; 0 is any that is free.
    pub port: u16,
}

/// Starts invented vendors on this machine.
#[async_trait]
pub trait DemoWorld: Sync {
    /// Starts them.
    ///
    /// # Errors
    /// Where the port is taken.
    async fn start(&self, options: WorldOptions) -> std::io::Result<Box<dyn RunningWorld>>;
}

/// Invented vendors that answer until they are stopped or dropped.
#[async_trait]
pub trait RunningWorld: Send {
    /// Returns the one origin of all vendors.
    fn url(&self) -> String;

    /// Returns a secret document for each source, by its name.
    fn secrets(&self) -> Vec<(&'static str, String)>;

    /// Returns what else has to be set to read from them, by the settings' names.
    fn settings(&self) -> Vec<(&'static str, String)>;

    /// Stops them.
    async fn stop(self: Box<Self>);
}
