//! Which records live on in others.

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::reading::{Cells, rows};
use crate::error::Result;
use crate::interaction::Parties;
use crate::record::DeletionReason;
use crate::resolve::RecordRef;
use crate::source::SourceDefinition;
use crate::validate::SqlIdentifier;
use crate::warehouse::{Filter, Warehouse};

/// The records that merged ones live on in.
#[derive(Debug, Default)]
pub(super) struct Merged(HashMap<RecordRef, Arc<str>>);

impl Merged {
    /// Reads which records live on in others, of the streams that interactions, deals and identities are about, or that
    /// tell of them.
    pub(super) async fn read(
        warehouse: &dyn Warehouse,
        sources: &[&'static SourceDefinition],
    ) -> Result<Self> {
        let reason = SqlIdentifier::parse("_deleted_reason")?;
        let merged_into = DeletionReason::MergedInto.as_str().to_owned();
        let filter = Filter::Equal(vec![(reason, merged_into)]);
        let places: &[&str] = &["id", "_merged_into"];
        let mut merged = HashMap::new();
        for source in sources {
            for stream in named(source) {
                let stream_name = (source.name, stream);
                for batch in rows(warehouse, stream_name, (places, filter.clone())).await? {
                    let ids = Cells::of(&batch, "id")?;
                    let survivors = Cells::of(&batch, "_merged_into")?;
                    for row in 0..batch.num_rows() {
                        let id = ids.as_ref().and_then(|cells| cells.text(row));
                        let survivor = survivors.as_ref().and_then(|cells| cells.text(row));
                        if let Some((id, survivor)) = id.zip(survivor) {
                            let record = RecordRef::new(source.name, stream, id.as_ref());
                            merged.insert(record, survivor.as_ref().into());
                        }
                    }
                }
            }
        }
        Ok(Self(merged))
    }

    /// Returns the record itself, or the one that it lives on in.
    pub(super) fn living(&self, record: RecordRef) -> RecordRef {
        match self.0.get(&record) {
            Some(survivor) => RecordRef::new(record.source, record.stream, Arc::clone(survivor)),
            None => record,
        }
    }

    /// Returns these records with those that live on in the same ones, which some of them may have been before.
    pub(super) fn with_merged(&self, records: Vec<RecordRef>) -> HashSet<RecordRef> {
        let living: HashSet<RecordRef> = records.iter().map(|it| self.living(it.clone())).collect();
        let lives_on_in_one =
            |merged: &&RecordRef| living.contains(&self.living((*merged).clone()));
        let merged = self.0.keys().filter(lives_on_in_one).cloned();
        records.into_iter().chain(merged).collect()
    }

    /// Returns the ids of those records of a stream that live on in one of these. Their rows are marked when it is read, as
    /// of the time at which the source merged them.
    pub(super) fn of_survivors<'a>(
        &'a self,
        (source, stream): (&'a str, &'a str),
        survivors: &'a BTreeSet<String>,
    ) -> impl Iterator<Item = String> + 'a {
        let of_stream = self.0.iter().filter(move |(merged, survivor)| {
            survivors.contains(&***survivor)
                && *merged.source == *source
                && *merged.stream == *stream
        });
        of_stream.map(|(merged, _)| merged.id.to_string())
    }

    /// Returns the id of the record of the same stream that a merged one lives on in.
    pub(super) fn survivor(&self, source: &str, stream: &str, id: &str) -> Option<&str> {
        let survivor = self.0.get(&RecordRef::new(source, stream, id))?;
        Some(survivor)
    }
}

/// Returns the streams whose records interactions, deals or decisions name, and those that tell of them, each once.
fn named(source: &SourceDefinition) -> Vec<&'static str> {
    let parties = source.interactions.iter().flat_map(|it| it.parties);
    let of_interactions = parties
        .filter_map(|parties| match parties {
            Parties::Records { streams, .. } => Some(*streams),
            Parties::Named { .. } | Parties::Rows { .. } => None,
        })
        .flatten()
        .copied();
    let companies = source.deals.iter().filter_map(|deal| deal.company);
    let of_deals = companies.map(|(_, stream)| stream);
    let identities = source.identities.iter().filter(|it| it.named_by == "id");
    let of_identities = identities.map(|it| it.stream);
    let tell = source.interactions.iter().map(|it| it.stream);
    let tell = tell.chain(source.deals.iter().map(|it| it.stream));
    let named = of_interactions.chain(of_deals).chain(of_identities);
    let mut named: Vec<&'static str> = named.chain(tell).collect();
    named.sort_unstable();
    named.dedup();
    named
}
