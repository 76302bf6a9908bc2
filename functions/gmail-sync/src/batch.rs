//! Several calls in one request, and the answer to each.

use std::collections::HashMap;

use bytes::Bytes;
use mail_parser::{MessageParser, MimeHeaders};
use salesync_core::error::{Code, Result};
use salesync_http::Answer;

/// The type of the request's body.
pub(crate) const CONTENT_TYPE: &str = "multipart/mixed; boundary=salesync_batch";
const BOUNDARY: &str = "salesync_batch";

/// The answer to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// Returns the body of a request with these calls, each the target of a GET. The n-th is answered as number n.
pub(crate) fn compose(targets: &[String]) -> String {
    let mut body = String::new();
    for (number, target) in targets.iter().enumerate() {
        body.push_str(&format!(
            "--{BOUNDARY}\r\nContent-Type: application/http\r\nContent-ID: <{number}>\r\n\r\n\
             GET {target} HTTP/1.1\r\nAccept: application/json\r\n\r\n\r\n"
        ));
    }
    body.push_str("--");
    body.push_str(BOUNDARY);
    body.push_str("--\r\n");
    body
}

/// Reads the answers by the numbers of their calls. Their order says nothing.
///
/// # Errors
/// [`Code::SourcePageShape`] where the answer holds no parts, or one that answers no call.
pub(crate) fn parse(answer: &Answer) -> Result<HashMap<usize, Part>> {
    let unreadable = || answer.error(Code::SourcePageShape);
    let content_type = answer.header("content-type").ok_or_else(unreadable)?;
    let mut message = format!("Content-Type: {content_type}\r\n\r\n").into_bytes();
    message.extend_from_slice(&answer.body);
    let parsed = MessageParser::new()
        .parse(&message)
        .ok_or_else(unreadable)?;
    let mut parts = HashMap::new();
    for part in parsed
        .parts
        .iter()
        .filter(|part| part.content_id().is_some())
    {
        let number = part
            .content_id()
            .and_then(number_of)
            .ok_or_else(unreadable)?;
        let read = read(part.contents()).ok_or_else(unreadable)?;
        parts.insert(number, read);
    }
    if parts.is_empty() {
        return Err(unreadable());
    }
    Ok(parts)
}

/// Reads `response-<number>`, or `<response-number>` as it is at times written.
fn number_of(content_id: &str) -> Option<usize> {
    let digits = content_id.trim_matches(['<', '>']);
    let digits = digits.strip_prefix("response-")?.trim_matches(['<', '>']);
    digits.parse().ok()
}

/// Reads one answer: its head, then its body.
fn read(bytes: &[u8]) -> Option<Part> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes).ok()? else {
        return None;
    };
    Some(Part {
        status: response.code?,
        body: Bytes::copy_from_slice(bytes.get(head..)?),
    })
}

/// Returns whether the whole batch was refused for its token.
pub(crate) fn is_unauthorised(answer: &Answer) -> bool {
    const SIGN: &[u8] = b" 401 ";
    let has_sign = answer.body.windows(SIGN.len()).any(|window| window == SIGN);
    has_sign && parse(answer).is_ok_and(|parts| parts.values().all(|part| part.status == 401))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_of_a_batch_is_a_part_with_its_number() {
        let body = compose(&["/a?x=1".to_owned(), "/b".to_owned()]);
        for part in [
            "Content-ID: <0>\r\n\r\nGET /a?x=1 HTTP/1.1\r\n",
            "Content-ID: <1>\r\n\r\nGET /b HTTP/1.1\r\n",
        ] {
            assert!(body.contains(part), "{body}");
        }
        assert!(body.ends_with("--salesync_batch--\r\n"));
    }

    #[test]
    fn an_answer_names_its_call_in_every_spelling() {
        let cases = [
            ("response-3", Some(3)),
            ("<response-3>", Some(3)),
            ("response-<12>", Some(12)),
            ("3", None),
            ("response-x", None),
        ];
        for (text, number) in cases {
            assert_eq!(number_of(text), number, "{text}");
        }
    }

    #[test]
    fn the_answer_to_a_call_has_a_status_and_a_body() {
        let part =
            read(b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n\r\n{}").unwrap();
        assert_eq!((part.status, &part.body[..]), (404, &b"{}"[..]));
        assert_eq!(read(b"HTTP/1.1 200 OK\r\nA: b"), None);
        assert_eq!(read(b""), None);
    }
}
