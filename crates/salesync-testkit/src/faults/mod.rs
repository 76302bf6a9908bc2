//! Faults by script: which call of which operation fails, and whether before or after its effect.
//!
//! An error after the effect is what a lost answer looks like; a delay is where a test drops the call.

mod source;
mod warehouse;

use std::sync::Mutex;
use std::time::Duration;

use salesync_core::error::{Code, Error, Result};
pub use source::{FaultySource, FaultyStream};
pub use warehouse::FaultyWarehouse;

/// An operation that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `Warehouse::prepare`.
    Prepare,
    /// `Warehouse::cursor`.
    Cursor,
    /// `Warehouse::commit`.
    Commit,
    /// `Warehouse::scan`.
    Scan,
    /// `Warehouse::replace`.
    Replace,
    /// `Source::check`.
    Check,
    /// `Source::open`.
    Open,
    /// `Stream::fetch`.
    Fetch,
    /// `Stream::count`.
    Count,
    /// `Stream::presence`.
    Presence,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call fails and nothing has happened.
    Before(Code),
    /// The call fails although everything has happened.
    After(Code),
    /// The call waits, then does its work.
    SlowBefore(Duration),
    /// The call does its work, then waits.
    SlowAfter(Duration),
}

/// Which call of which operation meets which fault.
#[derive(Debug, Default)]
pub struct Script {
    lines: Vec<(Operation, usize, Fault)>,
    calls: Mutex<Vec<Operation>>,
}

impl Script {
    /// Returns a script in which nothing goes wrong.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault to the call of that number; the first one is 1.
    #[must_use]
    pub fn on(mut self, operation: Operation, call: usize, fault: Fault) -> Self {
        self.lines.push((operation, call, fault));
        self
    }

    /// Returns how often an operation was called.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> usize {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|called| **called == operation).count()
    }

    /// Makes a call under the script.
    async fn play<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.calls.lock().unwrap().push(operation);
        let number = self.calls(operation);
        let due = |line: &&(Operation, usize, Fault)| (line.0, line.1) == (operation, number);
        match self.lines.iter().find(due).map(|line| line.2) {
            None => call.await,
            Some(Fault::Before(code)) => Err(scripted(code)),
            Some(Fault::After(code)) => {
                call.await?;
                Err(scripted(code))
            }
            Some(Fault::SlowBefore(wait)) => {
                tokio::time::sleep(wait).await;
                call.await
            }
            Some(Fault::SlowAfter(wait)) => {
                let outcome = call.await;
                tokio::time::sleep(wait).await;
                outcome
            }
        }
    }
}

fn scripted(code: Code) -> Error {
    Error::new(code, "follow a script of faults")
}
