//! What a person's record becomes in the light of others, so that it need not be found out again.

use serde::{Deserialize, Serialize};

use super::prepared::{PersonRow, Prepared};

/// What was found out about a person's record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derived {
    /// Whether the name in its fields is no person's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_unnamed: bool,
    /// The given name and surname that its mailbox spells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) spelt: Option<(String, String)>,
    /// The texts that name its organisations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) organisations: Vec<Box<str>>,
}

impl Prepared {
    /// Returns what was found out about each record about a person, in their order.
    pub(super) fn derived(&self) -> impl Iterator<Item = (&PersonRow, Derived)> {
        let (mut unnamed, mut spelt) = (self.unnamed.clone(), self.spelt.clone());
        unnamed.sort_unstable();
        spelt.sort_unstable();
        self.people.iter().map(move |row| {
            let arrival = row.rank.arrival;
            let name = spelt.binary_search_by_key(&arrival, |(at, _)| *at).ok();
            let name = name.and_then(|at| spelt.get(at));
            let text = |symbol| self.texts.text(symbol).to_owned();
            let organisations = row.organisations.of(&self.organisations).iter();
            let derived = Derived {
                is_unnamed: unnamed.binary_search(&arrival).is_ok(),
                spelt: name.map(|(_, [first, last])| (text(*first), text(*last))),
                organisations: organisations
                    .map(|it| self.texts.text(*it).into())
                    .collect(),
            };
            (row, derived)
        })
    }
}
