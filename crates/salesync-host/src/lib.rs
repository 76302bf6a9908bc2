//! Where salesync meets the outside: settings, the time, logs, the choice of adapters, and the command
//! line. Only here is the environment read, anything printed and the clock asked.
//!
//! A program is one call: [`main`] with the sources that it holds.

mod adapters;
mod cli;
mod context;
mod demo;
mod handle;
mod logs;
mod match_report;
mod matching;
mod outlets;
mod progress;
mod queues;
mod report;
mod secrets;
mod settings;
mod signals;

pub use cli::main;
pub use demo::{
    DemoWorld, LimitUsed, QuotaModel, RunningWorld, TrueRecord, WorldLimits, WorldOptions,
};
pub use settings::{Settings, WarehouseChoice};
