//! Counts what all records say, and makes facts of it.

use salesync_core::error::Result;
use salesync_core::resolve::remote::{BOUNDS, CompanyCounts, PeopleCounts};
use salesync_core::resolve::{EntityKind, Fact, FactField};
use salesync_core::validate::SqlIdentifier;

use crate::landing::{landing_table, latest_view};

use super::{BigQuerySets, counts, each, unreadable, whole};

pub(super) async fn rows_in(sets: &BigQuerySets, table: &SqlIdentifier) -> Result<u64> {
    let (api, name) = (sets.api(), table.as_str());
    if api.table(name).await?.is_none() {
        return Ok(0);
    }
    let landing = landing_table(name);
    let rows = match sets.warehouse.tables().get(api, &landing).await? {
        Some(_) => latest_view(name),
        None => name.to_owned(),
    };
    let count = sets.count(&api.named(&rows)).await?;
    u64::try_from(count).map_err(|_| unreadable())
}

pub(super) async fn count_companies(sets: &BigQuerySets) -> Result<CompanyCounts> {
    sets.flush().await?;
    let statement = sets.statement(include_str!("sql/count_companies.sql"));
    let rows = statement.run("count companies").await?;
    let [names, worded_names, postal_codes, cities] = counts(&rows)?;
    Ok(CompanyCounts {
        names,
        worded_names,
        postal_codes,
        cities,
    })
}

pub(super) async fn count_people(sets: &BigQuerySets) -> Result<PeopleCounts> {
    sets.flush().await?;
    let statement = sets.statement(include_str!("sql/count_people.sql"));
    let rows = statement.run("count people").await?;
    let [records, names, bearers, postal_codes, cities, organisations] = counts(&rows)?;
    Ok(PeopleCounts {
        records,
        names,
        bearers,
        postal_codes,
        cities,
        organisations,
    })
}

pub(super) async fn count_texts(
    sets: &BigQuerySets,
    kind: EntityKind,
) -> Result<Vec<(FactField, u32)>> {
    sets.flush().await?;
    let text = match kind {
        EntityKind::Company => include_str!("sql/count_company_texts.sql"),
        EntityKind::Person => include_str!("sql/count_person_texts.sql"),
    };
    let rows = sets.statement(text).run("count texts").await?;
    each(&rows, |[field, times]| {
        let field = FactField::parse(field?)?;
        Some((field, times?.parse().ok()?))
    })
}

pub(super) async fn tell_rarities(sets: &BigQuerySets, kind: EntityKind) -> Result<()> {
    sets.flush().await?;
    sets.statement(include_str!("sql/tell_rarities.sql"))
        .table(
            "counts",
            sets.work_table(&format!("counts_{}", kind.as_str())),
        )
        .text("kind", kind.as_str())
        .run("tell how rare texts are")
        .await
        .map(drop)
}

pub(super) async fn tell_names(sets: &BigQuerySets) -> Result<()> {
    sets.flush().await?;
    sets.statement(include_str!("sql/tell_names.sql"))
        .int("several", BOUNDS.several.into())
        .int("telling", whole(BOUNDS.telling_label))
        .run("tell names")
        .await
        .map(drop)
}

pub(super) async fn tell_organisations(sets: &BigQuerySets) -> Result<()> {
    sets.flush().await?;
    sets.statement(include_str!("sql/tell_organisations.sql"))
        .int("telling", whole(BOUNDS.telling_domain))
        .int("common", BOUNDS.common_domain.into())
        .int("rare", BOUNDS.rare_domain.into())
        .int("dominant", BOUNDS.dominant_percent.into())
        .run("tell organisations")
        .await
        .map(drop)
}

pub(super) async fn said(
    sets: &BigQuerySets,
    (from, to): (i64, i64),
) -> Result<(Vec<String>, Vec<Fact>)> {
    let says = sets
        .statement(
            "SELECT says FROM {said} WHERE kind = 'person' AND slot >= @from_slot AND slot < @to_slot",
        )
        .int("from_slot", from)
        .int("to_slot", to)
        .run("read people's records")
        .await?;
    let facts = sets
        .statement(
            "SELECT DISTINCT field, text, number, organisation FROM {told} \
             WHERE slot >= @from_slot AND slot < @to_slot",
        )
        .int("from_slot", from)
        .int("to_slot", to)
        .run("read facts")
        .await?;
    let says = each(&says, |[says]| Some(says?.to_owned()))?;
    let facts = each(&facts, |[field, text, number, organisation]| {
        Some(Fact {
            field: FactField::parse(field?)?,
            text: text?.into(),
            number: number?.parse().ok()?,
            organisation: organisation.unwrap_or_default().into(),
        })
    })?;
    Ok((says, facts))
}
