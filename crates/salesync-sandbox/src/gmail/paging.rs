//! What all of Gmail's lists have in common: how much is asked for, and where to go on.

use super::answer::invalid;
use crate::server::{Answer, Asked};
use crate::world::Labels;

const RESULTS_DEFAULT: usize = 100;
const RESULTS_MAX: usize = 500;

/// Which list a page token belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// `messages.list`.
    Messages,
    /// `threads.list`.
    Threads,
    /// `history.list`.
    History,
}

impl List {
    fn number(self) -> u64 {
        match self {
            List::Messages => 1,
            List::Threads => 2,
            List::History => 3,
        }
    }
}

/// Which page of a list is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    /// How many results it holds at most.
    pub(super) max: usize,
    /// The last id of the page before.
    pub(super) after: Option<u64>,
}

/// Reads which page is asked for.
pub(super) fn page(asked: &Asked, list: List) -> Result<Page, Box<Answer>> {
    let max = match asked.param("maxResults").map(str::parse::<usize>) {
        None => RESULTS_DEFAULT,
        Some(Ok(max @ 1..=RESULTS_MAX)) => max,
        Some(_) => return Err(Box::new(invalid("Invalid value for maxResults"))),
    };
    let after = match asked.param("pageToken") {
        None | Some("") => None,
        Some(token) => match read(token, list) {
            Some(id) => Some(id),
            None => return Err(Box::new(invalid("Invalid pageToken"))),
        },
    };
    Ok(Page { max, after })
}

/// Writes the token of the page after an id.
pub(super) fn token(id: u64, list: List) -> String {
    format!("{id}{}{:02}", list.number(), check(id, list))
}

fn read(token: &str, list: List) -> Option<u64> {
    let split = token.len().checked_sub(3)?;
    let (id, tail) = token.split_at_checked(split)?;
    let id = id.parse().ok()?;
    (tail == format!("{}{:02}", list.number(), check(id, list))).then_some(id)
}

fn check(id: u64, list: List) -> u64 {
    (id / 3 + list.number()) % 97
}

/// Which labels a message must have, and whether spam and trash are shown.
#[derive(Debug)]
pub(super) struct Filter {
    numbers: Vec<u16>,
    hides: bool,
}

impl Filter {
    /// Reads `labelIds` and `includeSpamTrash`.
    pub(super) fn new(asked: &Asked, labels: &Labels) -> Result<Self, Box<Answer>> {
        let mut numbers = Vec::new();
        for id in asked.list("labelIds").unwrap_or_default() {
            match labels.number(id) {
                Some(number) => numbers.push(number),
                None => return Err(Box::new(invalid(&format!("Invalid label: {id}")))),
            }
        }
        let asks_for_hidden = crate::world::LabelSet::new(numbers.clone()).is_hidden();
        Ok(Self {
            hides: asked.param("includeSpamTrash") != Some("true") && !asks_for_hidden,
            numbers,
        })
    }

    /// Whether a message is shown.
    pub(super) fn shows(&self, labels: &crate::world::LabelSet) -> bool {
        !(self.hides && labels.is_hidden()) && self.numbers.iter().all(|number| labels.has(*number))
    }

    /// Shows spam and trash as well.
    pub(super) fn showing_all(self) -> Self {
        Self {
            hides: false,
            ..self
        }
    }
}
