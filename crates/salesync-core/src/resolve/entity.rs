//! Entity ids: minted once from a record, kept for good, never reused.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ulid::Ulid;

use super::identity::EntityKind;

/// The id of a person (`per_…`) or company (`com_…`): the prefix and 26 characters of Crockford's base 32.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntityId(Arc<str>);

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
        let body = text
            .strip_prefix("per_")
            .or_else(|| text.strip_prefix("com_"))
            .ok_or(EntityIdError::Prefix)?;
        let ulid = Ulid::from_string(body).map_err(|_| EntityIdError::Body)?;
        if ulid.to_string() != body {
            return Err(EntityIdError::Body);
        }
        Ok(Self(text.into()))
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
        let number = hash
            .finalize()
            .iter()
            .take(16)
            .fold(0u128, |number, byte| (number << 8) | u128::from(*byte));
        let prefix = match kind {
            EntityKind::Person => "per_",
            EntityKind::Company => "com_",
        };
        Self(format!("{prefix}{}", Ulid(number)).into())
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what the entity is.
    pub fn kind(&self) -> EntityKind {
        if self.0.starts_with("com_") {
            EntityKind::Company
        } else {
            EntityKind::Person
        }
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
        id.0.as_ref().to_owned()
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
            assert_eq!(EntityId::parse(id.as_str()), Ok(id.clone()));
            assert_eq!(id.kind(), kind);
            assert_ne!(id, EntityId::mint(kind, record, 1));
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "per_",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "per_01arz3ndektsv4rrffq69g5fav",
            "per_zz",
        ] {
            assert!(EntityId::parse(text).is_err(), "{text}");
        }
    }
}
