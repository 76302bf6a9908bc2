//! A message as the service takes it apart (`format=full` and `format=metadata`): a tree of parts with their
//! headers and, in base64, what they hold.

use std::borrow::Cow;

use salesync_core::error::Code;
use salesync_core::record::Reject;
use salesync_core::validate::repaired;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::part::{Headers, Part};
use super::text;
use super::transfer::Content;
use super::{MAX_DEPTH, Mail, Repairs, read};

/// Decodes a message from the service's tree of its parts.
///
/// # Errors
/// A reject that names the field which has not the documented shape.
pub(crate) fn from_payload(payload: &RawValue) -> Result<Mail, Reject> {
    let root: Node<'_> =
        serde_json::from_str(payload.get()).map_err(|_| fault(payload, "payload", 0))?;
    if root.headers.is_none() {
        let rule = "a message has a list of headers";
        return Err(Reject::new(Code::RecordMalformed, rule).in_field("payload.headers"));
    }
    let mut repairs = Repairs::default();
    let root = root.part(String::new(), &mut repairs);
    Ok(read(&root, repairs))
}

/// A part as the service writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node<'a> {
    #[serde(borrow)]
    part_id: Option<Text<'a>>,
    #[serde(borrow)]
    mime_type: Option<Text<'a>>,
    #[serde(borrow)]
    filename: Option<Text<'a>>,
    #[serde(borrow)]
    headers: Option<Vec<Field<'a>>>,
    #[serde(borrow)]
    body: Option<Held<'a>>,
    parts: Option<Vec<Self>>,
}

/// A header.
#[derive(Debug, Deserialize)]
struct Field<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    value: Option<Text<'a>>,
}

/// What a part holds. What is large or has a name has to be asked for by itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Held<'a> {
    size: Option<u64>,
    #[serde(borrow)]
    data: Option<Text<'a>>,
    #[serde(borrow)]
    attachment_id: Option<Text<'a>>,
}

impl<'a> Node<'a> {
    /// Makes a part of it; `place` is its id where it names none itself.
    fn part(self, place: String, repairs: &mut Repairs) -> Part<'a> {
        let headers = self.headers.into_iter().flatten();
        let headers = headers.map(|header| (header.name.0, header.value.unwrap_or_default().0));
        let id = self.part_id.map_or(place, |id| repaired(id.0).into_owned());
        let mut part = Part::with_headers(id, Headers(headers.collect()), repairs);
        if let Some(mime_type) = self.mime_type.filter(|mime_type| mime_type.0.contains('/')) {
            part.mime_type = text::one_line(&mime_type.0.to_ascii_lowercase());
        }
        if let Some(filename) = self.filename {
            let filename = text::one_line(&filename.0);
            part.filename = Some(filename)
                .filter(|name| !name.is_empty())
                .or(part.filename);
        }
        part.content = self.body.map_or(Content::Absent, Held::content);
        let inside = self.parts.into_iter().flatten().enumerate();
        part.parts = inside
            .map(|(at, node)| {
                let place = part.id_of_part(at);
                node.part(place, repairs)
            })
            .collect();
        part
    }
}

impl<'a> Held<'a> {
    fn content(self) -> Content<'a> {
        match (self.data, self.attachment_id) {
            (Some(data), _) => Content::Web(data.0, self.size),
            (None, Some(_)) => Content::Elsewhere(self.size.unwrap_or_default()),
            (None, None) => Content::Absent,
        }
    }
}

/// Text that may hold lone surrogates, which JSON allows and text does not: they become U+FFFD.
#[derive(Debug, Default)]
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Text(text::lossy(bytes)))
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text::lossy(bytes).into_owned())))
            }
        }
        deserializer.deserialize_bytes(Reader)
    }
}

/// The same part with its members unread, to find the one that has another shape.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unread<'a> {
    #[serde(borrow)]
    part_id: Option<&'a RawValue>,
    #[serde(borrow)]
    mime_type: Option<&'a RawValue>,
    #[serde(borrow)]
    filename: Option<&'a RawValue>,
    #[serde(borrow)]
    headers: Option<&'a RawValue>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(borrow)]
    parts: Option<&'a RawValue>,
}

/// Says which member of a part has not the documented shape.
fn fault(part: &RawValue, name: &str, depth: usize) -> Reject {
    let of_type = |field: &str| {
        Reject::new(
            Code::RecordType,
            "a part's members are of the documented types",
        )
        .in_field(field)
    };
    let too_deep = || {
        let rule = "parts are nested less than 64 levels";
        Reject::new(Code::RecordTooDeep, rule).in_field(name)
    };
    if depth >= MAX_DEPTH {
        return too_deep();
    }
    let Ok(unread) = serde_json::from_str::<Unread<'_>>(part.get()) else {
        return of_type(name);
    };
    let texts = [
        ("partId", unread.part_id),
        ("mimeType", unread.mime_type),
        ("filename", unread.filename),
    ];
    for (member, value) in texts {
        if value.is_some_and(|value| !is::<Option<Text<'_>>>(value)) {
            return of_type(&format!("{name}.{member}"));
        }
    }
    if unread
        .headers
        .is_some_and(|value| !is::<Option<Vec<Field<'_>>>>(value))
    {
        return of_type(&format!("{name}.headers"));
    }
    if unread
        .body
        .is_some_and(|value| !is::<Option<Held<'_>>>(value))
    {
        return of_type(&format!("{name}.body"));
    }
    let parts = unread.parts.map(RawValue::get).unwrap_or("[]");
    let Ok(parts) = serde_json::from_str::<Vec<&RawValue>>(parts) else {
        return of_type(&format!("{name}.parts"));
    };
    match parts.into_iter().find(|part| !is::<Node<'_>>(part)) {
        Some(part) => fault(part, &format!("{name}.parts"), depth + 1),
        // Each member is right by itself: the parser stopped at its own limit, which is two levels of JSON for
        // each part.
        None => too_deep(),
    }
}

/// Says whether a value is of that shape.
fn is<'a, T: Deserialize<'a>>(value: &'a RawValue) -> bool {
    serde_json::from_str::<T>(value.get()).is_ok()
}
