//! Records that are made ready without anything being looked up.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::super::entity::EntityId;
use super::super::index::{IndexReader, IndexedEdge, IndexedRecord, KeyUse, Number, Place};
use super::super::learnt::Fact;
use crate::error::Result;

/// A store in which nothing is looked up but when ids were created, where that is not known either: all else that is needed
/// is there.
#[derive(Default)]
pub(super) struct Unread<'a> {
    pub(super) reader: Option<&'a dyn IndexReader>,
    /// Ids of which it is known whether they were ever given.
    pub(super) asked: BTreeSet<EntityId>,
    /// Those of them that were, with when.
    pub(super) given: BTreeMap<EntityId, u64>,
}

#[async_trait]
impl IndexReader for Unread<'_> {
    async fn facts(&self, _: &[Number]) -> Result<Vec<Fact>> {
        Ok(Vec::new())
    }

    async fn records(&self, _: &[Number]) -> Result<Vec<IndexedRecord>> {
        Ok(Vec::new())
    }

    async fn places(&self, _: &[Number]) -> Result<Vec<Place>> {
        Ok(Vec::new())
    }

    async fn members(&self, _: &[Number]) -> Result<Vec<Place>> {
        Ok(Vec::new())
    }

    async fn blocks(&self, _: &[Number]) -> Result<Vec<(Number, Number)>> {
        Ok(Vec::new())
    }

    async fn uses(&self, _: &[Number]) -> Result<Vec<KeyUse>> {
        Ok(Vec::new())
    }

    async fn edges(&self, _: &[Number]) -> Result<Vec<IndexedEdge>> {
        Ok(Vec::new())
    }

    async fn ages(&self, ids: &[EntityId]) -> Result<BTreeMap<EntityId, u64>> {
        let given = ids.iter().filter_map(|id| self.given.get_key_value(id));
        let mut ages: BTreeMap<EntityId, u64> = given.map(|(id, age)| (*id, *age)).collect();
        let rest = ids.iter().filter(|id| !self.asked.contains(id));
        let rest: Vec<EntityId> = rest.cloned().collect();
        if let Some(reader) = self.reader.filter(|_| !rest.is_empty()) {
            ages.extend(reader.ages(&rest).await?);
        }
        Ok(ages)
    }
}
