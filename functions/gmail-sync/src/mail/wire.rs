//! A message as it was sent (`format=raw`), cut into its parts.
//!
//! It is cut here and not by a parser of whole messages, because those follow messages inside of messages as
//! deep as they go and look for each boundary to the end of the text: a hostile message could exhaust the stack
//! or the time. Here the text is read once for its lines that may be boundaries; depth and number are bounded.

use std::borrow::Cow;
use std::ops::Range;

use salesync_core::error::Code;
use salesync_core::record::Reject;

use super::field::Typed;
use super::part::{Headers, Part};
use super::transfer::{self, Alphabet, Content, Transfer};
use super::{MAX_DEPTH, Mail, Repair, Repairs, charset, read};

/// The most parts that are read of one message.
const MAX_PARTS: usize = 10_000;

/// Decodes a message from the service's base64 of its text.
///
/// # Errors
/// A reject where nothing can be read at all.
pub(crate) fn from_raw(raw: &str) -> Result<Mail, Reject> {
    let (message, broken) = transfer::base64(raw.as_bytes(), Alphabet::Web);
    if message.is_empty() && broken {
        let rule = "a raw message is base64 of a text";
        return Err(Reject::new(Code::RecordMalformed, rule).in_field("raw"));
    }
    let mut cutter = Cutter::new(&message);
    if broken {
        cutter.repairs.note(Repair::Encoding);
    }
    let root = cutter.part(0..message.len(), String::new(), 0);
    Ok(read(&root, cutter.repairs))
}

/// A line that begins with two hyphens.
#[derive(Debug)]
struct Mark {
    /// Without white space at its end.
    line: Range<usize>,
    /// Where the next line begins.
    next: usize,
}

/// Cuts a message.
#[derive(Debug)]
struct Cutter<'a> {
    text: &'a [u8],
    marks: Vec<Mark>,
    parts: usize,
    repairs: Repairs,
}

impl<'a> Cutter<'a> {
    fn new(text: &'a [u8]) -> Self {
        let mut marks = Vec::new();
        let mut at = 0;
        while let Some((line, next)) = line(text, at..text.len()) {
            if let Some(content) = text
                .get(line.clone())
                .filter(|line| line.starts_with(b"--"))
            {
                marks.push(Mark {
                    line: line.start..line.start + content.trim_ascii_end().len(),
                    next,
                });
            }
            at = next;
        }
        Self {
            text,
            marks,
            parts: 0,
            repairs: Repairs::default(),
        }
    }

    /// Reads the part in that range.
    fn part(&mut self, range: Range<usize>, id: String, depth: usize) -> Part<'a> {
        self.parts += 1;
        let (headers, body) = self.headers(range);
        let transfer = headers
            .first("Content-Transfer-Encoding")
            .map_or(Transfer::Identity, |name| Transfer::named(name.trim()));
        let boundary = Typed::of(&headers, "Content-Type", &mut self.repairs)
            .parameter("boundary")
            .map(|boundary| format!("--{}", boundary.trim_end()));
        let mut part = Part::with_headers(id, headers, &mut self.repairs);
        if part.mime_type.starts_with("multipart/")
            && let Some(boundary) = boundary
        {
            part.parts = self.inside(&part, &boundary, body.clone(), depth);
        }
        if part.parts.is_empty() {
            let bytes = self.text.get(body).unwrap_or_default();
            part.content = Content::Wire(bytes, transfer);
        }
        part
    }

    /// Reads the parts between the boundaries of a part.
    fn inside(
        &mut self,
        outer: &Part<'a>,
        boundary: &str,
        body: Range<usize>,
        depth: usize,
    ) -> Vec<Part<'a>> {
        let ranges = self.between(boundary.as_bytes(), &body);
        if depth >= MAX_DEPTH && !ranges.is_empty() {
            self.repairs.note(Repair::PartsLeftOut);
            return Vec::new();
        }
        let is_digest = outer.mime_type == "multipart/digest";
        let mut parts = Vec::new();
        for (at, range) in ranges.into_iter().enumerate() {
            if self.parts >= MAX_PARTS {
                self.repairs.note(Repair::PartsLeftOut);
                break;
            }
            let id = outer.id_of_part(at);
            let mut part = self.part(range, id, depth + 1);
            if is_digest && part.headers.first("Content-Type").is_none() {
                "message/rfc822".clone_into(&mut part.mime_type);
            }
            parts.push(part);
        }
        parts
    }

    /// Finds what stands between the lines that are the boundary, up to the one that closes.
    fn between(&self, boundary: &[u8], body: &Range<usize>) -> Vec<Range<usize>> {
        let first = self
            .marks
            .partition_point(|mark| mark.line.start < body.start);
        let marks = self.marks.iter().skip(first);
        let mut found = Vec::new();
        let mut begin = None;
        for mark in marks.take_while(|mark| mark.line.start < body.end) {
            let line = self.text.get(mark.line.clone()).unwrap_or_default();
            let Some(rest) = line.strip_prefix(boundary) else {
                continue;
            };
            if !rest.is_empty() && rest != b"--" {
                continue;
            }
            if let Some(begin) = begin
                && begin < mark.line.start
            {
                found.push(begin..self.before_line_end(mark.line.start).max(begin));
            }
            if !rest.is_empty() {
                return found;
            }
            begin = Some(mark.next);
        }
        if let Some(begin) = begin
            && begin < body.end
        {
            found.push(begin..body.end);
        }
        found
    }

    /// Returns where the line before `at` ends: its end belongs to the boundary.
    fn before_line_end(&self, at: usize) -> usize {
        match self.text.get(..at) {
            Some([.., b'\r', b'\n']) => at.saturating_sub(2),
            Some([.., b'\r' | b'\n']) => at.saturating_sub(1),
            _ => at,
        }
    }

    /// Reads headers up to the first blank line, or up to a line that is none: there the body begins.
    fn headers(&mut self, range: Range<usize>) -> (Headers<'a>, Range<usize>) {
        let text = self.text;
        let mut values: Vec<(&'a [u8], Range<usize>)> = Vec::new();
        let mut at = range.start;
        while let Some((found, next)) = line(text, at..range.end) {
            let content = text.get(found.clone()).unwrap_or_default();
            if content.is_empty() {
                at = next;
                break;
            }
            let is_first = at == range.start;
            if let [b' ' | b'\t', ..] = content {
                match values.last_mut() {
                    Some((_, value)) => value.end = found.end,
                    None => self.repairs.note(Repair::HeaderLine),
                }
            } else if let Some((name, value)) = name_and_value(content) {
                values.push((name, found.end - value.len()..found.end));
            } else if content.starts_with(b"From ") {
                // A mailbox's own mark, and no header.
                if !is_first {
                    self.repairs.note(Repair::HeaderLine);
                }
            } else {
                self.repairs.note(Repair::HeaderLine);
                break;
            }
            at = next;
        }
        let headers = values.into_iter().map(|(name, value)| {
            let value = text.get(value).unwrap_or_default();
            (readable(name), readable(value))
        });
        (Headers(headers.collect()), at..range.end)
    }
}

/// Returns the first line of a stretch, without its end, and where the next one begins. A carriage return by
/// itself ends a line too.
fn line(text: &[u8], range: Range<usize>) -> Option<(Range<usize>, usize)> {
    let rest = text.get(range.clone()).filter(|rest| !rest.is_empty())?;
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let length = rest.iter().position(is_end).unwrap_or(rest.len());
    let end = match rest.get(length..) {
        Some([b'\r', b'\n', ..]) => 2,
        Some([_, ..]) => 1,
        _ => 0,
    };
    let line_end = range.start + length;
    Some((range.start..line_end, line_end + end))
}

/// Cuts a header at its colon. Older programs put white space in front of it.
fn name_and_value(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    let name = name.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    is_name.then(|| (name, value.get(1..).unwrap_or_default()))
}

/// Reads bytes of a header that names no charset.
fn readable(bytes: &[u8]) -> Cow<'_, str> {
    charset::decode(bytes, None).text
}
