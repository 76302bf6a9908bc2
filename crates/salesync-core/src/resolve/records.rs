//! Records that are taken in one after another, and which of them are one.

use std::ops::Range;

use super::Counts;
use super::cluster::{Clustering, Depth, Wanted};
use super::entity::EntityId;
use super::identity::{EntityKind, Said};
use super::keep;
use super::learnt::Learnt;
use super::model::Settings;
use super::overrides::{ByIndex, Override};
use super::prepare::Preparation;
use super::prepared::{PerText, Prepared, place};
use super::report::{self, Report};
use super::{companies, organisation, people};

/// Takes records in, keeping what is compared of each and no more.
#[derive(Debug)]
pub struct Records {
    preparation: Preparation,
    settings: Settings,
}

impl Records {
    /// Starts without records.
    pub fn new(settings: Settings) -> Self {
        Self {
            preparation: Preparation::new(settings.default_country.clone()),
            settings,
        }
    }

    /// Returns how many records were taken in.
    pub fn count(&self) -> usize {
        self.preparation.count()
    }

    /// Takes a record in. Where a record and kind come twice, the one changed last counts.
    pub fn add(&mut self, said: &Said<'_>) {
        self.preparation.add(said);
    }

    /// Takes over the records that others have taken in, as if they had come after these: several threads may take them
    /// in apart.
    pub fn absorb(&mut self, others: Self) {
        self.preparation.absorb(others.preparation);
    }

    /// Says which records are one. The same records give the same answer in whatever order they came.
    pub fn grouped(self) -> Grouped {
        self.matched(&[], Depth::Bare).grouped()
    }

    /// Says which records are one, and what that looks like as a whole: for companies and for people, where there
    /// are any.
    pub fn reported(self) -> (Grouped, Vec<Report>) {
        let model = self.settings.model.clone();
        let matched = self.matched(&[], Depth::Sampled);
        let found = [&matched.companies, &matched.people].into_iter();
        let reports = found.filter(|found| !found.clusters.is_empty());
        let reports = reports.map(|found| {
            let ids = keep::first_ids(&matched.prepared, found);
            report::of(
                &matched.prepared,
                (found, &ids),
                model.accept_bits(found.kind),
            )
        });
        let reports = reports.collect();
        (matched.grouped(), reports)
    }

    /// Matches the records as people decided about some of them; with as much beside it as `depth` says.
    pub(super) fn matched(self, overrides: &[Override], depth: Depth) -> Matched {
        let mut learnt = (depth == Depth::Indexed).then(Learnt::default);
        let (mut prepared, left_out) = self.preparation.finish(learnt.as_mut());
        let asked = Asked {
            settings: &self.settings,
            overrides,
            depth,
        };
        companies::lend(&mut prepared, learnt.as_mut());
        let (companies, company_users) = companies::cluster(&prepared, &asked, learnt.as_mut());
        organisation::assign(&mut prepared, &companies, learnt.as_mut());
        let (people, users) = people::cluster(&prepared, &asked, learnt.as_mut());
        Matched {
            prepared,
            left_out,
            companies,
            people,
            users,
            company_users,
            learnt: learnt.unwrap_or_default(),
        }
    }
}

/// How records are to be matched.
pub(super) struct Asked<'a> {
    pub(super) settings: &'a Settings,
    overrides: &'a [Override],
    depth: Depth,
}

impl<'a> Asked<'a> {
    /// Returns what that means for the records of a kind.
    pub(super) fn of(&self, prepared: &Prepared, kind: EntityKind) -> Wanted<'a> {
        Wanted {
            model: &self.settings.model,
            decided: ByIndex::of(prepared, kind, self.overrides),
            depth: self.depth,
        }
    }
}

/// Records with the clusters they fall into.
pub(super) struct Matched {
    pub(super) prepared: Prepared,
    /// Older versions of records, each with the record that counts, by arrival.
    left_out: Vec<(u32, u32)>,
    pub(super) companies: Clustering,
    pub(super) people: Clustering,
    /// How many people use each mailbox and phone.
    pub(super) users: PerText<u8>,
    /// How many companies use each domain and phone.
    pub(super) company_users: PerText<u8>,
    /// What it went by, where that was asked for.
    pub(super) learnt: Learnt,
}

impl Matched {
    /// Returns each record's entity, in the order in which they came.
    fn grouped(self) -> Grouped {
        let (prepared, left_out) = (&self.prepared, &self.left_out);
        let clusterings = [&self.companies, &self.people];
        let mut ids = keep::first_ids(prepared, &self.companies);
        let companies = ids.len();
        ids.extend(keep::first_ids(prepared, &self.people));
        let mut entity_of = vec![(0, 1.0); prepared.sources.len()];
        for (clustering, first) in clusterings.into_iter().zip([0, companies]) {
            for (at, cluster) in clustering.clusters.iter().enumerate() {
                for member in &cluster.members {
                    let arrival = prepared.arrival(clustering.kind, place(member.index));
                    let entity = arrival.and_then(|arrival| entity_of.get_mut(place(arrival)));
                    if let Some(entity) = entity {
                        *entity = (first + at, member.confidence);
                    }
                }
            }
        }
        for (later, kept) in left_out {
            let of_kept = entity_of.get(place(*kept)).copied();
            if let Some((entity, of_kept)) = entity_of.get_mut(place(*later)).zip(of_kept) {
                *entity = of_kept;
            }
        }
        Grouped {
            counts: self.counts(),
            record_ids: self.prepared.into_ids(),
            companies,
            ids,
            entity_of,
        }
    }

    /// Returns figures about the run.
    pub(super) fn counts(&self) -> Counts {
        let Self {
            prepared,
            companies,
            people,
            ..
        } = self;
        Counts {
            identities: prepared.people.len() + prepared.companies.len(),
            candidate_pairs: companies.candidate_pairs + people.candidate_pairs,
            capped_keys: companies.capped_keys + people.capped_keys,
            refused_merges: companies.refused_merges() + people.refused_merges(),
            contradicting_overrides: companies.contradicting_overrides
                + people.contradicting_overrides,
        }
    }
}

/// Which records are one, in the order in which they came.
#[derive(Debug)]
pub struct Grouped {
    /// Figures about the run.
    pub counts: Counts,
    record_ids: RecordIds,
    companies: usize,
    /// Companies, then people.
    ids: Vec<EntityId>,
    /// Each record's entity, and its confidence.
    entity_of: Vec<(usize, f32)>,
}

/// The ids of records, one after another.
#[derive(Debug)]
pub(super) struct RecordIds {
    pub(super) ids: String,
    pub(super) ends: Vec<usize>,
}

impl Grouped {
    /// Returns how many companies there are.
    pub fn companies(&self) -> usize {
        self.companies
    }

    /// Returns how many people there are.
    pub fn people(&self) -> usize {
        self.ids.len() - self.companies
    }

    /// Returns the ids of the records that came as the how many-eth, from 0, each with its entity and the probability of
    /// the strongest pair that ties it to that; 1 for a record alone.
    pub fn rows(&self, arrivals: Range<usize>) -> impl Iterator<Item = (&str, &EntityId, f32)> {
        let RecordIds { ids, ends } = &self.record_ids;
        arrivals.filter_map(|at| {
            let before = at.checked_sub(1);
            let start = before.map_or(Some(0), |before| ends.get(before).copied())?;
            let (entity, confidence) = self.entity_of.get(at)?;
            let id = ids.get(start..*ends.get(at)?)?;
            Some((id, self.ids.get(*entity)?, *confidence))
        })
    }
}
