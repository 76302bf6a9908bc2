//! The text of a message: the first `text/plain` part without a name, depth first; else the first such
//! `text/html`, its marks taken off. Whole messages inside, reports and calendars are not the text, and a blank
//! part is none.

use salesync_core::validate::repaired;

use super::html;
use super::part::Part;
use super::text::{beginning, with_line_feeds};
use super::{Body, BodyKind, Repair, Repairs, charset};

/// The most bytes of text that are kept.
pub(super) const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// Returns the text of a message.
pub(super) fn of(root: &Part<'_>, repairs: &mut Repairs) -> Option<Body> {
    first(root, BodyKind::Plain, repairs).or_else(|| first(root, BodyKind::Html, repairs))
}

/// Returns the text of the first part of that kind that holds one.
fn first(root: &Part<'_>, kind: BodyKind, repairs: &mut Repairs) -> Option<Body> {
    let mime_type = match kind {
        BodyKind::Plain => "text/plain",
        BodyKind::Html => "text/html",
    };
    let mut found = None;
    root.walk(&mut |part| {
        let fits = part.mime_type == mime_type
            && part.filename.is_none()
            && !part.is_declared_attachment();
        if fits && found.is_none() {
            found = body(part, kind, repairs);
        }
    });
    found
}

/// Reads a part as the message's text; nothing where it holds none.
fn body(part: &Part<'_>, kind: BodyKind, repairs: &mut Repairs) -> Option<Body> {
    if part.content.is_elsewhere() {
        repairs.note(Repair::BodyElsewhere);
    }
    let bytes = part.content.bytes(repairs)?;
    let decoded = charset::decode(&bytes, part.charset.as_deref());
    if decoded.replaced {
        repairs.note(Repair::Charset);
    }
    let (whole, goes_on) = match kind {
        BodyKind::Plain => (decoded.text, false),
        BodyKind::Html => {
            let (text, goes_on) = html::to_text(&decoded.text, MAX_TEXT_BYTES);
            (text.into(), goes_on)
        }
    };
    let whole = repaired(with_line_feeds(whole));
    let text = beginning(&whole, MAX_TEXT_BYTES);
    let truncated = goes_on || text.len() < whole.len();
    if truncated {
        repairs.note(Repair::BodyCut);
    }
    (!text.trim().is_empty()).then(|| Body {
        text: text.to_owned(),
        kind,
        charset: decoded.charset,
        truncated,
        size_bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
    })
}
