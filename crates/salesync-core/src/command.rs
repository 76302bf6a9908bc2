//! What salesync can be told to do: one command, whichever front it comes through.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::resolve::EntityKind;
use crate::time::Timestamp;

/// How a sync reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// What changed since the last run.
    #[default]
    Incremental,
    /// Everything, from nothing, in a cursor of its own; ends with a sweep of what is gone.
    Full,
}

impl Mode {
    /// Returns the mode as it stands in `etl_runs`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incremental => "incremental",
            Self::Full => "full",
        }
    }
}

/// What to do with what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Make it durable.
    #[default]
    Commit,
    /// Only count it.
    DryRun,
}

/// What to do when a full sync finds very many rows that the source no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// Stop and let a person decide.
    #[default]
    Ask,
    /// Mark them all.
    Confirmed,
}

/// A sync of some streams of one source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// The source, or `all`.
    pub source: String,
    /// Which streams; none means all.
    #[serde(default)]
    pub streams: Vec<String>,
    /// How to read.
    #[serde(default)]
    pub mode: Mode,
    /// Begin at this change time instead of where the last run ended.
    #[serde(default, with = "crate::time::rfc3339::option")]
    pub since: Option<Timestamp>,
    /// What to do with what was read.
    #[serde(default)]
    pub effect: Effect,
    /// What to do when very much is gone.
    #[serde(default)]
    pub absent: Absent,
}

impl Sync {
    /// Says whether its parts go together.
    ///
    /// # Errors
    /// [`Code::RequestInvalid`] where a full sync is to begin at a change time, or only a full sync could do what is
    /// asked.
    pub fn check(&self) -> Result<()> {
        let wrong = |rule| Err(Error::new(Code::RequestInvalid, "read a sync").with("rule", rule));
        match (self.mode, self.since, self.absent) {
            (Mode::Full, Some(_), _) => wrong("a full sync begins at nothing, not at a time"),
            (Mode::Incremental, _, Absent::Confirmed) => {
                wrong("only a full sync finds what is gone")
            }
            _ => Ok(()),
        }
    }
}

/// A resolve of people and companies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    /// Resolve all records, and learn anew what evidence is worth; else only what changed, where that is little.
    #[serde(default)]
    pub full: bool,
    /// Resolve all records, and let the warehouse do itself what is about all of them.
    #[serde(default)]
    pub in_warehouse: bool,
}

/// A redrive of dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redrive {
    /// Only letters of this source.
    #[serde(default)]
    pub source: Option<String>,
    /// Only these letters, by id or the beginning of it; none means all that are open.
    #[serde(default)]
    pub ids: Vec<String>,
}

/// What a person wants of some records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// They are one entity.
    Join,
    /// They are not the entity of the others.
    Split,
    /// Earlier decisions about them no longer hold: the evidence decides again.
    Withdraw,
}

/// When a decision shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Takes {
    /// At once: entities are resolved anew.
    #[default]
    Now,
    /// With the next resolve.
    Later,
}

/// A person's decision about which records are one entity. It holds at every later resolve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What is decided.
    pub ruling: Ruling,
    /// About which entities or records: an entity's id, a record as `source/stream/id`, or a record's id alone where
    /// only one record has it.
    pub ids: Vec<String>,
    /// Of a split: from which entities or records; none means from the rest of their entity.
    #[serde(default)]
    pub from: Vec<String>,
    /// Whether people or companies are meant, where a record stands for both.
    #[serde(default)]
    pub kind: Option<EntityKind>,
    /// Who decided.
    pub by: String,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// When it shows.
    #[serde(default)]
    pub takes: Takes,
}

/// What salesync can be told to do; the same JSON for every front.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Read sources into the warehouse.
    Sync(Sync),
    /// Resolve people and companies.
    Resolve(Resolve),
    /// Decide which records are one entity.
    Decide(Decision),
    /// Send dead letters through again.
    Redrive(Redrive),
    /// Prove the credentials of a source, or of `all`.
    Check {
        /// The source.
        source: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> serde_json::Result<Command> {
        serde_json::from_str(text)
    }

    #[test]
    fn a_command_is_the_same_json_for_every_front() {
        let Ok(Command::Sync(sync)) =
            read(r#"{"sync":{"source":"crm","since":"2026-01-31","streams":["people"]}}"#)
        else {
            panic!("a sync is read");
        };
        assert_eq!(
            sync.since.map(|it| it.to_string()).as_deref(),
            Some("2026-01-31T00:00:00Z")
        );
        assert_eq!(sync.mode, Mode::Incremental);
        let again = serde_json::to_string(&Command::Sync(sync.clone())).unwrap();
        assert_eq!(read(&again).unwrap(), Command::Sync(sync));
        let full = Command::Resolve(Resolve {
            full: true,
            ..Resolve::default()
        });
        assert_eq!(read(r#"{"resolve":{"full":true}}"#).unwrap(), full);
        assert_eq!(
            read(r#"{"resolve":{}}"#).unwrap(),
            Command::Resolve(Resolve::default())
        );
        for wrong in [
            r#"{"sync":{}}"#,
            r#"{"sync":{"source":"crm","steams":[]}}"#,
            r#"{"sync":{"source":"crm","since":"yesterday"}}"#,
            r#"{"synk":{"source":"crm"}}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_only_a_full_sync_can_do_is_refused_elsewhere() {
        let sync = |mode, since, absent| Sync {
            mode,
            since,
            absent,
            ..Sync::default()
        };
        let day = Some(Timestamp::EPOCH);
        assert!(sync(Mode::Incremental, day, Absent::Ask).check().is_ok());
        assert!(sync(Mode::Full, None, Absent::Confirmed).check().is_ok());
        assert!(sync(Mode::Full, day, Absent::Ask).check().is_err());
        assert!(
            sync(Mode::Incremental, None, Absent::Confirmed)
                .check()
                .is_err()
        );
    }
}
