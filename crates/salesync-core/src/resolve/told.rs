//! Tells a clustering as the answer does: by records and entity ids.

use hashbrown::HashMap;

use super::Membership;
use super::cluster::{Cluster, Clustering, Edge, Reasons};
use super::entity::EntityId;
use super::evidence::{Evidence, Review};
use super::identity::{EntityKind, Identity, RecordRef};
use super::prepared::{Prepared, Symbol, place};

/// A clustering as the answer tells it.
pub(super) struct Told<'a> {
    pub(super) identities: &'a [&'a Identity],
    pub(super) prepared: &'a Prepared,
    pub(super) clustering: &'a Clustering,
    pub(super) ids: &'a [EntityId],
}

impl Told<'_> {
    fn record(&self, index: u32) -> Option<RecordRef> {
        let arrival = self.prepared.arrival(self.clustering.kind, place(index))?;
        Some(self.identities.get(place(arrival))?.record.clone())
    }

    /// Returns a record's entity and how many records that has.
    fn entity(&self, index: u32) -> Option<(&EntityId, usize)> {
        let at = place(*self.clustering.cluster_of.get(place(index))?);
        let cluster = self.clustering.clusters.get(at)?;
        Some((self.ids.get(at)?, cluster.members.len()))
    }

    /// Returns every record's place.
    pub(super) fn memberships(&self) -> impl Iterator<Item = Membership> {
        let clusters = self.clustering.clusters.iter().zip(self.ids);
        clusters.flat_map(move |(cluster, id)| {
            let emails = Self::matches(cluster, |index| self.addresses(index));
            let phones = Self::matches(cluster, |index| self.phones(index));
            let members = cluster.members.iter().zip(emails.into_iter().zip(phones));
            members.filter_map(move |(member, (email_match, phone_match))| {
                Some(Membership {
                    record: self.record(member.index)?,
                    entity_id: *id,
                    kind: self.clustering.kind,
                    confidence: member.confidence,
                    email_match,
                    phone_match,
                })
            })
        })
    }

    /// Says of each member whether another one has a value of its.
    fn matches(cluster: &Cluster, values: impl Fn(usize) -> Vec<Symbol>) -> Vec<Option<bool>> {
        let of_members = cluster.members.iter().map(|it| values(place(it.index)));
        let of_members: Vec<Vec<Symbol>> = of_members.collect();
        let mut owners: HashMap<Symbol, u32> = HashMap::new();
        // Who is alone shares nothing.
        for values in of_members.iter().filter(|_| of_members.len() > 1) {
            values
                .iter()
                .for_each(|it| *owners.entry(*it).or_default() += 1);
        }
        let is_shared = |it: &Symbol| owners.get(it).is_some_and(|owners| *owners > 1);
        let matches = of_members.iter();
        let matches = matches.map(|it| (!it.is_empty()).then(|| it.iter().any(is_shared)));
        matches.collect()
    }

    /// Returns a person's mailboxes or a company's domains, each once.
    fn addresses(&self, index: usize) -> Vec<Symbol> {
        let mut values: Vec<Symbol> = match self.clustering.kind {
            EntityKind::Person => self.prepared.person(index).map_or_else(Vec::new, |person| {
                let own = person.mailboxes.iter().map(|mailbox| mailbox.address);
                own.chain(person.role_mailboxes.iter().copied()).collect()
            }),
            EntityKind::Company => {
                let company = self.prepared.company(index);
                company.map_or_else(Vec::new, |company| company.domains.to_vec())
            }
        };
        values.sort_unstable();
        values.dedup();
        values
    }

    /// Returns a record's phones, each once.
    fn phones(&self, index: usize) -> Vec<Symbol> {
        let phones = match self.clustering.kind {
            EntityKind::Person => self.prepared.person(index).map(|person| person.phones),
            EntityKind::Company => self.prepared.company(index).map(|company| company.phones),
        };
        let mut phones = phones.unwrap_or_default().to_vec();
        phones.sort_unstable();
        phones.dedup();
        phones
    }

    fn told(&self, edge: &Edge, reasons: &Reasons) -> Option<Evidence> {
        let pair = (self.record(edge.left)?, self.record(edge.right)?);
        let (id, _) = self.entity(edge.left)?;
        Some(edge.evidence(self.clustering.kind, id, pair, reasons))
    }

    /// Returns the pairs that spoke for joining, and what came of each.
    pub(super) fn evidence(&self) -> impl Iterator<Item = Evidence> {
        let edges = self.clustering.edges.iter().zip(&self.clustering.reasons);
        edges.filter_map(|(edge, reasons)| self.told(edge, reasons))
    }

    /// Returns the entities that might be one.
    pub(super) fn review(&self) -> impl Iterator<Item = Review> {
        let uncertain = self.clustering.uncertain.iter();
        uncertain.filter_map(|(edge, reasons)| {
            let ((_, left), (other, right)) = (self.entity(edge.left)?, self.entity(edge.right)?);
            Some(Review {
                evidence: self.told(edge, reasons)?,
                other_entity_id: *other,
                record_counts: [left, right],
            })
        })
    }
}
