//! A record on its way: raw as the source sent it, then a change, or a reject with its reason.

use std::borrow::Cow;
use std::collections::HashMap;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::error::{Code, Error, Result};
use crate::time::Timestamp;

/// The most bytes that one record may have; larger ones go to the dead letters.
pub const MAX_RECORD_BYTES: usize = 1024 * 1024;
/// The deepest nesting that one record may have.
pub const MAX_RECORD_DEPTH: usize = 64;

/// One record exactly as the source sent it: a slice of the page's body, not a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord(Bytes);

impl RawRecord {
    /// Wraps the bytes of one record.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// Returns the record's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Cuts a page's records out of its body without parsing them, so that one bad record never
    /// costs the page.
    ///
    /// # Errors
    /// [`Code::Internal`] where a record is not part of `body`.
    pub fn slices(body: &Bytes, records: &[&RawValue]) -> Result<Vec<Self>> {
        let whole = body.as_ptr_range();
        records
            .iter()
            .map(|record| {
                let part = record.get().as_bytes();
                let range = part.as_ptr_range();
                if range.start < whole.start || range.end > whole.end {
                    return Err(Error::new(Code::Internal, "cut a page into records"));
                }
                Ok(Self(body.slice_ref(part)))
            })
            .collect()
    }

    /// Parses the record as JSON into the shape that the decoder wants.
    ///
    /// # Errors
    /// A reject that says whether the record is too large, too deep or malformed.
    pub fn parse<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, Reject> {
        self.parse_within(MAX_RECORD_BYTES)
    }

    /// Parses a record that may have so many bytes, where the source's records are larger than others'.
    ///
    /// # Errors
    /// As [`RawRecord::parse`].
    pub fn parse_within<'a, T: serde::Deserialize<'a>>(
        &'a self,
        bytes_max: usize,
    ) -> Result<T, Reject> {
        if self.0.len() > bytes_max {
            let rule = if bytes_max == MAX_RECORD_BYTES {
                "a record has at most 1 MiB"
            } else {
                "a record has at most as many bytes as the source takes in"
            };
            let reject = Reject::new(Code::RecordTooLarge, rule);
            return Err(self.blame(reject, <[u8]>::len));
        }
        if depth(&self.0) > MAX_RECORD_DEPTH {
            let rule = "a record is nested at most 64 levels";
            return Err(self.blame(Reject::new(Code::RecordTooDeep, rule), depth));
        }
        serde_json::from_slice(&self.0).map_err(|_| {
            Reject::new(
                Code::RecordMalformed,
                "a record is JSON of the documented shape",
            )
        })
    }

    /// Names the record and the field that weighs most, or is nested deepest: of members that are objects
    /// themselves, as HubSpot's properties are, the one inside.
    fn blame(&self, mut reject: Reject, weigh: fn(&[u8]) -> usize) -> Reject {
        let Some(outer) = members(&self.0) else {
            return reject;
        };
        let id = outer
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("id"));
        reject.record_id = id
            .map(|(_, id)| id.get().trim_matches('"').to_owned())
            .filter(|id| id.len() <= 128);
        let heaviest = |members: &HashMap<String, &RawValue>| {
            let weighed = members
                .iter()
                .max_by_key(|(_, value)| weigh(value.get().as_bytes()));
            weighed.map(|(name, value)| (name.clone(), value.get().to_owned()))
        };
        if let Some((name, value)) = heaviest(&outer) {
            let inside = members(value.as_bytes()).and_then(|inner| heaviest(&inner));
            reject.field = Some(inside.map_or(name, |(name, _)| name));
        }
        reject
    }
}

/// The members of a JSON object, their values unread.
fn members(bytes: &[u8]) -> Option<HashMap<String, &RawValue>> {
    serde_json::from_slice(bytes).ok()
}

/// Returns how deep the JSON in `bytes` is nested, without recursion.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A value in a column's own type; text is borrowed from the record where it can be.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// Text, or JSON in a JSON column.
    Text(Cow<'a, str>),
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// An exact decimal, as an integer at the column's scale.
    Decimal(i128),
    /// A float, only where the source itself declares one.
    Double(f64),
    /// An instant.
    Timestamp(Timestamp),
    /// A day, as days since 1970-01-01.
    Date(i32),
}

/// Why a record is no longer to be seen at the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletionReason {
    /// It was deleted.
    Deleted,
    /// It was archived and may come back.
    Archived,
    /// It was merged into another record.
    MergedInto,
    /// The source no longer has it and never said why.
    Absent,
    /// It was erased for privacy.
    Erased,
}

impl DeletionReason {
    /// Returns the reason as it stands in `_deleted_reason`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Archived => "archived",
            Self::MergedInto => "merged_into",
            Self::Absent => "absent",
            Self::Erased => "erased",
        }
    }
}

/// The mark of a record that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// When it went, by the source's clock.
    pub at: Timestamp,
    /// Why it went.
    pub reason: DeletionReason,
    /// The id of the record that it was merged into.
    pub merged_into: Option<String>,
}

/// What a good record says: the new state of one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Change<'a> {
    /// The record's key, as text from the raw token.
    pub key: Cow<'a, str>,
    /// The source's change time; the newer version wins.
    pub version: Timestamp,
    /// One value for each column of the stream's table after the key, in the table's order.
    pub values: Vec<Value<'a>>,
    /// What fits no column: name and raw JSON.
    pub extra: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Set where the record is gone.
    pub deletion: Option<Deletion>,
    /// Keys of records that were merged into this one.
    pub replaces: Vec<String>,
}

/// Why a record goes to the dead letters. A value, not an error: the run goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// A code of class record.
    pub code: Code,
    /// The rule that was broken; a fixed sentence without values.
    pub rule: &'static str,
    /// The field that broke it, under the vendor's name.
    pub field: Option<String>,
    /// The record's key, where it could be read.
    pub record_id: Option<String>,
}

impl Reject {
    /// Returns a reject of a whole record.
    #[must_use]
    pub fn new(code: Code, rule: &'static str) -> Self {
        Self {
            code,
            rule,
            field: None,
            record_id: None,
        }
    }

    /// Names the field that broke the rule.
    #[must_use]
    pub fn in_field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// Names the record.
    #[must_use]
    pub fn of_record(mut self, id: &str) -> Self {
        self.record_id = Some(id.to_owned());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_cut_out_of_the_body_without_a_copy() {
        let body = Bytes::from_static(br#"{"results":[{"id":"1"}, {"id":2,"bad":1e400}]}"#);
        #[derive(serde::Deserialize)]
        struct Page<'a> {
            #[serde(borrow)]
            results: Vec<&'a RawValue>,
        }
        let page: Page<'_> = serde_json::from_slice(&body).unwrap();
        let records = RawRecord::slices(&body, &page.results).unwrap();
        assert_eq!(records[1].bytes(), br#"{"id":2,"bad":1e400}"#);
    }

    #[test]
    fn a_hostile_record_is_rejected_with_its_own_code() {
        let deep = format!("{}1{}", "[".repeat(65), "]".repeat(65));
        let large = format!("\"{}\"", "x".repeat(MAX_RECORD_BYTES));
        let cases = [
            (deep.as_str(), Code::RecordTooDeep),
            (large.as_str(), Code::RecordTooLarge),
            ("{\"a\":", Code::RecordMalformed),
            ("", Code::RecordMalformed),
        ];
        for (text, code) in cases {
            let raw = RawRecord::new(text.as_bytes().to_vec());
            assert_eq!(raw.parse::<serde_json::Value>().unwrap_err().code, code);
        }
    }

    #[test]
    fn the_field_that_makes_a_record_too_large_or_too_deep_is_named() {
        let large = format!("\"{}\"", "x".repeat(MAX_RECORD_BYTES));
        let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
        for (heavy, code) in [(large, Code::RecordTooLarge), (deep, Code::RecordTooDeep)] {
            let flat = format!(r#"{{"Id":"7","Notes":{heavy}}}"#);
            let nested = format!(r#"{{"id":"7","properties":{{"a":"b","Notes":{heavy}}}}}"#);
            for text in [flat, nested] {
                let reject = RawRecord::new(text.into_bytes())
                    .parse::<serde_json::Value>()
                    .unwrap_err();
                assert_eq!(reject.code, code);
                assert_eq!(reject.field.as_deref(), Some("Notes"));
                assert_eq!(reject.record_id.as_deref(), Some("7"));
            }
        }
    }

    #[test]
    fn brackets_inside_of_text_do_not_count_as_nesting() {
        assert_eq!(depth(br#"{"a":"[[[\"[["}"#), 1);
    }
}
