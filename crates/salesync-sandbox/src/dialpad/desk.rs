//! What the server remembers of Dialpad's side: limits, refused transcripts, exports under way.

use std::collections::{BTreeSet, VecDeque};

use super::meter::DialpadMeter;
use crate::SandboxConfig;

/// How many exports are kept; the oldest goes first.
const EXPORTS_MAX: usize = 100;
/// How often an export is still being processed when it is asked for.
const POLLS_BEFORE: u32 = 2;

/// What the server remembers of Dialpad's side.
#[derive(Debug)]
pub(crate) struct DialpadDesk {
    /// The limits.
    pub(crate) meter: DialpadMeter,
    /// Of a hundred transcripts, how many are refused when they are first asked for.
    pub(crate) refused_percent: u64,
    /// The calls whose transcripts were refused once.
    pub(crate) refused: BTreeSet<u64>,
    /// The cursors of other generations are dead.
    pub(crate) cursors: u64,
    /// How many of the exports that will be asked for fail.
    pub(crate) exports_to_fail: usize,
    /// How many pages of users with too high a limit were asked for.
    pub(super) wide_pages: u64,
    exports: VecDeque<Export>,
    exports_made: u64,
}

/// One export.
#[derive(Debug)]
struct Export {
    id: String,
    polls: u32,
    /// The file, or none if the export fails.
    csv: Option<String>,
}

/// Where an export stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// It is being made.
    Processing,
    /// The file is there.
    Complete,
    /// It went wrong for good.
    Failed,
}

impl DialpadDesk {
    /// Starts with nothing used.
    pub(crate) fn new(config: &SandboxConfig) -> Self {
        Self {
            meter: DialpadMeter::new(config.limits),
            refused_percent: 0,
            refused: BTreeSet::new(),
            cursors: 1,
            exports_to_fail: 0,
            wide_pages: 0,
            exports: VecDeque::new(),
            exports_made: 0,
        }
    }

    /// Takes an export up and gives its id.
    pub(super) fn take_up(&mut self, csv: String) -> String {
        self.exports_made = self.exports_made.saturating_add(1);
        let id = format!("{:032x}", u128::from(self.exports_made) << 64 | 0x5a1e_5bc0);
        let fails = self.exports_to_fail > 0;
        self.exports_to_fail = self.exports_to_fail.saturating_sub(1);
        self.exports.push_back(Export {
            id: id.clone(),
            polls: 0,
            csv: (!fails).then_some(csv),
        });
        while self.exports.len() > EXPORTS_MAX {
            self.exports.pop_front();
        }
        id
    }

    /// Says where an export stands, and counts that it was asked for; none if there is no such one.
    pub(super) fn poll(&mut self, id: &str) -> Option<Progress> {
        let export = self.exports.iter_mut().find(|export| export.id == id)?;
        export.polls = export.polls.saturating_add(1);
        Some(match &export.csv {
            _ if export.polls <= POLLS_BEFORE => Progress::Processing,
            Some(_) => Progress::Complete,
            None => Progress::Failed,
        })
    }

    /// Gives the file of a complete export.
    pub(super) fn file(&self, id: &str) -> Option<String> {
        let export = self.exports.iter().find(|export| export.id == id)?;
        (export.polls > POLLS_BEFORE)
            .then(|| export.csv.clone())
            .flatten()
    }
}
