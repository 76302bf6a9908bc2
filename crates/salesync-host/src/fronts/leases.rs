//! What is at work in this process: the same work is not begun twice at a time. It saves quota; that two runs at once
//! harm nothing is the warehouse's matter.

use std::collections::BTreeSet;
use std::sync::Arc;

use salesync_core::command::Command;
use salesync_core::error::{Code, Error, Result};
use tokio::sync::watch;

use crate::context::Context;

/// The names of what is at work.
#[derive(Debug, Clone, Default)]
pub(super) struct Leases(Arc<watch::Sender<BTreeSet<String>>>);

/// Some work of one command; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    names: Vec<String>,
    held: Leases,
}

impl Leases {
    /// Takes what a command works on, all of it or nothing.
    ///
    /// # Errors
    /// [`Code::RunOverlap`] where some of it is at work, [`Code::RequestInvalid`] where the command names a source that
    /// is none.
    pub(super) fn take(&self, cx: &Context, command: &Command) -> Result<Lease> {
        let names = names(cx, command)?;
        let is_free = self.0.send_if_modified(|held| {
            let is_free = names.iter().all(|name| !held.contains(name));
            if is_free {
                held.extend(names.iter().cloned());
            }
            is_free
        });
        if !is_free {
            return Err(Error::new(Code::RunOverlap, "begin a command"));
        }
        Ok(Lease {
            names,
            held: self.clone(),
        })
    }

    /// Waits until nothing is at work.
    pub(super) async fn all_given_back(&self) {
        // The sender lives as long as this does.
        drop(self.0.subscribe().wait_for(BTreeSet::is_empty).await);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.held.0.send_modify(|held| {
            for name in &self.names {
                held.remove(name);
            }
        });
    }
}

fn names(cx: &Context, command: &Command) -> Result<Vec<String>> {
    Ok(match command {
        Command::Sync(sync) => {
            let sources = cx.select(&sync.source)?.into_iter();
            sources.map(|source| source.name.to_owned()).collect()
        }
        Command::Resolve(_) | Command::Decide(_) => vec!["people and companies".to_owned()],
        Command::Redrive(_) => vec!["dead letters".to_owned()],
        Command::Check { .. } => Vec::new(),
    })
}
