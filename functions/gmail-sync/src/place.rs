//! Where a mailbox stands between two pages.

use salesync_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A place in the reading of one mailbox.
///
/// ```text
/// nothing ─▶ Loading ─▶ History ─▶ History ─▶ …
///               ▲           │ too long ago
///               └───────────┘ (a full sync of this mailbox)
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub(crate) enum Place {
    /// In the first load.
    Loading {
        /// The mailbox's history when the load began: what happened since is read after it.
        history_id: u64,
        /// When it began.
        started: Timestamp,
        /// How many messages there were.
        total: u64,
        /// All threads whose id is not below this one are loaded; threads are loaded by falling ids, which
        /// never change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        below: Option<String>,
        /// Messages older than this are left out: an operator asked for those since then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
        /// The history that was read up to before an operator sent the mailbox back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        earlier: Option<u64>,
        /// Rises with each page.
        step: u64,
    },
    /// In the history.
    History {
        /// All that happened up to it is read.
        history_id: u64,
        /// When labels and counts were last read.
        looked_at: Timestamp,
        /// Rises with each page of what happened after it.
        step: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_stored_and_read_back_unchanged() {
        let places = [
            Place::Loading {
                history_id: u64::MAX,
                started: Timestamp::from_millis(1),
                total: 3,
                below: Some("18f".to_owned()),
                since: None,
                earlier: Some(7),
                step: 2,
            },
            Place::History {
                history_id: 12,
                looked_at: Timestamp::from_millis(5),
                step: 0,
            },
        ];
        for place in places {
            let text = serde_json::to_string(&place).unwrap();
            assert_eq!(
                serde_json::from_str::<Place>(&text).unwrap(),
                place,
                "{text}"
            );
        }
    }
}
