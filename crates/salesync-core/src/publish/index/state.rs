//! What the next resolve goes on from.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};

use super::super::rows::{Texts, unreadable};
use super::tables::STATE;
use crate::error::Result;
use crate::plain::{NewRows, PlainRows, count, text};
use crate::record::Value;
use crate::resolve::{Learnt, Override};
use crate::run::RunId;
use crate::time::Timestamp;
use crate::validate::SqlIdentifier;
use crate::warehouse::{Scan, Warehouse};

/// What the last resolve left.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Kept {
    /// What was read at that time or later is not resolved yet, or perhaps not.
    pub(in super::super) changed_since: Timestamp,
    /// A digest of all that asks for a whole resolve where it changes.
    pub(in super::super) circumstances: String,
    pub(in super::super) learnt: Learnt,
    /// What people had decided.
    pub(in super::super) overrides: Vec<Override>,
    /// How many records there were when all were resolved last.
    pub(in super::super) records: u64,
    /// How many changed since.
    pub(in super::super) changed: u64,
    pub(in super::super) people: u64,
    pub(in super::super) companies: u64,
    pub(in super::super) interactions: u64,
    pub(in super::super) deals: u64,
}

impl Kept {
    /// What cannot be read.
    fn in_other_words() -> Self {
        Self {
            changed_since: Timestamp::from_micros(0),
            circumstances: String::new(),
            learnt: Learnt::default(),
            overrides: Vec::new(),
            records: 0,
            changed: 0,
            people: 0,
            companies: 0,
            interactions: 0,
            deals: 0,
        }
    }
}

/// Returns what the last resolve left; nothing where there was none, or one that kept nothing.
pub(in super::super) async fn kept(warehouse: &dyn Warehouse) -> Result<Option<Kept>> {
    let scan = Scan {
        newest_by: Some(SqlIdentifier::parse("resolved_at")?),
        limit: Some(1),
        ..Scan::of(SqlIdentifier::parse(STATE.name)?)
    };
    let found = warehouse.scan(&scan).await?;
    let Some(batch) = found.into_iter().find(|batch| batch.num_rows() > 0) else {
        return Ok(None);
    };
    let texts = Texts::of(&batch, &["circumstances", "learnt", "overrides"])?;
    let [Some(circumstances), Some(learnt), Some(overrides)] = texts.row(0) else {
        return Err(unreadable());
    };
    let since = batch.column_by_name("changed_since");
    let since = since.and_then(|it| it.as_primitive_opt::<TimestampMicrosecondType>());
    let number = |name: &str| {
        let column = batch.column_by_name(name);
        let column = column.and_then(|it| it.as_primitive_opt::<Int64Type>());
        let number = column.filter(|column| column.is_valid(0))?.value(0);
        u64::try_from(number).ok()
    };
    let read = || {
        Some(Kept {
            changed_since: Timestamp::from_micros(since?.value(0)),
            circumstances: circumstances.to_owned(),
            learnt: serde_json::from_str(learnt).ok()?,
            overrides: serde_json::from_str(overrides).ok()?,
            records: number("records")?,
            changed: number("changed")?,
            people: number("people")?,
            companies: number("companies")?,
            interactions: number("interactions")?,
            deals: number("deals")?,
        })
    };
    // What another version has left may be in other words: then its circumstances are none of ours.
    Ok(Some(read().unwrap_or_else(Kept::in_other_words)))
}

/// Returns the row that puts this in the place of what the last resolve left; nothing leaves none.
pub(in super::super) fn state_row(
    kept: Option<&Kept>,
    (run_id, now): (&RunId, Timestamp),
) -> Result<NewRows> {
    let mut rows = PlainRows::new(&STATE)?;
    if let Some(kept) = kept {
        let learnt = serde_json::to_string(&kept.learnt).map_err(|_| unreadable())?;
        let overrides = serde_json::to_string(&kept.overrides).map_err(|_| unreadable())?;
        rows.push(&[
            text(Some(run_id.as_str())),
            Value::Timestamp(now),
            Value::Timestamp(kept.changed_since),
            text(Some(&kept.circumstances)),
            text(Some(&learnt)),
            text(Some(&overrides)),
            count(kept.records),
            count(kept.changed),
            count(kept.people),
            count(kept.companies),
            count(kept.interactions),
            count(kept.deals),
        ])?;
    }
    Ok(rows.finish()?.into())
}
