//! Records that are made ready without anything being looked up.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::super::entity::EntityId;
use super::super::index::{IndexReader, IndexedEdge, IndexedRecord, KeyUse, Number, Place};
use super::super::learnt::Fact;
use crate::error::Result;

/// A store in which nothing is looked up but when ids were created: all else that is needed is there.
#[derive(Clone, Copy)]
pub(super) struct Unread<'a>(pub(super) Option<&'a dyn IndexReader>);

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
        match self.0 {
            Some(reader) if !ids.is_empty() => reader.ages(ids).await,
            _ => Ok(BTreeMap::new()),
        }
    }
}
