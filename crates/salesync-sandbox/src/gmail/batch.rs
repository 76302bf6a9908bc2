//! Several calls in one request, as `multipart/mixed` parts that are requests themselves.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::answer::{invalid, not_found, scripted};
use super::routes;
use crate::server::{Answer, Asked, RequestClass};
use crate::{PageServed, Vendor, World};

/// A batch holds at most this many calls.
const CALLS_MAX: usize = 100;

/// One call of a batch.
struct Call {
    content_id: Option<String>,
    asked: Option<Asked>,
}

/// Answers a batch: each call by itself, in another order than they were asked.
pub(super) fn batch(world: &World, asked: &Asked) -> Answer {
    if let Err(refusal) = routes::bearer(world, asked) {
        return *refusal;
    }
    let calls = asked
        .header("content-type")
        .and_then(boundary)
        .map(|boundary| calls(asked, &boundary))
        .unwrap_or_default();
    if calls.is_empty() {
        return invalid("Failed to parse batch request, error: 0 items.");
    }
    if calls.len() > CALLS_MAX {
        return invalid("The batch request holds more than 100 calls.");
    }
    let number = world.desk().gmail.next_number();
    let mut answers: Vec<(Option<String>, Answer)> = calls
        .into_iter()
        .map(|call| {
            let answer = call.asked.map_or_else(
                || invalid("Failed to parse a part."),
                |asked| one(world, &asked),
            );
            (call.content_id, answer)
        })
        .collect();
    answers.reverse();
    if number.is_multiple_of(2) {
        let half = answers.len() / 2;
        answers.rotate_left(half);
    }
    let boundary = format!("batch_{number:016x}");
    let mut body = String::new();
    for (content_id, answer) in &answers {
        push_part(&mut body, &boundary, content_id.as_deref(), answer);
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    let mut whole = Answer::text(200, body).header(
        "content-type",
        format!("multipart/mixed; boundary={boundary}"),
    );
    whole.page = joined(answers);
    whole
}

fn one(world: &World, asked: &Asked) -> Answer {
    let target = format!("{}?{}", asked.path, asked.query);
    let failure = world.desk().gmail.take_failure(&target);
    match failure {
        Some((status, reason)) => scripted(status, &reason),
        None if asked.path.starts_with("/gmail/v1/") => routes::call(world, asked),
        None => not_found(),
    }
}

/// The pages of a batch's answers as one, of the kind of the first.
fn joined(answers: Vec<(Option<String>, Answer)>) -> Option<PageServed> {
    let mut pages = answers.into_iter().filter_map(|(_, answer)| answer.page);
    let mut whole = pages.next()?;
    for page in pages
        .filter(|page| page.object == whole.object)
        .collect::<Vec<_>>()
    {
        whole.ids.extend(page.ids);
    }
    Some(PageServed {
        vendor: Vendor::Gmail,
        class: RequestClass::GmailBatch,
        ..whole
    })
}

fn push_part(body: &mut String, boundary: &str, content_id: Option<&str>, answer: &Answer) {
    body.push_str(&format!(
        "--{boundary}\r\nContent-Type: application/http\r\n"
    ));
    if let Some(id) = content_id {
        body.push_str(&format!("Content-ID: {}\r\n", answered_id(id)));
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    body.push_str(&format!(
        "\r\nHTTP/1.1 {} {}\r\nContent-Type: application/json; charset=UTF-8\r\n\
         Vary: Origin\r\nVary: X-Origin\r\nVary: Referer\r\nContent-Length: {}\r\n\r\n{}\r\n",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default(),
        answer.body.len(),
        answer.body
    ));
}

/// The `Content-ID` of the answer to a part.
fn answered_id(id: &str) -> String {
    match id.strip_prefix('<') {
        Some(inner) => format!("<response-{inner}"),
        None => format!("response-{id}"),
    }
}

fn boundary(content_type: &str) -> Option<String> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    rest.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        (name.trim().eq_ignore_ascii_case("boundary"))
            .then(|| value.trim().trim_matches('"').to_owned())
            .filter(|value| !value.is_empty())
    })
}

/// Takes a batch apart; its lines may end with LF alone.
fn calls(asked: &Asked, boundary: &str) -> Vec<Call> {
    let body = asked.body.replace("\r\n", "\n");
    let text = format!("\n{body}");
    let line = format!("\n--{boundary}");
    text.split(line.as_str())
        .skip(1)
        .take_while(|part| !part.starts_with("--"))
        .map(|part| read_part(asked, part))
        .collect()
}

fn read_part(outer: &Asked, part: &str) -> Call {
    let mut lines = part.lines().skip(1);
    let part_headers = read_headers(&mut lines);
    let content_id = part_headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-id"))
        .map(|(_, value)| value.clone());
    let asked = lines.next().and_then(|request| {
        let mut words = request.split_whitespace();
        let (verb, target) = (words.next()?, words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HeaderMap::new();
        if let Some(token) = outer.headers.get(AUTHORIZATION) {
            headers.insert(AUTHORIZATION, token.clone());
        }
        for (name, value) in read_headers(&mut lines) {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                headers.insert(name, value);
            }
        }
        let mut asked = Asked::new(verb, (path, query), headers, String::new());
        asked.origin.clone_from(&outer.origin);
        Some(asked)
    });
    Call { content_id, asked }
}

/// Reads headers up to the empty line behind them.
fn read_headers<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    lines
        .by_ref()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}
