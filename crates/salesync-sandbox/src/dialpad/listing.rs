//! Pages and cursors of Dialpad's lists.
//!
//! A cursor is bound to the list and the filters that it was given for. While there is one there
//! may be more: now and then a page is shorter than others, empty, or has no `items` at all, and a
//! full last page still gives a cursor.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::answer::invalid;
use super::wire::mixed;
use crate::server::{Answer, Asked};
use crate::{PageServed, Vendor, World};

/// One record of a page.
#[derive(Debug)]
pub(super) struct Row {
    /// Where it stands in the order of the list.
    pub(super) place: (i64, u64),
    /// Its id.
    pub(super) id: String,
    /// The record as JSON.
    pub(super) json: String,
}

/// One request for a page.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    asked: &'a Asked,
    object: &'static str,
    /// How many records are on a page at most.
    pub(super) rows_max: usize,
    /// Behind which place the page begins.
    pub(super) after: Option<(i64, u64)>,
    /// Whether the page before this one was empty.
    hollow: bool,
    generation: u64,
    filters: u64,
}

impl<'a> Listing<'a> {
    /// Reads the cursor of a request for a page of `object`, such as `calls`.
    pub(super) fn open(
        world: &World,
        asked: &'a Asked,
        object: &'static str,
        rows_max: usize,
    ) -> Result<Self, Box<Answer>> {
        let generation = world.desk().dialpad.cursors;
        let mut listing = Self {
            asked,
            object,
            rows_max,
            after: None,
            hollow: false,
            generation,
            filters: filters(asked),
        };
        if let Some(cursor) = asked.param("cursor").filter(|cursor| !cursor.is_empty()) {
            let Some((place, hollow)) = listing.read(cursor) else {
                return Err(Box::new(invalid("invalid cursor")));
            };
            listing.after = place;
            listing.hollow = hollow;
        }
        Ok(listing)
    }

    /// Answers with a page; `rows` are the next ones of the list, at most `rows_max`.
    pub(super) fn answer(self, mut rows: Vec<Row>) -> Answer {
        // It follows from ids, not from times: the same seed gives the same pages.
        let behind = self.after.map_or(0, |(_, id)| id);
        let chance = mixed(&format!("{}/{behind}", self.filters));
        let full = rows.len() >= self.rows_max;
        if !self.hollow && !rows.is_empty() && chance % 7 == 2 {
            let cursor = self.written(self.after, "hollow");
            let items = if (chance / 7).is_multiple_of(2) {
                ",\"items\":[]"
            } else {
                ""
            };
            return Answer::text(200, format!("{{\"cursor\":\"{cursor}\"{items}}}"))
                .page(self.page(&[]));
        }
        let cut = chance % 7 == 4 && rows.len() > 1;
        if cut {
            rows.truncate(rows.len() / 2);
        }
        let mut body = String::from("{");
        if let Some(last) = rows.last().filter(|_| full || cut) {
            let cursor = self.written(Some(last.place), "");
            body.push_str(&format!("\"cursor\":\"{cursor}\","));
        }
        let items: Vec<&str> = rows.iter().map(|row| row.json.as_str()).collect();
        body.push_str(&format!("\"items\":[{}]}}", items.join(",")));
        Answer::text(200, body).page(self.page(&rows))
    }

    fn page(&self, rows: &[Row]) -> PageServed {
        PageServed {
            vendor: Vendor::Dialpad,
            object: self.object.to_owned(),
            class: self.asked.class(),
            ids: rows.iter().map(|row| row.id.clone()).collect(),
        }
    }

    fn written(&self, place: Option<(i64, u64)>, mark: &str) -> String {
        let (order, id) = place.map_or((String::new(), 0), |(order, id)| (order.to_string(), id));
        let text = format!("{}/{}/{order}/{id}/{mark}", self.generation, self.filters);
        URL_SAFE_NO_PAD.encode(text)
    }

    fn read(&self, cursor: &str) -> Option<(Option<(i64, u64)>, bool)> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let parts: Vec<&str> = text.split('/').collect();
        let [generation, filters, order, id, mark] = parts.as_slice() else {
            return None;
        };
        if *generation != self.generation.to_string() || *filters != self.filters.to_string() {
            return None;
        }
        let place = match *order {
            "" => None,
            order => Some((order.parse().ok()?, id.parse().ok()?)),
        };
        Some((place, *mark == "hollow"))
    }
}

/// What a cursor is bound to: the path and the filters, in any order.
fn filters(asked: &Asked) -> u64 {
    let mut params: Vec<String> = asked
        .params()
        .iter()
        .filter(|(name, _)| name != "cursor" && name != "limit")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    params.sort();
    mixed(&format!("{}?{}", asked.path, params.join("&")))
}
