//! The warehouse port on a BigQuery dataset.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use salesync_core::batch::{Batch, Committed, Slot, State, StreamId};
use salesync_core::cursor::Cursor;
use salesync_core::error::{Code, Error, Result};
use salesync_core::plain::NewRows;
use salesync_core::schema::{SchemaChange, Table};
use salesync_core::sets::Sets;
use salesync_core::staging;
use salesync_core::time::Timestamp;
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::{SYNC_STATE, Scan, Warehouse};

use crate::api::Api;
use crate::commit::commit;
use crate::layout::lay_out;
use crate::prepare;
use crate::queue::BigQueryQueue;
use crate::scan::{replace, scan};
use crate::script::Script;
use crate::sets::BigQuerySets;
use crate::settings::BigQuerySettings;
use crate::tables::Tables;

/// A warehouse in a BigQuery dataset.
#[derive(Debug, Clone)]
pub struct BigQueryWarehouse {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    api: Api,
    tables: Tables,
}

impl BigQueryWarehouse {
    /// Opens the dataset, which is made where there is none, with the shared tables and the views.
    ///
    /// # Errors
    /// `ERR_CONFIG_INVALID` where a name is wrong, there are no credentials, or they may not do what is needed;
    /// `ERR_STORE_UNAVAILABLE`.
    ///
    /// # Cancel safety
    /// A dropped opening leaves at most empty tables behind.
    pub async fn open(settings: &BigQuerySettings) -> Result<Self> {
        let (mut api, tables) = (Api::new(settings)?, Tables::default());
        lay_out(&mut api, &tables).await?;
        let shared = Shared { api, tables };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Asks whether the credentials may see the dataset and run jobs, and changes nothing. A dataset that is not there
    /// yet is no failure.
    ///
    /// # Errors
    /// As [`BigQueryWarehouse::open`].
    pub async fn check(settings: &BigQuerySettings) -> Result<()> {
        let mut api = Api::new(settings)?;
        api.find_dataset(&settings.dataset).await?;
        let nothing = Script::of("SELECT 1");
        api.run("run a job", &nothing).await.map(drop)
    }

    /// Removes the dataset and its staging tables, with all that is in them; where there is none, nothing happens.
    ///
    /// # Errors
    /// As [`BigQueryWarehouse::open`].
    pub async fn remove(settings: &BigQuerySettings) -> Result<()> {
        let api = Api::new(settings)?;
        api.remove(&settings.dataset).await?;
        api.remove(&api.staging()).await
    }

    /// Returns the queue of dead letters in the same dataset.
    #[must_use]
    pub fn queue(&self) -> BigQueryQueue {
        BigQueryQueue::new(self.clone())
    }

    pub(crate) fn api(&self) -> &Api {
        &self.shared.api
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.shared.tables
    }
}

#[async_trait]
impl Warehouse for BigQueryWarehouse {
    fn describe(&self) -> String {
        format!("bigquery:{}/{}", self.api().project, self.api().dataset)
    }

    async fn prepare(&self, table: &Arc<Table>) -> Result<Vec<SchemaChange>> {
        let names = BTreeSet::from([table.name().as_str()]);
        let _turns = self.api().quotas.rows(names).await;
        prepare::raw(self.api(), self.tables(), table).await
    }

    async fn cursor(&self, id: &StreamId, slot: Slot) -> Result<Option<State>> {
        let mut script = Script::default();
        let (source, stream) = (script.text(&id.source), script.text(&id.stream));
        let part = match &id.part {
            None => "part IS NULL".to_owned(),
            Some(part) => format!("part = {}", script.text(part)),
        };
        let slot_name = script.text(slot.as_str());
        script.run(format!(
            "SELECT generation, epoch, seq, run_id, cursor, source_clock, committed_at FROM {} \
             WHERE source = {source} AND stream = {stream} AND {part} AND slot = {slot_name} \
             ORDER BY generation DESC, epoch DESC, seq DESC, run_id DESC LIMIT 1",
            self.api().named(SYNC_STATE.name)
        ));
        let rows = self.api().run("read a cursor", &script).await?;
        let row = rows.pages.into_iter().flatten().next();
        row.map(|row| state_of(row, id, slot)).transpose()
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Committed>> {
        let written = batch.writes.iter().filter(|write| write.is_something());
        let names = written.map(|write| write.table.name().as_str());
        let _turns = self.api().quotas.rows(names.collect()).await;
        commit(self.api(), self.tables(), &batch).await
    }

    async fn columns(&self, table: &SqlIdentifier) -> Result<Vec<String>> {
        let table = self.api().table(table.as_str()).await?;
        let fields = table.into_iter().flat_map(|table| table.schema.fields);
        Ok(fields.map(|field| field.name).collect())
    }

    async fn scan(&self, wanted: &Scan) -> Result<Vec<RecordBatch>> {
        scan(self.api(), self.tables(), wanted).await
    }

    async fn replace(&self, tables: Vec<NewRows>) -> Result<()> {
        let names = tables.iter().map(|rows| rows.table.name);
        let _turns = self.api().quotas.rows(names.collect()).await;
        replace(self.api(), self.tables(), tables).await
    }

    async fn sets(&self) -> Result<Option<Box<dyn Sets>>> {
        let sets = BigQuerySets::new(self.clone()).await?;
        Ok(Some(Box::new(sets)))
    }
}

fn state_of(row: Vec<Option<String>>, id: &StreamId, slot: Slot) -> Result<State> {
    let corrupt = || {
        Error::new(Code::StoreCorrupt, "read a cursor")
            .with("source", &id.source)
            .with("stream", &id.stream)
    };
    let cell = |index: usize| row.get(index).and_then(Option::as_deref);
    let number = |index| -> Result<u64> {
        let number = cell(index).and_then(|text| text.parse().ok());
        number.ok_or_else(corrupt)
    };
    let time = |index| -> Result<Timestamp> {
        let micros = cell(index).and_then(|text| text.parse().ok());
        micros.map(Timestamp::from_micros).ok_or_else(corrupt)
    };
    Ok(State {
        id: id.clone(),
        slot,
        generation: number(0)?,
        epoch: number(1)?,
        seq: number(2)?,
        run_id: staging::run_id(cell(3).ok_or_else(corrupt)?.to_owned())?,
        cursor: cell(4).map(Cursor::from_json).transpose()?,
        source_clock: time(5)?,
        committed_at: time(6)?,
    })
}
