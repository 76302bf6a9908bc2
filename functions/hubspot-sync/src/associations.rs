//! What a record belongs to: the contacts, companies and deals that it is associated with.
//!
//! ```text
//! listing                               ─▶ inside each record, of each type the first so many
//! search, a listing that gives none,
//! and a type of which there are more    ─▶ by the ids of the page, one call per type
//! ```
//!
//! Whichever way they came, a record that goes on to be decoded, or set aside, carries them all, in the shape in
//! which a listing gives them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::future::try_join_all;
use salesync_core::error::{Code, Error, Result};
use salesync_core::record::RawRecord;
use salesync_http::{Answer, Request};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::client::API;
use crate::page::Paging;
use crate::records::{Records, Shelf};
use crate::text::{Token, token};

/// The member of a record that holds its associations.
pub(crate) const MEMBER: &str = "associations";
/// Ids of a batch of associations: the most that HubSpot takes.
const BATCH_IDS: usize = 1_000;

/// A record's associations as a listing gives them, by the type of the other object.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Inline<'a>(#[serde(borrow)] HashMap<Cow<'a, str>, Linked<'a>>);

#[derive(Deserialize)]
struct Linked<'a> {
    #[serde(borrow)]
    results: Vec<Far<'a>>,
    #[serde(default)]
    paging: Option<Paging>,
}

/// The other record of an association. It comes once for each kind of association that there is between the two.
#[derive(Deserialize)]
struct Far<'a> {
    #[serde(borrow, alias = "toObjectId")]
    id: &'a RawValue,
}

impl<'a> Inline<'a> {
    /// Reads the member of a record.
    pub(crate) fn read(raw: &'a RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }

    /// Returns the ids of one type, as often as they come; `None` where one of them is no id.
    pub(crate) fn ids(&self, to: &str) -> Option<Vec<String>> {
        match self.0.get(to) {
            Some(linked) => linked.results.iter().map(Far::text).collect(),
            None => Some(Vec::new()),
        }
    }

    /// Returns whether there are types beside these.
    pub(crate) fn has_other_than(&self, types: &[&str]) -> bool {
        self.0.keys().any(|to| !types.contains(&&**to))
    }

    /// Returns the ids of those types whose lists are whole.
    fn whole(&self, types: &[&'static str]) -> BTreeMap<&'static str, Vec<String>> {
        let goes_on = |to: &str| {
            let paging = self.0.get(to).and_then(|linked| linked.paging.as_ref());
            paging.is_some_and(Paging::goes_on)
        };
        types
            .iter()
            .filter(|to| !goes_on(to))
            .filter_map(|to| Some((*to, self.ids(to)?)))
            .collect()
    }
}

impl Far<'_> {
    /// Returns the id. HubSpot writes it as a text or as a number.
    fn text(&self) -> Option<String> {
        match token(self.id) {
            Token::Text(text) if !text.trim().is_empty() => Some(text.into_owned()),
            Token::Text(_) | Token::Null | Token::Nested => None,
        }
    }
}

/// Returns each id once, in the order of their numbers.
pub(crate) fn in_order(mut ids: Vec<String>) -> Vec<String> {
    ids.sort_by_cached_key(|id| (id.parse::<u64>().unwrap_or(u64::MAX), id.clone()));
    ids.dedup();
    ids
}

/// What is known of the associations of a page's records, by record and type. A type that is missing is still to
/// be asked for.
#[derive(Debug, Default)]
pub(crate) struct Known(HashMap<String, BTreeMap<&'static str, Vec<String>>>);

impl Known {
    /// Returns what a page of a listing says. A record that says nothing has no associations, unless no record of
    /// an archived page says anything: then HubSpot does not tell them there.
    pub(crate) fn of_listing(
        listed: &[RawRecord],
        types: &'static [&'static str],
        shelf: Shelf,
    ) -> Self {
        if types.is_empty() {
            return Self::default();
        }
        let heads: Vec<Head<'_>> = listed.iter().filter_map(Head::read).collect();
        let are_told = shelf == Shelf::Live || heads.iter().any(|head| head.associations.is_some());
        let known = |head: &Head<'_>| match head.associations {
            Some(raw) => Inline::read(raw).map_or_else(BTreeMap::new, |it| it.whole(types)),
            None if are_told => types.iter().map(|to| (*to, Vec::new())).collect(),
            None => BTreeMap::new(),
        };
        let of_each = heads.iter().map(|head| (head.id.to_string(), known(head)));
        Self(of_each.collect())
    }

    fn lacks(&self, id: &str, to: &str) -> bool {
        !self.0.get(id).is_some_and(|known| known.contains_key(to))
    }
}

/// What says whose associations a record holds.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    associations: Option<&'a RawValue>,
}

impl<'a> Head<'a> {
    fn read(record: &'a RawRecord) -> Option<Self> {
        serde_json::from_slice(record.bytes()).ok()
    }

    /// Returns the record with these associations in the place of those that it has.
    fn splice(&self, record: &RawRecord, lists: &BTreeMap<&'static str, Vec<String>>) -> RawRecord {
        let member: Map<String, Value> = lists
            .iter()
            .filter(|(_, ids)| !ids.is_empty())
            .map(|(to, ids)| {
                let results: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
                ((*to).to_owned(), json!({"results": results}))
            })
            .collect();
        let bytes = record.bytes();
        let (start, end, lead) = match self.associations {
            Some(raw) => {
                let start = raw.get().as_ptr().addr() - bytes.as_ptr().addr();
                (start, start + raw.get().len(), String::new())
            }
            None if member.is_empty() => return record.clone(),
            // A record that has an id has a member before this one.
            None => {
                let end = bytes.iter().rposition(|byte| *byte == b'}');
                let end = end.unwrap_or(bytes.len());
                (end, end, format!(",\"{MEMBER}\":"))
            }
        };
        let (before, after) = (bytes.get(..start), bytes.get(end..));
        let text = format!("{lead}{}", Value::Object(member));
        let parts = [before, Some(text.as_bytes()), after].map(Option::unwrap_or_default);
        RawRecord::new(parts.concat())
    }
}

/// A record that is asked about, and from where in its associations.
#[derive(Serialize)]
struct Input {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// A page of what belongs to one record.
#[derive(Debug, PartialEq, Eq)]
struct OfOne {
    id: String,
    to: Vec<String>,
    after: Option<String>,
}

#[derive(Deserialize)]
struct BatchShape<'a> {
    #[serde(borrow)]
    results: Vec<OfOneShape<'a>>,
    #[serde(borrow, default)]
    errors: Vec<Failure<'a>>,
}

#[derive(Deserialize)]
struct OfOneShape<'a> {
    #[serde(borrow)]
    from: Far<'a>,
    #[serde(borrow)]
    to: Vec<Far<'a>>,
    #[serde(default)]
    paging: Option<Paging>,
}

/// Why one id of a batch has no result. HubSpot's description calls the second field an object, HubSpot sends text.
#[derive(Deserialize)]
struct Failure<'a> {
    #[serde(borrow, default)]
    category: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "subCategory")]
    sub_category: Option<&'a RawValue>,
}

impl Failure<'_> {
    /// Returns whether the record has no associations, or has gone since its page was read.
    fn says_none(&self) -> bool {
        let is = |raw: Option<&RawValue>, word: &str| {
            raw.is_some_and(|raw| token(raw) == Token::Text(word.into()))
        };
        is(self.category, "OBJECT_NOT_FOUND")
            || is(self.sub_category, "crm.associations.NO_ASSOCIATIONS_FOUND")
    }
}

/// Reads a batch of associations. An id without any is a failure there, and none here.
fn read_batch(answer: &Answer) -> Result<Vec<OfOne>> {
    let batch: BatchShape<'_> = answer.json()?;
    if !batch.errors.iter().all(Failure::says_none) {
        return Err(answer.error(Code::SourcePageShape));
    }
    let read = |one: OfOneShape<'_>| {
        Some(OfOne {
            id: one.from.text()?,
            to: one.to.iter().map(Far::text).collect::<Option<_>>()?,
            after: one.paging.and_then(Paging::after),
        })
    };
    let pages = batch.results.into_iter().map(read);
    pages
        .collect::<Option<_>>()
        .ok_or_else(|| answer.error(Code::SourcePageShape))
}

impl Records {
    /// Returns the records of a page with their associations; asks for those that are not known yet. Where all are
    /// known, and for a record whose id can't be read, nothing is asked.
    pub(crate) async fn associated(
        &self,
        records: Vec<RawRecord>,
        mut known: Known,
    ) -> Result<Vec<RawRecord>> {
        let types = self.object.associations;
        if types.is_empty() {
            return Ok(records);
        }
        let heads: Vec<Option<Head<'_>>> = records.iter().map(Head::read).collect();
        let ids: BTreeSet<&str> = heads.iter().flatten().map(|head| &*head.id).collect();
        let asks = types.iter().map(|to| {
            let open = ids.iter().filter(|id| known.lacks(id, to));
            (*to, open.map(|id| (*id).to_owned()).collect::<Vec<_>>())
        });
        let asks: Vec<_> = asks.collect();
        let asked: BTreeSet<String> = asks.iter().flat_map(|(_, ids)| ids.clone()).collect();
        let answers = try_join_all(asks.into_iter().map(|(to, ids)| self.linked(to, ids))).await?;
        for (to, found) in types.iter().zip(answers) {
            for (id, ids) in found {
                let ids = in_order(ids.into_iter().collect());
                known.0.entry(id).or_default().insert(to, ids);
            }
        }
        let spliced = records.iter().zip(&heads).map(|(record, head)| {
            let head = head.as_ref();
            let changed =
                head.filter(|head| head.associations.is_none() || asked.contains(&*head.id));
            match changed.and_then(|head| Some((head, known.0.get(&*head.id)?))) {
                Some((head, lists)) => head.splice(record, lists),
                None => record.clone(),
            }
        });
        Ok(spliced.collect())
    }

    /// Asks which records of type `to` belong to each of these, page by page to the end of each list.
    async fn linked(
        &self,
        to: &str,
        ids: Vec<String>,
    ) -> Result<HashMap<String, BTreeSet<String>>> {
        let from = self.object.object_type;
        let mut found: HashMap<String, BTreeSet<String>> =
            ids.iter().map(|id| (id.clone(), BTreeSet::new())).collect();
        let mut open: Vec<Input> = ids
            .into_iter()
            .map(|id| Input { id, after: None })
            .collect();
        while !open.is_empty() {
            let inputs = open.split_off(open.len().saturating_sub(BATCH_IDS));
            let target = format!("/crm/v4/associations/{from}/{to}/batch/read");
            let request =
                Request::post("read associations", target, API).json(&json!({"inputs": inputs}))?;
            for page in self.http.read(&request, read_batch).await? {
                let Some(known) = found.get_mut(&page.id) else {
                    continue;
                };
                let before = known.len();
                known.extend(page.to);
                if let Some(after) = page.after {
                    // A page that says nothing new and leads on would be followed for ever.
                    if known.len() == before {
                        return Err(Error::new(Code::SourcePageLoop, "read associations"));
                    }
                    open.push(Input {
                        id: page.id,
                        after: Some(after),
                    });
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use salesync_core::time::Timestamp;

    const TYPES: &[&str] = &["contacts", "companies"];

    fn records(texts: &[&str]) -> Vec<RawRecord> {
        let records = texts.iter();
        records
            .map(|text| RawRecord::new(text.as_bytes().to_vec()))
            .collect()
    }

    fn batch(body: &str) -> Result<Vec<OfOne>> {
        read_batch(&Answer {
            operation: "read associations",
            status: 207,
            headers: Default::default(),
            body: body.to_owned().into(),
            sent_at: Timestamp::EPOCH,
            answered_at: Timestamp::EPOCH,
        })
    }

    #[test]
    fn ids_are_texts_or_numbers_and_come_once_in_the_order_of_their_numbers() {
        let raw = r#"{"contacts":{"results":[{"id":"10","type":"a"},{"id":9},{"id":"10","type":"b"},
            {"id":"9007199254740993"}]}}"#;
        let inline = Inline::read(serde_json::from_str(raw).unwrap()).unwrap();
        let ids = in_order(inline.ids("contacts").unwrap());
        assert_eq!(ids, ["9", "10", "9007199254740993"]);
        assert_eq!(inline.ids("deals"), Some(Vec::new()));
        assert!(inline.has_other_than(&["deals"]) && !inline.has_other_than(TYPES));
    }

    #[test]
    fn what_a_listing_does_not_tell_is_to_be_asked_for() {
        let whole = r#"{"id":"1","associations":{"contacts":{"results":[{"id":"5"}]}}}"#;
        let cut = r#"{"id":"1","associations":{"contacts":{"results":[{"id":"5"}],"paging":{"next":{"after":"5"}}}}}"#;
        let odd = r#"{"id":"1","associations":{"contacts":{"results":[{"id":null}]}}}"#;
        let (bare, beside) = (r#"{"id":"1"}"#, r#"{"id":"2","associations":{}}"#);
        let cases: [(&[&str], Shelf, [bool; 2]); 8] = [
            (&[whole], Shelf::Live, [false, false]),
            (&[cut], Shelf::Live, [true, false]),
            (&[odd], Shelf::Live, [true, false]),
            (&[bare], Shelf::Live, [false, false]),
            (&[bare], Shelf::Archived, [true, true]),
            (&[bare, beside], Shelf::Archived, [false, false]),
            (&[whole], Shelf::Archived, [false, false]),
            (
                &[r#"{"id":"1","associations":7}"#],
                Shelf::Live,
                [true, true],
            ),
        ];
        for (listed, shelf, lacking) in cases {
            let known = Known::of_listing(&records(listed), TYPES, shelf);
            let lacks = ["contacts", "companies"].map(|to| known.lacks("1", to));
            assert_eq!(lacks, lacking, "{listed:?} {shelf:?}");
        }
    }

    #[test]
    fn associations_take_the_place_of_those_that_a_record_has() {
        let lists = BTreeMap::from([("contacts", vec!["5".to_owned()]), ("deals", Vec::new())]);
        let spliced = r#""associations":{"contacts":{"results":[{"id":"5"}]}}"#;
        let cases = [
            (r#"{"id":"1"}"#, format!(r#"{{"id":"1",{spliced}}}"#)),
            (
                r#"{"id":"1","associations":{"deals":7},"x":{}}"#,
                format!(r#"{{"id":"1",{spliced},"x":{{}}}}"#),
            ),
            (
                r#"{"id":"1","x":"}"}"#,
                format!(r#"{{"id":"1","x":"}}",{spliced}}}"#),
            ),
        ];
        for (sent, expected) in cases {
            let [record] = <[_; 1]>::try_from(records(&[sent])).unwrap();
            let head = Head::read(&record).unwrap();
            let whole = head.splice(&record, &lists);
            assert_eq!(std::str::from_utf8(whole.bytes()).unwrap(), expected);
            let none = head.splice(&record, &BTreeMap::new());
            assert_eq!(none == record, !sent.contains(MEMBER), "{sent}");
        }
    }

    #[test]
    fn a_batch_gives_pages_of_both_spellings_and_no_page_where_there_are_none() {
        let none = r#"{"status":"error","category":"OBJECT_NOT_FOUND","message":"x"}"#;
        let none_by_word =
            r#"{"subCategory":"crm.associations.NO_ASSOCIATIONS_FOUND","category":"X"}"#;
        let body = format!(
            r#"{{"results":[{{"from":{{"id":"1"}},"to":[{{"toObjectId":"7","associationTypes":[]}},{{"toObjectId":8}}],
            "paging":{{"next":{{"after":"8","link":"https://elsewhere.example"}}}}}}],"errors":[{none},{none_by_word}]}}"#
        );
        let page = OfOne {
            id: "1".to_owned(),
            to: vec!["7".to_owned(), "8".to_owned()],
            after: Some("8".to_owned()),
        };
        assert_eq!(batch(&body).unwrap(), [page]);
        let refused = [
            r#"{"results":[],"errors":[{"category":"VALIDATION_ERROR","subCategory":{}}]}"#,
            r#"{"results":[],"errors":[{}]}"#,
            r#"{"results":[{"from":{"id":"1"},"to":[{"toObjectId":null}]}]}"#,
            r#"{"results":[{"from":{},"to":[]}]}"#,
            r#"{"errors":[]}"#,
        ];
        for body in refused {
            let error = batch(body).unwrap_err();
            assert_eq!(error.code(), Code::SourcePageShape, "{body}");
        }
    }
}
