//! Resolves all records in an engine of sets, and publishes what came of it.

mod parts;
mod rows;

use std::collections::HashMap;
use std::sync::Arc;

use super::index::{self, Kept, WarehouseIndex};
use super::resolving::{Resolving, size};
use super::{Resolved, identities, published};
use crate::error::Result;
use crate::resolve::remote::{Concluded, Look, conclude, first_look, head, rules, second_look};
use crate::resolve::{EntityKind, Identity, IndexChange, Learnt, Resolution, remote};
use crate::sets::Sets;
use crate::sets::tables::SLOTS;
use crate::sync::{Observation, Observer};

/// So many records, more or less, are looked at at a time.
const SHARE: u64 = 100_000;

/// What came of all parts so far.
struct Sum<'a> {
    observe: &'a Observer,
    resolved: Resolved,
    /// Whether a later resolve is to go on from this one.
    is_indexed: bool,
    /// Entities of the kind at hand that might be one.
    reviews: u64,
    /// How many people's records there are.
    people: usize,
    /// Whom interactions and deals are told by, where there are any.
    known: Option<Resolution>,
}

impl Resolving<'_> {
    /// Resolves all records where they are. `had_state` says that an earlier resolve kept what it would take to resolve only
    /// what changed.
    pub(super) async fn all_in_warehouse(
        self,
        sets: &dyn Sets,
        had_state: bool,
        observe: &Observer,
    ) -> Result<Resolved> {
        let mut learnt = Learnt::default();
        let has_any = published::has_any(self.warehouse, self.sources).await?;
        let mut sum = Sum {
            observe,
            resolved: Resolved::default(),
            is_indexed: false,
            reviews: 0,
            people: 0,
            known: has_any.then(Resolution::default),
        };
        sets.put(vec![rows::decided(&self.overrides)?]).await?;
        sum.resolved.records = self.look_at_all(sets, &sum).await?;
        let is_indexed = sum.resolved.records >= size(self.settings.index_from);
        sum.is_indexed = is_indexed;
        learnt.count_companies(&sets.count_companies().await?, &self.settings.model);
        self.conclude_kind(sets, EntityKind::Company, (&mut learnt, &mut sum))
            .await?;
        sets.tell_names().await?;
        sets.tell_organisations().await?;
        self.look_at_people(sets, &sum).await?;
        let counts = sets.count_people().await?;
        sum.people = counts.records;
        learnt.count_people(&counts, &self.settings.model);
        self.conclude_kind(sets, EntityKind::Person, (&mut learnt, &mut sum))
            .await?;
        let vanished = sets.vanished().await?;
        for kind in [EntityKind::Company, EntityKind::Person] {
            let part = parts::of_vanished(kind, &vanished)?;
            self.conclude_part(sets, (kind, part), (&learnt, &mut sum))
                .await?;
        }
        let mut known = sum.known.take().unwrap_or_default();
        published::sort(&mut known);
        let happened = self.all_happened(Arc::new(known)).await?;
        sum.resolved.interactions = happened.interactions;
        sum.resolved.deals = happened.deals;
        let kept = is_indexed.then(|| Kept {
            changed_since: self.unsettled_since,
            circumstances: self.circumstances.clone(),
            learnt: learnt.clone(),
            overrides: self.overrides.clone(),
            records: sum.resolved.records,
            changed: 0,
            people: sum.resolved.people,
            companies: sum.resolved.companies,
            interactions: happened.interactions,
            deals: happened.deals,
        });
        let mut rest = Vec::new();
        if is_indexed {
            rest.extend(index::no_rows()?);
        }
        if is_indexed || had_state {
            rest.push(index::state_row(kept.as_ref(), self.run)?);
        }
        rest.extend(happened.tables);
        sets.publish(rest).await?;
        Ok(sum.resolved)
    }

    /// Looks at every record for the first time; returns how many there are.
    async fn look_at_all(&self, sets: &dyn Sets, sum: &Sum<'_>) -> Result<u64> {
        let mut count = 0;
        for source in self.sources {
            for declared in source.identities {
                let reader =
                    identities::Reader::open(self.warehouse, source.name, declared).await?;
                let shares = sets.rows_in(&reader.table()?).await?.div_ceil(SHARE).max(1);
                for share in 0..shares {
                    let filter = reader.share((share, shares))?;
                    let said = reader
                        .identities(self.warehouse, filter, &self.ours)
                        .await?;
                    count += size(said.len());
                    sum.note("records", (count, false));
                    let looks = first_look(declared.kind, &said, &self.settings).await?;
                    let looks = paired(looks, said);
                    sets.put(rows::of(rows::Seen { looks, look: 1 })).await?;
                }
            }
        }
        sum.note("records", (count, true));
        Ok(count)
    }

    /// Looks at all people's records again, in the light of the others.
    async fn look_at_people(&self, sets: &dyn Sets, sum: &Sum<'_>) -> Result<()> {
        let shares = sum.resolved.records.div_ceil(SHARE);
        let shares = i64::try_from(shares).unwrap_or(SLOTS);
        let shares = shares.clamp(1, SLOTS);
        let mut count = 0;
        for share in 0..shares {
            let slots = (share * SLOTS / shares, (share + 1) * SLOTS / shares);
            let (says, facts) = sets.said(slots).await?;
            let said = says.iter().map(|it| index::says::read(it));
            let said: Vec<Identity> = said
                .collect::<serde_json::Result<_>>()
                .map_err(|_| super::rows::unreadable())?;
            count += size(said.len());
            sum.note("names", (count, false));
            let looks = second_look(&said, facts, &self.settings).await?;
            let looks = paired(looks, said);
            sets.put(rows::of(rows::Seen { looks, look: 2 })).await?;
        }
        sum.note("names", (count, true));
        Ok(())
    }

    /// Lets the records of a kind meet, weighs their pairs and clusters them.
    async fn conclude_kind(
        &self,
        sets: &dyn Sets,
        kind: EntityKind,
        (learnt, sum): (&mut Learnt, &mut Sum<'_>),
    ) -> Result<()> {
        let (settings, model) = (&self.settings, &self.settings.model);
        let stage = match kind {
            EntityKind::Company => "companies",
            EntityKind::Person => "people",
        };
        sum.note(stage, (0, false));
        let counted = sets.count_texts(kind).await?.into_iter();
        let rates = counted.map(|(field, times)| (field, times, learnt.rate(field, times)));
        let rates: Vec<_> = rates.collect();
        sets.put(vec![rows::rates(&rates)?]).await?;
        sets.tell_rarities(kind).await?;
        let rules = rules(kind, model);
        for rule in rules.iter() {
            if rule.has_users {
                let head = head(kind, settings, learnt)?;
                sets.count_users(kind, rule, &head).await?;
            }
            if let Some(lesson) = rule.lesson(kind) {
                let head = head(kind, settings, learnt)?;
                let counts = sets.levels(kind, (rule, lesson), &head).await?;
                learnt.learn(lesson, &counts)?;
            }
            if rule.teaches_namesakes() {
                let head = head(kind, settings, learnt)?;
                learnt.learn_namesakes(&sets.namesakes(&head).await?);
            }
        }
        let pairs = sets.meet(kind, &rules, model.block_window).await?;
        sum.resolved.pairs_compared += pairs;
        let accept = model.accept_bits(kind);
        let accepted = sets
            .weigh(kind, &head(kind, settings, learnt)?, accept)
            .await?;
        if kind == EntityKind::Person && learnt.wants_partners() {
            learnt.learn_partners(usize::try_from(accepted).unwrap_or(usize::MAX), sum.people);
            sets.weigh(kind, &head(kind, settings, learnt)?, accept)
                .await?;
        }
        let mut count = 0;
        for part in 0..sets.tie(kind, accept).await? {
            let part = parts::of(kind, sets.part(kind, part).await?)?;
            count += size(part.told.len());
            sum.note(stage, (count, false));
            self.conclude_part(sets, (kind, part), (learnt, sum))
                .await?;
        }
        sum.note(stage, (count, true));
        let reviews = std::mem::take(&mut sum.reviews);
        sum.resolved.to_review += reviews.min(size(remote::BOUNDS.most_reviews));
        Ok(())
    }

    /// Clusters a part, and puts what came of it with what is going to be published.
    async fn conclude_part(
        &self,
        sets: &dyn Sets,
        (kind, part): (EntityKind, remote::Part),
        (learnt, sum): (&Learnt, &mut Sum<'_>),
    ) -> Result<()> {
        let reader = WarehouseIndex(self.warehouse);
        let known = (&self.settings, learnt);
        let concluded = conclude(kind, part, known, (&self.overrides, &reader)).await?;
        let entities = rows::entities(kind, &concluded)?;
        let Concluded {
            resolution, places, ..
        } = concluded;
        sum.add(&resolution);
        let change = Arc::new(IndexChange {
            places,
            ..IndexChange::default()
        });
        let mut tables =
            super::rows::of(&Arc::new(resolution), super::rows::Replaces::All, self.run)?;
        if sum.is_indexed {
            tables.push(index::rows_of_places(&change));
        }
        tables.push(entities);
        sets.put(tables).await
    }
}

impl Sum<'_> {
    /// Tells how many records a stage is done with, and whether it has ended.
    fn note(&self, stage: &'static str, (records, done): (u64, bool)) {
        tracing::info!(
            event = "resolve_stage",
            stage,
            records,
            done,
            "resolving in the warehouse"
        );
        (self.observe)(&Observation {
            source: "resolve",
            stream: stage.to_owned(),
            fetched: records,
            written: 0,
            expected: None,
            delivered: 0,
            done,
        });
    }

    /// Adds what came of a part.
    fn add(&mut self, part: &Resolution) {
        let found = super::rows::summary(part);
        self.reviews += found.to_review;
        let sum = &mut self.resolved;
        sum.people += found.people;
        sum.companies += found.companies;
        sum.refused += found.refused;
        sum.contradicting_overrides += found.contradicting_overrides;
        sum.created += found.created;
        sum.merged += found.merged;
        sum.split += found.split;
        if let Some(known) = &mut self.known {
            published::note(known, part);
        }
    }
}

/// Puts looks together with what the records say; a record that was not looked at says nothing.
fn paired(looks: Vec<Look>, said: Vec<Identity>) -> Vec<(Look, Identity)> {
    let mut said: HashMap<u64, Identity> = said
        .into_iter()
        .map(|it| (index::number_of(it.kind, &it.record), it))
        .collect();
    let looks = looks.into_iter();
    looks
        .filter_map(|look| {
            let says = said.remove(&look.record)?;
            Some((look, says))
        })
        .collect()
}
