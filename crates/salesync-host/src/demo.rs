//! What the demo needs: the vendors' APIs on this machine, with invented people. The program that holds
//! them hands them in, so that no other program carries them.

use async_trait::async_trait;

/// Whether invented vendors refuse what is more than the real ones permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorldLimits {
    /// They answer everything.
    Off,
    /// They refuse as the real ones do.
    Vendor,
}

/// How large a world is, where it listens and how it answers.
#[derive(Debug, Clone, Copy)]
pub struct WorldOptions {
    /// About how many records all vendors hold together.
    pub records: usize,
    /// The port on loopback; 0 is any that is free.
    pub port: u16,
    /// Whether they refuse what is too much.
    pub limits: WorldLimits,
    /// How much later each answer comes, in milliseconds.
    pub latency_ms: u64,
    /// One request in so many is told to come back in two seconds; none means none.
    pub disturb: Option<u64>,
    /// Different messages in the mailboxes; none means as many as suit the records.
    pub messages: Option<usize>,
    /// Which model of quota units holds.
    pub quota_model: QuotaModel,
}

/// A vendor's two models of quota units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum QuotaModel {
    /// The one of projects that are there already.
    Legacy,
    /// The one of new projects.
    New,
}

impl WorldOptions {
    /// Returns a world of about so many records that answers everything at once, on any free port.
    #[must_use]
    pub fn of(records: usize) -> Self {
        Self {
            records,
            port: 0,
            limits: WorldLimits::Off,
            latency_ms: 0,
            disturb: None,
            messages: None,
            quota_model: QuotaModel::Legacy,
        }
    }
}

/// How one limit of an invented vendor was used.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LimitUsed {
    /// The source.
    pub source: &'static str,
    /// The limit.
    pub limit: String,
    /// Units permitted in a minute; none where the vendor has no limit by the minute.
    pub permitted: Option<u32>,
    /// Units admitted in all.
    pub admitted: u64,
    /// Units admitted in the busiest minute.
    pub busiest: u64,
    /// How long callers were told to stay away in that minute, in seconds.
    pub held_secs: f64,
    /// What was admitted of what is permitted in the part of the busiest minute in which nobody was told to stay
    /// away.
    pub share: Option<f64>,
    /// Requests that were more than is permitted.
    pub over_limit: u64,
    /// Requests that were told to come back later.
    pub told_to_wait: u64,
    /// Requests that came back before that.
    pub early: u64,
}

/// Which person or company an invented record is about.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TrueRecord {
    /// The source.
    pub source: &'static str,
    /// The stream.
    pub stream: &'static str,
    /// The record's id, or the address or number that names somebody there.
    pub record_id: String,
    /// The person or company.
    pub entity_id: String,
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

    /// Returns whom their records are about.
    fn truth(&self) -> Vec<TrueRecord>;

    /// Returns how each of their limits was used so far.
    fn limits_used(&self) -> Vec<LimitUsed>;

    /// Stops them.
    async fn stop(self: Box<Self>);
}
