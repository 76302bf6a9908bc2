//! A page as the service sends it: its shape, its count and its end mark are all needed.

use std::collections::HashMap;

use bytes::Bytes;
use salesync_core::error::{Code, Error, Result};
use salesync_core::record::RawRecord;
use salesync_core::time::Timestamp;
use salesync_http::Answer;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::decode::Fields;

/// The body of an answer to a query. A body without one of these is no page.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    done: bool,
    total_size: u64,
    #[serde(borrow)]
    records: Vec<&'a RawValue>,
}

/// What one query brought.
#[derive(Debug)]
pub(crate) struct Rows {
    /// The records, in the order of the query.
    pub(crate) records: Vec<RawRecord>,
    /// How many the service sent; more than `records` where some were left out of a merge.
    pub(crate) sent: usize,
    /// How many the query holds in all, its LIMIT counted in.
    pub(crate) total: u64,
    /// Whether the service sent them all.
    pub(crate) done: bool,
    /// When they were asked for, by the source's clock.
    pub(crate) read_at: Timestamp,
}

/// Reads the records of an answer.
///
/// # Errors
/// [`Code::SourcePageShape`] where it is no page, [`Code::SourcePageCount`] where it holds another number
/// of records than it says.
pub(crate) fn rows(answer: &Answer) -> Result<Rows> {
    let body: Body<'_> = answer.json()?;
    let sent = body.records.len();
    let counted = match (body.done, usize::try_from(body.total_size)) {
        (true, Ok(total)) => total == sent,
        (false, Ok(total)) => total > sent,
        (_, Err(_)) => false,
    };
    if !counted {
        let error = answer.error(Code::SourcePageCount);
        return Err(error
            .with("announced", body.total_size)
            .with("records", sent));
    }
    if !body.done && sent == 0 {
        return Err(answer.error(Code::SourcePageShape));
    }
    let records = RawRecord::slices(&answer.body, &body.records)?;
    Ok(Rows {
        records,
        sent,
        total: body.total_size,
        done: body.done,
        read_at: answer.sent_at,
    })
}

/// Reads the answer to `SELECT COUNT()`.
///
/// # Errors
/// [`Code::SourcePageShape`] where it is none.
pub(crate) fn count(answer: &Answer) -> Result<u64> {
    let body: Body<'_> = answer.json()?;
    if body.done && body.records.is_empty() {
        return Ok(body.total_size);
    }
    Err(answer.error(Code::SourcePageShape))
}

/// Puts records together that were asked for in several lists of fields.
///
/// A record that changed between the queries is left out: its change time has moved, so a later page brings
/// it. What lies behind the end of the shortest part is left out too, for the next page.
///
/// # Errors
/// [`Code::SourcePageCount`] where a part shares no record with the first.
pub(crate) fn merge(parts: Vec<Rows>) -> Result<Rows> {
    let mut parts = parts.into_iter();
    let Some(mut rows) = parts.next() else {
        return Err(Error::new(Code::Internal, "merge the parts of a page"));
    };
    let parts: Vec<Rows> = parts.collect();
    let ids: Vec<_> = rows.records.iter().map(identity).collect();
    let places: HashMap<_, _> = ids
        .iter()
        .enumerate()
        .filter_map(|(at, id)| Some((id.as_ref()?, at)))
        .collect();
    let mut end = rows.records.len();
    for part in parts.iter().filter(|part| !part.done) {
        let mut reached = part.records.iter().rev().filter_map(identity);
        let Some(last) = reached.find_map(|id| places.get(&id).copied()) else {
            return Err(Error::new(
                Code::SourcePageCount,
                "merge the parts of a page",
            ));
        };
        end = end.min(last + 1);
    }
    rows.done &= end == rows.records.len();
    rows.records.truncate(end);
    for part in &parts {
        let by_id: HashMap<_, _> = part
            .records
            .iter()
            .filter_map(|raw| Some((identity(raw)?, raw)))
            .collect();
        rows.records = rows
            .records
            .into_iter()
            .filter_map(|raw| joined(raw, &by_id))
            .collect();
    }
    Ok(rows)
}

/// What must be the same in every part of one record: its id and its change time, as raw text.
type Identity = (String, String);

fn identity(raw: &RawRecord) -> Option<Identity> {
    let fields: Fields<'_> = raw.parse().ok()?;
    Some((
        fields.key().ok()?.into_owned(),
        fields.get("SystemModstamp")?.to_owned(),
    ))
}

/// Returns the record with the fields of its other part; as it is where nothing says which record it is.
fn joined(raw: RawRecord, by_id: &HashMap<Identity, &RawRecord>) -> Option<RawRecord> {
    let Some(identity) = identity(&raw) else {
        return Some(raw);
    };
    let other: Fields<'_> = by_id.get(&identity)?.parse().ok()?;
    let mut record = Vec::with_capacity(raw.bytes().len() * 2);
    record.extend_from_slice(raw.bytes().trim_ascii_end().strip_suffix(b"}")?);
    for (name, value) in other.0 {
        if !["attributes", "Id", "SystemModstamp"]
            .iter()
            .any(|shared| name.is(shared))
        {
            let name = serde_json::Value::from(name.0.as_ref());
            record.extend_from_slice(format!(",{name}:{}", value.get()).as_bytes());
        }
    }
    record.push(b'}');
    Some(RawRecord::new(Bytes::from(record)))
}

#[cfg(test)]
pub(crate) mod tests {
    use salesync_http::Answer;

    use super::*;

    /// An answer with this body.
    pub(crate) fn answer(status: u16, body: &str) -> Answer {
        Answer {
            operation: "query",
            status,
            headers: Default::default(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            sent_at: Timestamp::EPOCH,
            answered_at: Timestamp::EPOCH,
        }
    }

    #[test]
    fn a_page_needs_its_shape_its_count_and_its_end_mark() {
        let cases = [
            (r#"{"done":true,"totalSize":0,"records":[]}"#, None),
            (r#"{"done":true,"totalSize":1,"records":[{}]}"#, None),
            (
                r#"{"done":false,"totalSize":2,"records":[{}],"nextRecordsUrl":"/x"}"#,
                None,
            ),
            (
                r#"{"done":true,"totalSize":2,"records":[{}]}"#,
                Some(Code::SourcePageCount),
            ),
            (
                r#"{"done":true,"totalSize":0,"records":[{}]}"#,
                Some(Code::SourcePageCount),
            ),
            (
                r#"{"done":false,"totalSize":1,"records":[{}]}"#,
                Some(Code::SourcePageCount),
            ),
            (
                r#"{"done":false,"totalSize":1,"records":[]}"#,
                Some(Code::SourcePageShape),
            ),
            (
                r#"{"totalSize":0,"records":[]}"#,
                Some(Code::SourcePageShape),
            ),
            (r#"{"done":true,"records":[]}"#, Some(Code::SourcePageShape)),
            (
                r#"{"done":true,"totalSize":0}"#,
                Some(Code::SourcePageShape),
            ),
            (
                r#"{"done":true,"totalSize":0,"records":null}"#,
                Some(Code::SourcePageShape),
            ),
            (
                r#"{"done":"true","totalSize":0,"records":[]}"#,
                Some(Code::SourcePageShape),
            ),
            (
                r#"{"done":true,"totalSize":-1,"records":[]}"#,
                Some(Code::SourcePageShape),
            ),
            ("{}", Some(Code::SourcePageShape)),
            ("[]", Some(Code::SourcePageShape)),
            ("null", Some(Code::SourcePageShape)),
            ("", Some(Code::SourceBodyMalformed)),
            ("<html></html>", Some(Code::SourceBodyMalformed)),
        ];
        for (body, code) in cases {
            assert_eq!(
                rows(&answer(200, body)).err().map(|error| error.code()),
                code,
                "{body}"
            );
        }
    }

    #[test]
    fn a_count_is_a_page_without_records() {
        let count = |body| count(&answer(200, body)).map_err(|error| error.code());
        assert_eq!(count(r#"{"done":true,"totalSize":7,"records":[]}"#), Ok(7));
        assert_eq!(
            count(r#"{"done":true,"totalSize":7,"records":[{}]}"#),
            Err(Code::SourcePageShape)
        );
    }

    fn part(done: bool, records: &[&str]) -> Rows {
        let records: Vec<_> = records
            .iter()
            .map(|text| RawRecord::new(text.as_bytes().to_vec()))
            .collect();
        let sent = records.len();
        Rows {
            records,
            sent,
            total: 9,
            done,
            read_at: Timestamp::EPOCH,
        }
    }

    fn merged(parts: Vec<Rows>) -> (Vec<String>, bool) {
        let rows = merge(parts).unwrap();
        let texts = rows
            .records
            .iter()
            .map(|raw| String::from_utf8(raw.bytes().to_vec()).unwrap());
        (texts.collect(), rows.done)
    }

    #[test]
    fn parts_are_joined_by_id_and_change_time_as_far_as_all_reach() {
        let one = r#"{"Id":"000000000000001","SystemModstamp":"t","A":1}"#;
        let two = r#"{"Id":"000000000000002","SystemModstamp":"t","A":2}"#;
        let one_more = r#"{"attributes":{},"Id":"000000000000001","SystemModstamp":"t","B":1.50}"#;
        let two_more = r#"{"Id":"000000000000002","SystemModstamp":"t","B":null}"#;
        let two_later = r#"{"Id":"000000000000002","SystemModstamp":"u","B":3}"#;
        let one_joined =
            r#"{"Id":"000000000000001","SystemModstamp":"t","A":1,"B":1.50}"#.to_owned();
        let two_joined =
            r#"{"Id":"000000000000002","SystemModstamp":"t","A":2,"B":null}"#.to_owned();

        let whole = part(true, &[two_more, one_more]);
        assert_eq!(
            merged(vec![part(true, &[one, two]), whole]),
            (vec![one_joined.clone(), two_joined], true)
        );
        let edited = part(true, &[one_more, two_later]);
        assert_eq!(
            merged(vec![part(true, &[one, two]), edited]),
            (vec![one_joined.clone()], true)
        );
        let shorter = part(false, &[one_more]);
        assert_eq!(
            merged(vec![part(true, &[one, two]), shorter]),
            (vec![one_joined], false)
        );
        let poison = r#"{"Id":null}"#;
        assert_eq!(
            merged(vec![part(true, &[poison]), part(true, &[])]).0,
            vec![poison.to_owned()]
        );
        let strange = merge(vec![part(true, &[one]), part(false, &[two_more])]);
        assert_eq!(strange.unwrap_err().code(), Code::SourcePageCount);
    }
}
