//! Labels of one mailbox, and sets of them.

use serde_json::{Value, json};

/// The labels that every mailbox has; a label's number is its place here.
const SYSTEM: [&str; 14] = [
    "INBOX",
    "SENT",
    "UNREAD",
    "DRAFT",
    "TRASH",
    "SPAM",
    "STARRED",
    "IMPORTANT",
    "CATEGORY_PERSONAL",
    "CATEGORY_UPDATES",
    "CATEGORY_PROMOTIONS",
    "CATEGORY_SOCIAL",
    "CATEGORY_FORUMS",
    "CHAT",
];

/// The number of `INBOX`.
pub(crate) const INBOX: u16 = 0;
/// The number of `SENT`.
pub(crate) const SENT: u16 = 1;
/// The number of `UNREAD`.
pub(crate) const UNREAD: u16 = 2;
/// The number of `DRAFT`.
pub(crate) const DRAFT: u16 = 3;
/// The number of `TRASH`.
pub(crate) const TRASH: u16 = 4;
/// The number of `SPAM`.
pub(crate) const SPAM: u16 = 5;
/// The number of `STARRED`.
pub(crate) const STARRED: u16 = 6;
/// The number of `IMPORTANT`.
pub(crate) const IMPORTANT: u16 = 7;
/// The number of `CATEGORY_PERSONAL`.
pub(crate) const PERSONAL: u16 = 8;
/// The number of `CATEGORY_UPDATES`.
pub(crate) const UPDATES: u16 = 9;
/// The number of `CATEGORY_PROMOTIONS`.
pub(crate) const PROMOTIONS: u16 = 10;

/// The labels of one message, ascending by number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LabelSet(Box<[u16]>);

impl LabelSet {
    /// Makes a set.
    pub(crate) fn new(mut numbers: Vec<u16>) -> Self {
        numbers.sort_unstable();
        numbers.dedup();
        Self(numbers.into_boxed_slice())
    }

    /// Whether a label is in it.
    pub(crate) fn has(&self, number: u16) -> bool {
        self.0.contains(&number)
    }

    /// The same with more labels.
    pub(crate) fn with(&self, numbers: &[u16]) -> Self {
        Self::new(self.0.iter().chain(numbers).copied().collect())
    }

    /// The same with fewer labels.
    pub(crate) fn without(&self, numbers: &[u16]) -> Self {
        Self(
            self.0
                .iter()
                .copied()
                .filter(|number| !numbers.contains(number))
                .collect(),
        )
    }

    /// The numbers.
    pub(crate) fn numbers(&self) -> &[u16] {
        &self.0
    }

    /// Whether lists leave such messages out unless they are asked for.
    pub(crate) fn is_hidden(&self) -> bool {
        self.has(SPAM) || self.has(TRASH)
    }
}

/// One label.
#[derive(Debug)]
struct Label {
    id: String,
    name: String,
    /// Deleted labels keep their number.
    deleted: bool,
}

/// The labels of one mailbox.
#[derive(Debug)]
pub(crate) struct Labels(Vec<Label>);

impl Labels {
    /// The system's labels alone.
    pub(crate) fn system() -> Self {
        let label = |id: &&str| Label {
            id: (*id).to_owned(),
            name: (*id).to_owned(),
            deleted: false,
        };
        Self(SYSTEM.iter().map(label).collect())
    }

    /// Makes a label of the user's and gives its number; none if the name is taken.
    pub(crate) fn create(&mut self, name: &str) -> Option<u16> {
        let taken = |label: &Label| !label.deleted && label.name.eq_ignore_ascii_case(name);
        if self.0.iter().any(taken) {
            return None;
        }
        let number = u16::try_from(self.0.len()).ok()?;
        self.0.push(Label {
            id: format!("Label_{}", self.0.len() - SYSTEM.len() + 1),
            name: name.to_owned(),
            deleted: false,
        });
        Some(number)
    }

    /// Renames a label of the user's.
    pub(crate) fn rename(&mut self, id: &str, name: &str) -> bool {
        match self.users_own(id) {
            Some(label) => {
                name.clone_into(&mut label.name);
                true
            }
            None => false,
        }
    }

    /// Deletes a label of the user's and gives its number.
    pub(crate) fn delete(&mut self, id: &str) -> Option<u16> {
        let number = self.number(id)?;
        self.users_own(id)?.deleted = true;
        Some(number)
    }

    fn users_own(&mut self, id: &str) -> Option<&mut Label> {
        self.0
            .iter_mut()
            .skip(SYSTEM.len())
            .find(|label| label.id == id && !label.deleted)
    }

    /// A label's number.
    pub(crate) fn number(&self, id: &str) -> Option<u16> {
        let place = self
            .0
            .iter()
            .position(|label| label.id == id && !label.deleted)?;
        u16::try_from(place).ok()
    }

    /// A label's number by its name in any case, as a search has it.
    pub(crate) fn named(&self, name: &str) -> Option<u16> {
        let place = self.0.iter().position(|label| {
            !label.deleted && label.name.replace(' ', "-").eq_ignore_ascii_case(name)
        })?;
        u16::try_from(place).ok()
    }

    /// A label's id; also that of a deleted one.
    pub(crate) fn id(&self, number: u16) -> &str {
        self.0
            .get(usize::from(number))
            .map_or("", |label| label.id.as_str())
    }

    /// The ids of a set.
    pub(crate) fn ids(&self, set: &LabelSet) -> Vec<&str> {
        set.numbers()
            .iter()
            .map(|number| self.id(*number))
            .collect()
    }

    /// All labels as the API lists them.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.0
            .iter()
            .enumerate()
            .filter(|(_, label)| !label.deleted)
            .map(|(place, label)| {
                if place >= SYSTEM.len() {
                    return json!({
                        "id": label.id,
                        "name": label.name,
                        "messageListVisibility": "show",
                        "labelListVisibility": "labelShow",
                        "type": "user",
                    });
                }
                let mut value = json!({"id": label.id, "name": label.name, "type": "system"});
                // As at the vendor, only some of the system's labels say how they are shown.
                if let (true, Some(map)) = (
                    label.id.starts_with("CATEGORY_") || label.id == "CHAT",
                    value.as_object_mut(),
                ) {
                    map.insert("messageListVisibility".to_owned(), Value::from("hide"));
                    map.insert("labelListVisibility".to_owned(), Value::from("labelHide"));
                }
                value
            })
            .collect()
    }
}
