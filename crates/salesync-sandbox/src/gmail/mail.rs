//! One mail as a tree of parts, and the two ways in which it is handed out: the API's part tree and
//! the raw message.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};

use super::wire;

/// Texts longer than this are handed out by an attachment id, in bytes.
const TEXT_INLINE_MAX: usize = 256 * 1_024;

/// One header: its name as the sender spelled it, and its value, folded or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// The name.
    pub(crate) name: String,
    /// The value.
    pub(crate) value: String,
}

impl Header {
    /// Makes a header.
    pub(crate) fn new(name: &str, value: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            value: value.into(),
        }
    }

    fn json(&self) -> Value {
        json!({"name": self.name, "value": self.value})
    }
}

/// What a part holds.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// Bytes, as they were sent in the declared charset, and what the API hands out instead.
    Leaf {
        /// The bytes as sent, decoded from the transfer encoding.
        sent: Vec<u8>,
        /// What the API hands out, where that is something else: the text in UTF-8.
        served: Option<Vec<u8>>,
    },
    /// Other parts, and the line between them.
    Parts(String, Vec<Part>),
    /// A whole message.
    Message(Box<Mail>),
}

/// One part of a mail.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Such as `text/plain`.
    pub(crate) mime: String,
    /// The file's name; empty if it is none.
    pub(crate) filename: String,
    /// `Content-Type` and the like.
    pub(crate) headers: Vec<Header>,
    /// What it holds.
    pub(crate) content: Content,
}

/// One mail.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    /// The headers but those of the body's part.
    pub(crate) headers: Vec<Header>,
    /// The body.
    pub(crate) body: Part,
}

impl Part {
    /// A text in UTF-8.
    pub(crate) fn text(mime: &str, text: &str) -> Self {
        Self::text_as(mime, "UTF-8", text.as_bytes().to_vec(), None)
    }

    /// A text in a charset, and what the API hands out instead of those bytes.
    pub(crate) fn text_as(
        mime: &str,
        charset: &str,
        sent: Vec<u8>,
        served: Option<Vec<u8>>,
    ) -> Self {
        let mut headers = vec![Header::new(
            "Content-Type",
            format!("{mime}; charset=\"{charset}\""),
        )];
        let coding = transfer(&sent);
        if coding != "7bit" {
            headers.push(Header::new("Content-Transfer-Encoding", coding));
        }
        Self {
            mime: mime.to_owned(),
            filename: String::new(),
            headers,
            content: Content::Leaf { sent, served },
        }
    }

    /// A file; `written_name` is its name as a header's value.
    pub(crate) fn file(mime: &str, filename: &str, written_name: &str, bytes: Vec<u8>) -> Self {
        Self {
            mime: mime.to_owned(),
            filename: filename.to_owned(),
            headers: vec![
                Header::new("Content-Type", format!("{mime}; name=\"{written_name}\"")),
                Header::new(
                    "Content-Disposition",
                    format!("attachment; filename=\"{written_name}\""),
                ),
                Header::new("Content-Transfer-Encoding", "base64"),
            ],
            content: Content::Leaf {
                sent: bytes,
                served: None,
            },
        }
    }

    /// Several parts, such as `multipart/mixed`.
    pub(crate) fn several(mime: &str, boundary: String, parts: Vec<Part>) -> Self {
        Self {
            mime: mime.to_owned(),
            filename: String::new(),
            headers: vec![Header::new(
                "Content-Type",
                format!("{mime}; boundary=\"{boundary}\""),
            )],
            content: Content::Parts(boundary, parts),
        }
    }

    /// Another message inside this one.
    pub(crate) fn message(filename: &str, mail: Mail) -> Self {
        Self {
            mime: "message/rfc822".to_owned(),
            filename: filename.to_owned(),
            headers: vec![
                Header::new("Content-Type", "message/rfc822"),
                Header::new(
                    "Content-Disposition",
                    format!("attachment; filename=\"{filename}\""),
                ),
            ],
            content: Content::Message(Box::new(mail)),
        }
    }

    /// The bytes that the API hands out; none for parts that hold parts.
    pub(crate) fn handed_out(&self) -> Vec<u8> {
        match &self.content {
            Content::Leaf { sent, served } => served.as_ref().unwrap_or(sent).clone(),
            Content::Parts(..) => Vec::new(),
            Content::Message(mail) => mail.raw(),
        }
    }

    /// The children as the API shows them.
    fn children(&self) -> &[Part] {
        match &self.content {
            Content::Leaf { .. } => &[],
            Content::Parts(_, parts) => parts,
            Content::Message(mail) => std::slice::from_ref(&mail.body),
        }
    }

    /// Whether its bytes are handed out by an attachment id.
    fn is_detached(&self) -> bool {
        match &self.content {
            Content::Leaf { sent, .. } => {
                !self.filename.is_empty()
                    || !self.mime.starts_with("text/")
                    || sent.len() > TEXT_INLINE_MAX
            }
            Content::Parts(..) => false,
            Content::Message(_) => true,
        }
    }

    /// All parts below and with this one, the outer before the inner.
    pub(crate) fn all(&self) -> Vec<&Part> {
        let mut found = vec![self];
        for part in self.children() {
            found.extend(part.all());
        }
        found
    }

    /// The first text of a type that is no file, outer parts before inner ones of the same place.
    pub(crate) fn first_text(&self, mime: &str) -> Option<String> {
        if self.mime == mime && self.filename.is_empty() {
            return Some(String::from_utf8_lossy(&self.handed_out()).into_owned());
        }
        match &self.content {
            Content::Parts(_, parts) => parts.iter().find_map(|part| part.first_text(mime)),
            _ => None,
        }
    }

    fn json(&self, place: &str, leading: &[Header], counter: &mut Counter) -> Value {
        let number = counter.next;
        counter.next = number.wrapping_add(1);
        let headers: Vec<Value> = leading
            .iter()
            .chain(&self.headers)
            .map(Header::json)
            .collect();
        let mut body = json!({"size": self.handed_out().len()});
        if let (Content::Leaf { .. } | Content::Message(_), Some(map)) =
            (&self.content, body.as_object_mut())
        {
            let (key, value) = if self.is_detached() {
                ("attachmentId", attachment_id(counter.nonce, number))
            } else {
                ("data", URL_SAFE.encode(self.handed_out()))
            };
            map.insert(key.to_owned(), Value::from(value));
        }
        let mut value = json!({
            "partId": place,
            "mimeType": self.mime,
            "filename": self.filename,
            "headers": headers,
            "body": body,
        });
        let inner: &[Header] = match &self.content {
            Content::Message(mail) => &mail.headers,
            _ => &[],
        };
        let children: Vec<Value> = self
            .children()
            .iter()
            .enumerate()
            .map(|(at, part)| {
                let place = if place.is_empty() {
                    at.to_string()
                } else {
                    format!("{place}.{at}")
                };
                part.json(&place, inner, counter)
            })
            .collect();
        if let (false, Some(map)) = (children.is_empty(), value.as_object_mut()) {
            map.insert("parts".to_owned(), Value::from(children));
        }
        value
    }

    fn write(&self, out: &mut Vec<u8>) {
        for header in &self.headers {
            push_header(out, header);
        }
        out.extend_from_slice(b"\r\n");
        match &self.content {
            Content::Leaf { sent, .. } => match self.transfer() {
                "base64" => out.extend_from_slice(wire::base64_lines(sent).as_bytes()),
                "quoted-printable" => {
                    out.extend_from_slice(wire::quoted_printable(sent).as_bytes());
                }
                _ => out.extend_from_slice(sent),
            },
            Content::Parts(boundary, parts) => {
                for part in parts {
                    out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
                    part.write(out);
                    out.extend_from_slice(b"\r\n");
                }
                out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
            }
            Content::Message(mail) => out.extend_from_slice(&mail.raw()),
        }
    }

    fn transfer(&self) -> &str {
        self.headers
            .iter()
            .find(|header| {
                header
                    .name
                    .eq_ignore_ascii_case("Content-Transfer-Encoding")
            })
            .map_or("7bit", |header| header.value.as_str())
    }
}

impl Mail {
    /// The message as it was sent.
    pub(crate) fn raw(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(2_048);
        for header in &self.headers {
            push_header(&mut out, header);
        }
        self.body.write(&mut out);
        out
    }

    /// The API's part tree with all headers. Attachment ids follow from `nonce`.
    pub(crate) fn full(&self, nonce: u64) -> Value {
        let mut counter = Counter { nonce, next: 0 };
        self.body.json("", &self.headers, &mut counter)
    }

    /// The API's part without its body: all headers, or those that are named.
    pub(crate) fn metadata(&self, wanted: &[&str]) -> Value {
        let headers: Vec<Value> = self
            .headers
            .iter()
            .chain(&self.body.headers)
            .filter(|header| {
                wanted.is_empty()
                    || wanted
                        .iter()
                        .any(|name| name.eq_ignore_ascii_case(&header.name))
            })
            .map(Header::json)
            .collect();
        json!({"mimeType": self.body.mime, "headers": headers})
    }

    /// Finds an attachment's bytes by an id that was given out for it, whichever it was.
    pub(crate) fn attachment(&self, id: &str) -> Option<Vec<u8>> {
        let place = usize::from(attachment_place(id)?);
        let parts = self.body.all();
        let part = parts.get(place).filter(|part| part.is_detached())?;
        Some(part.handed_out())
    }

    /// About how long the message is, in bytes.
    pub(crate) fn size_estimate(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|header| header.name.len() + header.value.len() + 4)
            .sum();
        let parts = self.body.all();
        let bodies: usize = parts.iter().map(|part| part.sent_len() * 4 / 3 + 80).sum();
        headers + bodies
    }

    /// The first signs of the text, as HTML.
    pub(crate) fn snippet(&self) -> String {
        let text = self
            .body
            .first_text("text/plain")
            .or_else(|| self.body.first_text("text/html").map(|html| bare(&html)))
            .unwrap_or_default();
        let words: Vec<&str> = text.split_whitespace().collect();
        let short: String = words.join(" ").chars().take(120).collect();
        short
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('\'', "&#39;")
            .replace('"', "&quot;")
    }
}

impl Part {
    fn sent_len(&self) -> usize {
        match &self.content {
            Content::Leaf { sent, .. } => sent.len(),
            _ => 0,
        }
    }
}

struct Counter {
    nonce: u64,
    next: u16,
}

fn push_header(out: &mut Vec<u8>, header: &Header) {
    out.extend_from_slice(format!("{}: {}\r\n", header.name, header.value).as_bytes());
}

/// HTML without its tags.
fn bare(html: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for sign in html.chars() {
        match sign {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            _ if !inside => out.push(sign),
            _ => {}
        }
    }
    out.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// The transfer encoding that a text needs.
fn transfer(bytes: &[u8]) -> &'static str {
    let long = bytes
        .split(|byte| *byte == b'\n')
        .any(|line| line.len() > 900);
    let odd = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    if odd == 0 && !long {
        "7bit"
    } else if odd > bytes.len() / 3 {
        "base64"
    } else {
        "quoted-printable"
    }
}

const ATTACHMENT_LEAD: &str = "ANGjdJ";

fn attachment_id(nonce: u64, place: u16) -> String {
    let mut bytes = Vec::with_capacity(48);
    // Where the part is stands at a place of its own; all else is new each time.
    for round in 0_u64..5 {
        let mixed = nonce
            .wrapping_add(round)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(31);
        bytes.extend_from_slice(&mixed.to_be_bytes());
    }
    bytes.extend_from_slice(&place.to_be_bytes());
    format!("{ATTACHMENT_LEAD}{}", URL_SAFE.encode(bytes))
}

fn attachment_place(id: &str) -> Option<u16> {
    let bytes = URL_SAFE.decode(id.strip_prefix(ATTACHMENT_LEAD)?).ok()?;
    match bytes.get(40..)? {
        [high, low] => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}
