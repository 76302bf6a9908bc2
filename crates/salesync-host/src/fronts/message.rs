//! What a message on a queue, or an event, asks for.

use salesync_core::command::Command;
use salesync_core::continuation::Continuation;
use salesync_core::error::{Class, Code, Error, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::delivered::Delivered;

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Asked {
    /// A command.
    Command(Command),
    /// To go on where a run was stopped.
    GoOn(Continuation),
    /// To send this letter through again.
    Letter(Delivered),
}

impl Asked {
    /// Reads a JSON document: a continuation has a member `continue`, a dead letter a `dead_id`, one that was too large
    /// for its queue `spilled`, and everything else is a command.
    ///
    /// # Errors
    /// [`Code::RequestInvalid`] where it is none of them; nothing of the document is in the error.
    pub(super) fn read(document: Value) -> Result<Self> {
        if document.get("continue").is_some() {
            return Ok(Self::GoOn(shaped(document)?));
        }
        if document.get("dead_id").is_some() {
            return Ok(Self::Letter(Delivered::Whole(shaped(document)?)));
        }
        if let Some(id) = document.get("spilled") {
            let id = id
                .as_str()
                .ok_or_else(|| invalid("the id of a dead letter"))?;
            return Ok(Self::Letter(Delivered::Named(id.to_owned())));
        }
        Ok(Self::Command(shaped(document)?))
    }

    /// Reads the text of a message.
    ///
    /// # Errors
    /// As [`Asked::read`].
    pub(super) fn read_text(text: &str) -> Result<Self> {
        Self::read(serde_json::from_str(text).map_err(|_| invalid("JSON"))?)
    }
}

/// Returns whether a message whose work could not begin for this reason comes again: its queue sets it aside when it has
/// come often enough.
pub(super) fn comes_again(error: &Error) -> bool {
    match error.class() {
        Class::Retry | Class::Decide | Class::Stop => true,
        // Another run is at work, perhaps the one that has left the message.
        Class::Skip => error.code() == Code::RunOverlap,
        Class::Record | Class::Request => false,
    }
}

fn shaped<T: DeserializeOwned>(document: Value) -> Result<T> {
    serde_json::from_value(document)
        .map_err(|_| invalid("a command, a continuation or a dead letter"))
}

fn invalid(rule: &'static str) -> Error {
    Error::new(Code::RequestInvalid, "read a message").with("must be", rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_it_asks_for_by_its_members() {
        let is = |text: &str| match Asked::read_text(text) {
            Ok(Asked::Command(Command::Sync(sync))) => sync.source,
            Ok(Asked::Command(command)) => format!("{command:?}"),
            Ok(Asked::GoOn(left)) => format!("{} after {} runs", left.sync.source, left.hop),
            Ok(Asked::Letter(letter)) => format!("{letter:?}"),
            Err(error) => error.code().to_string(),
        };
        let cases = [
            (r#"{"sync":{"source":"crm"}}"#, "crm"),
            (
                r#"{"resolve":{}}"#,
                "Resolve(Resolve { full: false, in_warehouse: false })",
            ),
            (r#""resolve""#, "ERR_REQUEST_INVALID"),
            (
                r#"{"continue":{"source":"crm"},"hop":3,"after":"01J"}"#,
                "crm after 3 runs",
            ),
            (r#"{"continue":{"source":"crm"}}"#, "ERR_REQUEST_INVALID"),
            (r#"{"dead_id":"ab"}"#, "ERR_REQUEST_INVALID"),
            (r#"{"spilled":"ab"}"#, r#"Named("ab")"#),
            (r#"{"spilled":7}"#, "ERR_REQUEST_INVALID"),
            (r#"{"sync":{"source":"crm","x":1}}"#, "ERR_REQUEST_INVALID"),
            ("Message Body", "ERR_REQUEST_INVALID"),
            ("[]", "ERR_REQUEST_INVALID"),
        ];
        for (text, expected) in cases {
            assert_eq!(is(text), expected, "{text}");
        }
    }

    #[test]
    fn what_a_message_holds_is_in_no_error() {
        let error = Asked::read_text(r#"{"dead_id":"a","payload":"canary"}"#).unwrap_err();
        assert!(!format!("{error:?}").contains("canary"));
    }
}
