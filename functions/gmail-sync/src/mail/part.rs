//! A message's parts in one shape, whichever way they came.

use std::borrow::Cow;

use super::Repairs;
use super::field::{self, Typed};
use super::transfer::Content;

/// One part, and what is inside of it.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// Its place: empty for the message itself, then `0`, `1`, `1.0`.
    pub(super) id: String,
    /// Its type in lower case.
    pub(super) mime_type: String,
    /// Its headers, in their order.
    pub(super) headers: Headers<'a>,
    /// The charset that it says it is in.
    pub(super) charset: Option<String>,
    /// Its name.
    pub(super) filename: Option<String>,
    /// Whether it is to be shown or saved, in lower case.
    pub(super) disposition: Option<String>,
    /// What it holds itself.
    pub(super) content: Content<'a>,
    /// The parts inside of it.
    pub(super) parts: Vec<Self>,
}

impl<'a> Part<'a> {
    /// Makes a part of its headers; what it holds is still to come.
    pub(super) fn with_headers(id: String, headers: Headers<'a>, repairs: &mut Repairs) -> Self {
        let content_type = Typed::of(&headers, "Content-Type", repairs);
        let disposition = Typed::of(&headers, "Content-Disposition", repairs);
        Self {
            id,
            mime_type: content_type
                .mime_type()
                .unwrap_or_else(|| "text/plain".to_owned()),
            charset: content_type.parameter("charset").map(str::to_owned),
            filename: field::filename(&disposition, &content_type),
            disposition: disposition.kind().map(str::to_owned),
            headers,
            content: Content::Absent,
            parts: Vec::new(),
        }
    }

    /// Returns the id of the part inside of it at that place.
    pub(super) fn id_of_part(&self, at: usize) -> String {
        if self.id.is_empty() {
            at.to_string()
        } else {
            format!("{}.{at}", self.id)
        }
    }

    /// Says whether it is a message of its own, or a report about one: what is inside of it was not written
    /// to the reader of this message.
    pub(super) fn is_message(&self) -> bool {
        self.mime_type.starts_with("message/")
    }

    /// Says whether its sender wants it to be saved and not shown.
    pub(super) fn is_declared_attachment(&self) -> bool {
        self.disposition.as_deref() == Some("attachment")
    }

    /// Calls `each` with the part and those inside of it, depth first; the parts of messages inside are left
    /// out.
    pub(super) fn walk<'p>(&'p self, each: &mut dyn FnMut(&'p Self)) {
        each(self);
        if !self.is_message() {
            for part in &self.parts {
                part.walk(each);
            }
        }
    }
}

/// Headers as they came: names in any case, values still encoded, folded or not.
#[derive(Debug, Default)]
pub(super) struct Headers<'a>(pub(super) Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl Headers<'_> {
    /// Returns the value of the first header of that name.
    pub(super) fn first<'h>(&'h self, name: &'h str) -> Option<&'h str> {
        self.all(name).next()
    }

    /// Returns the values of all headers of that name, in their order.
    pub(super) fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h str> {
        let named = move |found: &str| found.trim().eq_ignore_ascii_case(name);
        let found = self.0.iter().filter(move |(found, _)| named(found));
        found.map(|(_, value)| value.as_ref())
    }
}
