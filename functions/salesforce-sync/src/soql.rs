//! Statements in SOQL, made of checked names and escaped values only.
//!
//! Every statement is short enough for a request: URI and headers together stay below the service's
//! 16,384 bytes, and an object with more fields than fit is asked in several statements.

use salesync_core::ledger::Window;
use salesync_core::time::Timestamp;
use salesync_core::validate::SoqlIdentifier;
use url::form_urlencoded;

/// The most bytes that a statement has in a URI. The rest of the 16,384 is for the path, the headers
/// and an access token of up to 3,000 bytes.
pub(crate) const MAX_STATEMENT_BYTES: usize = 12_000;
/// What a statement has beside its field names, at most.
const FRAME_BYTES: usize = 1_000;
/// How many ids one statement names: each has 18 characters, two quotes and a comma, encoded 27 bytes.
pub(crate) const IDS_PER_STATEMENT: usize = 400;

/// Where in (SystemModstamp, Id) a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start<'a> {
    /// At the first record that changed then or later.
    At(Timestamp),
    /// After the record with this change time and id.
    After(Timestamp, &'a str),
}

/// Returns the statement for the page that begins at `start` and ends at `hi` or after `limit` records.
pub(crate) fn page(
    object: &SoqlIdentifier,
    fields: &[SoqlIdentifier],
    start: Start<'_>,
    hi: Timestamp,
    limit: usize,
) -> String {
    let from = match start {
        Start::At(time) => format!("SystemModstamp >= {}", datetime(time)),
        Start::After(time, id) => {
            let (time, id) = (datetime(time), literal(id));
            format!("(SystemModstamp > {time} OR (SystemModstamp = {time} AND Id > {id}))")
        }
    };
    let (names, hi) = (names(fields), datetime(hi));
    format!(
        "SELECT {names} FROM {object} WHERE {from} AND SystemModstamp <= {hi} \
         ORDER BY SystemModstamp, Id LIMIT {limit}"
    )
}

/// Returns the statement that counts the records of a window.
pub(crate) fn count(object: &SoqlIdentifier, window: Window) -> String {
    let (lo, hi) = (datetime(window.lo), datetime(window.hi));
    format!("SELECT COUNT() FROM {object} WHERE SystemModstamp >= {lo} AND SystemModstamp <= {hi}")
}

/// Returns the statement for the records with these ids, at most [`IDS_PER_STATEMENT`] of them.
pub(crate) fn by_id(object: &SoqlIdentifier, fields: &[SoqlIdentifier], ids: &[&str]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| literal(id)).collect();
    format!(
        "SELECT {} FROM {object} WHERE Id IN ({})",
        names(fields),
        ids.join(",")
    )
}

/// Splits field names into lists of which each fits a statement; every list begins with `always`.
pub(crate) fn groups(
    always: &[SoqlIdentifier],
    others: &[SoqlIdentifier],
) -> Vec<Vec<SoqlIdentifier>> {
    let weight = |field: &SoqlIdentifier| encoded_len(field.as_str()) + encoded_len(",");
    let fixed = FRAME_BYTES + always.iter().map(weight).sum::<usize>();
    let mut groups = vec![always.to_vec()];
    let mut size_bytes = fixed;
    for field in others {
        if size_bytes + weight(field) > MAX_STATEMENT_BYTES {
            groups.push(always.to_vec());
            size_bytes = fixed;
        }
        size_bytes += weight(field);
        if let Some(group) = groups.last_mut() {
            group.push(field.clone());
        }
    }
    groups
}

/// Returns how many bytes a text has in a URI's query.
fn encoded_len(text: &str) -> usize {
    form_urlencoded::byte_serialize(text.as_bytes())
        .map(str::len)
        .sum()
}

fn names(fields: &[SoqlIdentifier]) -> String {
    fields
        .iter()
        .map(SoqlIdentifier::as_str)
        .collect::<Vec<_>>()
        .join(",")
}

/// An instant as SOQL takes it: UTC, to the millisecond, without quotes.
fn datetime(time: Timestamp) -> String {
    Timestamp::from_millis(time.millis()).to_string()
}

/// A text between quotes, the backslash escaped before the quote.
fn literal(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('\'', "\\'")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t");
    format!("'{escaped}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> SoqlIdentifier {
        SoqlIdentifier::parse(text).unwrap()
    }

    #[test]
    fn a_page_begins_at_a_time_or_after_a_record() {
        let (object, fields) = (name("Lead"), [name("Id"), name("SystemModstamp")]);
        let (from, hi) = (Timestamp::from_millis(1_000), Timestamp::from_millis(2_500));
        assert_eq!(
            page(&object, &fields, Start::At(from), hi, 2_000),
            "SELECT Id,SystemModstamp FROM Lead WHERE SystemModstamp >= 1970-01-01T00:00:01Z \
             AND SystemModstamp <= 1970-01-01T00:00:02.500Z ORDER BY SystemModstamp, Id LIMIT 2000"
        );
        assert_eq!(
            page(&object, &fields, Start::After(from, "00Q1"), hi, 9),
            "SELECT Id,SystemModstamp FROM Lead WHERE (SystemModstamp > 1970-01-01T00:00:01Z OR \
             (SystemModstamp = 1970-01-01T00:00:01Z AND Id > '00Q1')) \
             AND SystemModstamp <= 1970-01-01T00:00:02.500Z ORDER BY SystemModstamp, Id LIMIT 9"
        );
    }

    #[test]
    fn counts_and_ids_are_asked_for_in_one_statement() {
        let window = Window {
            lo: Timestamp::EPOCH,
            hi: Timestamp::from_millis(1_000),
        };
        assert_eq!(
            count(&name("User"), window),
            "SELECT COUNT() FROM User WHERE SystemModstamp >= 1970-01-01T00:00:00Z \
             AND SystemModstamp <= 1970-01-01T00:00:01Z"
        );
        assert_eq!(
            by_id(&name("User"), &[name("Id")], &["a", "b"]),
            "SELECT Id FROM User WHERE Id IN ('a','b')"
        );
    }

    #[test]
    fn a_literal_cannot_be_left() {
        let cases = [
            ("x' OR Name != '", r"'x\' OR Name != \''"),
            (r"\'", r"'\\\''"),
            ("a\nb", r"'a\nb'"),
        ];
        for (text, expected) in cases {
            assert_eq!(literal(text), expected);
        }
    }

    #[test]
    fn every_statement_stays_below_the_limit_and_no_field_is_lost() {
        let always = [name("Id"), name("SystemModstamp")];
        for count in [0, 1, 300, 3_000] {
            let others: Vec<_> = (0..count)
                .map(|i| name(&format!("A_rather_long_field_name_{i}__c")))
                .collect();
            let groups = groups(&always, &others);
            let mut found = Vec::new();
            for group in &groups {
                let start = Start::After(Timestamp::from_millis(1), "0015000000Gv7qJAAR");
                let statement = page(
                    &name(&"X".repeat(80)),
                    group,
                    start,
                    Timestamp::from_millis(1),
                    2_000,
                );
                assert!(encoded_len(&statement) <= MAX_STATEMENT_BYTES);
                assert_eq!(&group[..2], &always);
                found.extend_from_slice(&group[2..]);
            }
            assert_eq!(found, others);
        }
        let ids = vec!["0015000000Gv7qJAAR"; IDS_PER_STATEMENT];
        assert!(encoded_len(&by_id(&name("Account"), &always, &ids)) <= MAX_STATEMENT_BYTES);
    }
}
