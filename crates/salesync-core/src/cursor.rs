//! How far a stream has been read.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::time::Timestamp;

/// How far a stream has been read, as stored with the rows it stands for.
///
/// Two statements, both only about what is already durable:
/// everything that changed at or before `complete_to` has been delivered; and, where a window or a
/// listing is unfinished, `place` says where in it reading goes on.
///
/// ```text
///              overlap                       still unread
/// 1970 ───────────┼──── complete_to ──── place ─────────── hi ──── now
///      delivered  │ read once more │ delivered │
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    complete_to: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<serde_json::Value>,
    /// Whether the cursor was set back to look for records that were missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    set_back: bool,
    /// The place that was left when the cursor was set back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left: Option<serde_json::Value>,
}

impl Cursor {
    /// Returns the cursor of a stream whose windows are all closed up to `complete_to`.
    #[must_use]
    pub fn between_windows(complete_to: Timestamp) -> Self {
        Self {
            complete_to,
            place: None,
            set_back: false,
            left: None,
        }
    }

    /// Returns the cursor of a stream that is to be read again from `since` on, because records were missing.
    /// A run that begins so never sets it back once more.
    #[must_use]
    pub fn set_back_to(self, since: Timestamp) -> Self {
        Self {
            set_back: true,
            ..self.back_to(since)
        }
    }

    /// Returns the cursor of a stream that is sent back to `since`, or no further than this one. It
    /// keeps the place that is left, for streams in which a time alone does not say where they are.
    #[must_use]
    pub fn back_to(self, since: Timestamp) -> Self {
        Self {
            complete_to: since.min(self.complete_to),
            place: None,
            set_back: false,
            left: self.place.or(self.left),
        }
    }

    /// Returns the place that was left when the cursor was set back.
    ///
    /// # Errors
    /// As [`Cursor::place`].
    pub fn left<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        read(self.left.as_ref())
    }

    /// Returns whether the cursor was set back to look for records that were missing.
    #[must_use]
    pub fn is_set_back(&self) -> bool {
        self.set_back
    }

    /// Returns a cursor inside an unfinished window or listing; `place` is the stream's own.
    ///
    /// # Errors
    /// [`Code::Internal`] where `place` is no JSON value.
    pub fn inside(complete_to: Timestamp, place: &impl Serialize) -> Result<Self> {
        let place = serde_json::to_value(place)
            .map_err(|error| Error::new(Code::Internal, "write a cursor").because(error))?;
        Ok(Self {
            complete_to,
            place: Some(place),
            set_back: false,
            left: None,
        })
    }

    /// Returns the instant up to which nothing is missing.
    #[must_use]
    pub fn complete_to(&self) -> Timestamp {
        self.complete_to
    }

    /// Returns the stream's own place inside an unfinished window, `None` between windows.
    ///
    /// # Errors
    /// [`Code::StoreCorrupt`] where the stored place can't be read: it is never taken for a first run.
    pub fn place<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        read(self.place.as_ref())
    }

    /// Returns whether all windows are closed.
    #[must_use]
    pub fn is_between_windows(&self) -> bool {
        self.place.is_none()
    }

    /// Returns the same cursor, but complete to no later than `cap`: the source's clock at the run's start.
    #[must_use]
    pub fn capped(mut self, cap: Timestamp) -> Self {
        self.complete_to = self.complete_to.min(cap);
        self
    }

    /// Returns the same cursor, but complete to no earlier than `floor`: a cursor never goes back.
    #[must_use]
    pub fn at_least(mut self, floor: Timestamp) -> Self {
        self.complete_to = self.complete_to.max(floor);
        self
    }

    /// Returns the cursor as it is stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Reads a stored cursor.
    ///
    /// # Errors
    /// [`Code::StoreCorrupt`] where the text is no cursor.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text)
            .map_err(|error| Error::new(Code::StoreCorrupt, "read a cursor").because(error))
    }
}

fn read<T: DeserializeOwned>(place: Option<&serde_json::Value>) -> Result<Option<T>> {
    place
        .map(T::deserialize)
        .transpose()
        .map_err(|error| Error::new(Code::StoreCorrupt, "read a cursor").because(error))
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.complete_to)?;
        if self.place.is_some() {
            f.write_str(" (inside a window)")
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_stored_and_read_back_unchanged() {
        let cursor = Cursor::inside(Timestamp::from_millis(5), &("a", 7)).unwrap();
        assert_eq!(Cursor::from_json(&cursor.to_json()).unwrap(), cursor);
        assert_eq!(
            cursor.place::<(String, u8)>().unwrap(),
            Some(("a".to_owned(), 7))
        );
    }

    #[test]
    fn an_unreadable_cursor_is_an_error_and_not_a_first_run() {
        for text in ["", "null", "{}", "{\"complete_to\":\"x\"}"] {
            assert_eq!(
                Cursor::from_json(text).unwrap_err().code(),
                Code::StoreCorrupt,
                "{text}"
            );
        }
        let cursor = Cursor::inside(Timestamp::EPOCH, &"text").unwrap();
        assert_eq!(
            cursor.place::<u64>().unwrap_err().code(),
            Code::StoreCorrupt
        );
    }

    #[test]
    fn a_cursor_never_passes_the_cap() {
        let cursor = Cursor::between_windows(Timestamp::from_millis(9));
        assert_eq!(
            cursor.capped(Timestamp::from_millis(4)).complete_to(),
            Timestamp::from_millis(4)
        );
    }
}
