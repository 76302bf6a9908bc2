//! Entity ids: minted once from a record, kept for good, never reused.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ulid::{ULID_LEN, Ulid};

use super::identity::EntityKind;

/// The id of a person (`per_…`) or company (`com_…`): the prefix and 26 characters of Crockford's base 32. Ids are in the
/// order of their texts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntityId {
    prefix: [u8; PREFIX_LEN],
    /// The most significant byte first.
    number: [u8; 16],
}

const PREFIX_LEN: usize = 4;

/// Returns what the ids of a kind begin with.
const fn prefix(kind: EntityKind) -> [u8; PREFIX_LEN] {
    match kind {
        EntityKind::Person => *b"per_",
        EntityKind::Company => *b"com_",
    }
}

/// An id as text.
#[derive(Debug, Clone, Copy)]
pub struct EntityIdText([u8; PREFIX_LEN + ULID_LEN]);

/// Why a text is no entity id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntityIdError {
    /// It starts with neither `per_` nor `com_`.
    Prefix,
    /// What follows the prefix is not 26 characters of Crockford's base 32 in capitals.
    Body,
}

impl fmt::Display for EntityIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prefix => "an entity id starts with per_ or com_",
            Self::Body => "an entity id ends in 26 characters of base 32",
        })
    }
}

impl std::error::Error for EntityIdError {}

impl EntityId {
    /// Reads an id.
    ///
    /// # Errors
    ///
    /// Where the text is not an id as [`EntityId`] describes it.
    pub fn parse(text: &str) -> Result<Self, EntityIdError> {
        let parts = text.split_at_checked(PREFIX_LEN);
        let (before, body) = parts.ok_or(EntityIdError::Prefix)?;
        let kinds = [EntityKind::Person, EntityKind::Company];
        let mut prefixes = kinds.into_iter().map(prefix);
        let prefix = prefixes.find(|it| *it == *before.as_bytes());
        let prefix = prefix.ok_or(EntityIdError::Prefix)?;
        let ulid = Ulid::from_string(body).map_err(|_| EntityIdError::Body)?;
        if ulid.array_to_str(&mut [0; ULID_LEN]) != body {
            return Err(EntityIdError::Body);
        }
        let number = ulid.to_bytes();
        Ok(Self { prefix, number })
    }

    /// Mints the id of an entity by the source, stream and id of its first record. `turn` is 0, or counts up past
    /// ids that are taken.
    pub(super) fn mint(kind: EntityKind, [source, stream, id]: [&str; 3], turn: u32) -> Self {
        let mut hash = Sha256::new();
        for part in [kind.as_str(), source, stream, id] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.update(turn.to_be_bytes());
        let mut number = [0; 16];
        let digest = hash.finalize();
        number
            .iter_mut()
            .zip(digest)
            .for_each(|(byte, of_digest)| *byte = of_digest);
        let prefix = prefix(kind);
        Self { prefix, number }
    }

    /// Returns the id as text.
    pub fn text(&self) -> EntityIdText {
        let mut text = [0; PREFIX_LEN + ULID_LEN];
        if let Some((before, body)) = text.split_first_chunk_mut()
            && let Ok(body) = body.try_into()
        {
            *before = self.prefix;
            Ulid::from_bytes(self.number).array_to_str(body);
        }
        EntityIdText(text)
    }

    /// Returns what the entity is.
    pub fn kind(&self) -> EntityKind {
        if self.prefix == prefix(EntityKind::Company) {
            EntityKind::Company
        } else {
            EntityKind::Person
        }
    }
}

impl Deref for EntityIdText {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl fmt::Debug for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl FromStr for EntityId {
    type Err = EntityIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for EntityId {
    type Error = EntityIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<EntityId> for String {
    fn from(id: EntityId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_id_reads_back_and_says_its_kind() {
        let record = ["hubspot", "contacts", "7"];
        for kind in [EntityKind::Person, EntityKind::Company] {
            let id = EntityId::mint(kind, record, 0);
            assert_eq!(EntityId::parse(&id.text()), Ok(id));
            assert_eq!(id.kind(), kind);
            let expected = match kind {
                EntityKind::Person => "per_1ZJ2QWHF1T9ZCJQ74EHVXMZ2S2",
                EntityKind::Company => "com_4XHA7BPPQJB4BHSFVZMNK5K1NC",
            };
            assert_eq!(id.to_string(), expected, "ids of old must be found again");
            assert_ne!(id, EntityId::mint(kind, record, 1));
        }
    }

    #[test]
    fn ids_are_in_the_order_of_their_texts() {
        let kinds = [EntityKind::Person, EntityKind::Company];
        let mint = |turn| kinds.map(|kind| EntityId::mint(kind, ["crm", "people", "1"], turn));
        let mut ids: Vec<EntityId> = (0..50).flat_map(mint).collect();
        ids.sort_unstable();
        assert!(ids.is_sorted_by_key(ToString::to_string));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "per_",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "per_01arz3ndektsv4rrffq69g5fav",
            "per_zz",
            "per_8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "pers01ARZ3NDEKTSV4RRFFQ69G5FAV",
        ] {
            assert!(EntityId::parse(text).is_err(), "{text}");
        }
    }
}
