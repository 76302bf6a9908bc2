//! The values of single headers: subject, ids, dates, types with their parameters.

use std::borrow::Cow;

use chrono::{NaiveDate, TimeDelta};
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use salesync_core::time::Timestamp;

use super::part::Headers;
use super::text::{beginning, one_line};
use super::words;
use super::{Repair, Repairs};

/// The most bytes that are read of a date: its comments may be long, but not that long.
const LONGEST_DATE: usize = 512;
/// The most bytes that are read of a type and its parameters.
const LONGEST_TYPE: usize = 2_048;

/// Reads free text as one line.
pub(super) fn line(value: &str) -> String {
    one_line(&words::decode(value))
}

/// Returns a value as the parser wants it: unfolded, ended by a line feed.
pub(super) fn unfolded(value: &str) -> String {
    let mut line = value.trim().replace(['\r', '\n'], " ");
    line.push('\n');
    line
}

/// Reads Message-IDs, in their order, without angle brackets and white space.
pub(super) fn ids(value: &str) -> Vec<String> {
    let line = unfolded(value);
    let found = match MessageStream::new(line.as_bytes()).parse_id() {
        HeaderValue::Text(id) => vec![id],
        HeaderValue::TextList(ids) => ids,
        _ => Vec::new(),
    };
    if value.contains('<') {
        let bare = |id: Cow<'_, str>| {
            one_line(&id).replace(|c: char| c.is_whitespace() || matches!(c, '<' | '>'), "")
        };
        return found
            .into_iter()
            .map(bare)
            .filter(|id| !id.is_empty())
            .collect();
    }
    // Without brackets each word may be one; words of a sentence are none.
    let words = found.iter().flat_map(|text| text.split_whitespace());
    words
        .filter(|word| word.contains('@'))
        .map(one_line)
        .collect()
}

/// Reads the message's own id.
pub(super) fn message_id(value: &str, repairs: &mut Repairs) -> Option<String> {
    if let Some(id) = ids(value).into_iter().next() {
        if !value.contains('<') {
            repairs.note(Repair::MessageId);
        }
        return Some(id);
    }
    let whole = one_line(value);
    if !whole.is_empty() {
        repairs.note(Repair::MessageId);
    }
    Some(whole).filter(|id| !id.is_empty() && !id.contains(['<', '>', ' ']))
}

/// Reads a date, if there is such a day and time.
pub(super) fn date(value: &str, repairs: &mut Repairs) -> Option<Timestamp> {
    let line = unfolded(&plain_date(beginning(value, LONGEST_DATE)));
    let found = match MessageStream::new(line.as_bytes()).parse_date() {
        HeaderValue::DateTime(found) => instant(&found),
        _ => None,
    };
    if found.is_none() {
        repairs.note(Repair::Date);
    }
    found
}

/// Takes comments out of a date, and the white space beside its colons, which older programs put there.
fn plain_date(value: &str) -> String {
    let mut depth = 0_usize;
    let mut plain = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if character.is_whitespace() && plain.ends_with(':') => {}
            ':' => {
                plain.truncate(plain.trim_end().len());
                plain.push(':');
            }
            _ => plain.push(character),
        }
    }
    plain
}

/// Returns the instant of a date whose numbers are a day's and a clock's.
fn instant(found: &mail_parser::DateTime) -> Option<Timestamp> {
    let day = NaiveDate::from_ymd_opt(
        i32::from(found.year),
        u32::from(found.month),
        u32::from(found.day),
    )?;
    // A leap second counts as the one before it.
    let second = if found.second == 60 { 59 } else { found.second };
    let local = day.and_hms_opt(
        u32::from(found.hour),
        u32::from(found.minute),
        u32::from(second),
    )?;
    let minutes = i64::from(found.tz_hour) * 60 + i64::from(found.tz_minute);
    let east = TimeDelta::minutes(if found.tz_before_gmt {
        -minutes
    } else {
        minutes
    });
    Some(local.checked_sub_signed(east)?.and_utc().into())
}

/// A type with its parameters, as `Content-Type` and `Content-Disposition` have it.
#[derive(Debug, Default)]
pub(super) struct Typed {
    /// The type in lower case.
    kind: String,
    /// What follows its slash, in lower case.
    subtype: Option<String>,
    parameters: Vec<(String, String)>,
}

impl Typed {
    /// Reads the first header of that name.
    pub(super) fn of(headers: &Headers<'_>, name: &str, repairs: &mut Repairs) -> Self {
        let Some(value) = headers.first(name) else {
            return Self::default();
        };
        if value.len() > LONGEST_TYPE {
            repairs.note(Repair::HeaderCut);
        }
        let line = unfolded(&words::rejoin(beginning(value, LONGEST_TYPE)));
        let HeaderValue::ContentType(found) =
            MessageStream::new(line.as_bytes()).parse_content_type()
        else {
            return Self::default();
        };
        let attributes = found.attributes.into_iter().flatten();
        Self {
            kind: found.c_type.to_ascii_lowercase(),
            subtype: found.c_subtype.map(|subtype| subtype.to_ascii_lowercase()),
            parameters: attributes
                .map(|attribute| (attribute.name.into_owned(), attribute.value.into_owned()))
                .collect(),
        }
    }

    /// Returns the word without parameters, such as `attachment`.
    pub(super) fn kind(&self) -> Option<&str> {
        Some(self.kind.as_str()).filter(|kind| !kind.is_empty())
    }

    /// Returns the type, such as `text/html`; nothing where it is none.
    pub(super) fn mime_type(&self) -> Option<String> {
        let subtype = self
            .subtype
            .as_deref()
            .filter(|subtype| !subtype.is_empty())?;
        let kind = self.kind()?;
        Some(format!("{kind}/{subtype}"))
    }

    /// Returns a parameter's value.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self
            .parameters
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Returns the name that a part's headers give it.
pub(super) fn filename(disposition: &Typed, content_type: &Typed) -> Option<String> {
    let name = disposition
        .parameter("filename")
        .or_else(|| content_type.parameter("name"))?;
    Some(line(name)).filter(|name| !name.is_empty())
}
