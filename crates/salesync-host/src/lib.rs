//! Where salesync meets the outside: settings, the time, logs, the choice of adapters, and the three fronts: the
//! command line, HTTP and Lambda. Only here is the environment read, anything printed and the clock asked.
//!
//! A program is one call: [`main`] with the sources that it holds.

mod adapters;
mod cli;
mod context;
mod delivered;
mod demo;
mod fronts;
mod handle;
mod logs;
#[cfg(feature = "duckdb")]
mod match_report;
#[cfg(feature = "duckdb")]
mod matching;
mod outlets;
mod progress;
mod queues;
mod report;
mod secrets;
mod settings;
mod signals;
mod telemetry;

pub use demo::{
    DemoWorld, LimitUsed, QuotaModel, RunningWorld, TrueRecord, WorldLimits, WorldOptions,
};
pub use fronts::main;
pub use settings::{Settings, WarehouseChoice};
