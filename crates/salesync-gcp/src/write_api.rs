//! The second road for rows: the Storage Write API, which takes a fraction of a second where a load job takes some, and is
//! billed by the byte. Rows go into a stream of their own that is seen by nobody until it is committed, each at its
//! place, so that one which is sent again is there once.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array as _, ArrayRef, AsArray as _, Decimal128Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;
use google_cloud_auth::credentials::anonymous;
use google_cloud_bigquery::client::Write;
use google_cloud_bigquery::error::{AppendError, CommitError, WriterBuilderError};
use google_cloud_bigquery::model::{ArrowRecordBatch, ArrowSchema};
use google_cloud_bigquery::write::PendingWriter;
use google_cloud_bigquery::write::format::Arrow;
use google_cloud_bigquery::write::stream_type::PendingStream;
use google_cloud_gax::error::rpc::Code as Rpc;
use salesync_core::error::{Code, Error, Result};

use crate::login::{Federation, credentials_of_bigquery};

const OPERATION: &str = "write rows";
/// A request may be 10 MB; the rest of it is small.
const REQUEST_BYTES: usize = 9 * 1024 * 1024;

/// A stream that takes longer than this has come to nothing.
const LONGEST: Duration = Duration::from_secs(300);

/// A connection to the Storage Write API; it is opened when it is first used.
#[derive(Debug)]
pub(crate) struct WriteApi {
    /// The origin of an emulator.
    emulator: Option<String>,
    /// The description of a federation, where BigQuery is asked as one.
    login: Option<Federation>,
    client: tokio::sync::OnceCell<Write>,
}

impl WriteApi {
    pub(crate) fn new(emulator: Option<String>, login: Option<Federation>) -> Self {
        Self {
            emulator,
            login,
            client: tokio::sync::OnceCell::new(),
        }
    }

    /// Writes rows to a table that is there, called `projects/…/datasets/…/tables/…`, all of them or nothing.
    ///
    /// # Cancel safety
    /// A dropped call has written all rows or none.
    pub(crate) async fn write(&self, table: &str, rows: &RecordBatch) -> Result<()> {
        let writes = tokio::time::timeout(LONGEST, self.write_all(table, rows));
        writes.await.unwrap_or_else(|_| Err(failed(None)))
    }

    async fn write_all(&self, table: &str, rows: &RecordBatch) -> Result<()> {
        let client = self.client.get_or_try_init(|| self.connect()).await?;
        let schema = ArrowSchema::new().set_serialized_schema(header(rows)?.0);
        let stream = client.create_stream::<PendingStream>(table);
        let writer: PendingWriter<Arrow> = stream
            .build_arrow(schema)
            .await
            .map_err(|error| failed(rpc_of_builder(&error)))?;
        let (mut offset, mut answers) = (0, Vec::new());
        for (count, piece) in pieces(rows)? {
            let piece = ArrowRecordBatch::new().set_serialized_record_batch(piece);
            answers.push(writer.append(piece).set_offset(offset).send());
            offset += count;
        }
        for answer in answers {
            answer.await.map_err(|error| match &error {
                AppendError::Rpc { source, .. } => failed(source.status().map(|it| it.code)),
                AppendError::RowErrors { .. } => Error::new(Code::StoreSchema, OPERATION),
                _ => failed(None),
            })?;
        }
        writer
            .finalize()
            .await
            .map_err(|error| failed(error.status().map(|it| it.code)))?;
        writer.commit().await.map_err(|error| match &error {
            CommitError::Rpc { source, .. } => failed(source.status().map(|it| it.code)),
            _ => failed(None),
        })?;
        Ok(())
    }

    async fn connect(&self) -> Result<Write> {
        let mut builder = Write::builder();
        builder = match &self.emulator {
            Some(origin) => builder
                .with_endpoint(origin)
                .with_credentials(anonymous::Builder::new().build()),
            None => builder.with_credentials(credentials_of_bigquery(self.login.as_ref())?),
        };
        builder.build().await.map_err(|error| {
            Error::new(Code::StoreUnavailable, "open the Storage Write API").because(error)
        })
    }
}

fn rpc_of_builder(error: &WriterBuilderError) -> Option<Rpc> {
    let source = std::error::Error::source(error)?;
    let source = source.downcast_ref::<google_cloud_gax::error::Error>()?;
    source.status().map(|it| it.code)
}

/// What went wrong, by the code alone: the message may quote values.
fn failed(code: Option<Rpc>) -> Error {
    let own = match code {
        Some(Rpc::PermissionDenied | Rpc::Unauthenticated) => Code::ConfigInvalid,
        Some(Rpc::InvalidArgument) => Code::StoreSchema,
        _ => Code::StoreUnavailable,
    };
    let error = Error::new(own, OPERATION);
    match code {
        Some(code) => error.with("status", code),
        None => error,
    }
}

/// Returns rows with their decimals as text: neither is rounded on the way, and a query makes them numbers again.
pub(crate) fn with_plain_decimals(rows: &RecordBatch) -> Result<RecordBatch> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in rows.schema().fields().iter().zip(rows.columns()) {
        let column = match field.data_type() {
            DataType::Decimal128(_, _) => texts(column.as_primitive()),
            _ => Arc::clone(column),
        };
        fields.push(Field::new(field.name(), column.data_type().clone(), true));
        columns.push(column);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(internal)
}

fn texts(decimals: &Decimal128Array) -> ArrayRef {
    let each = (0..decimals.len()).map(|index| {
        let is_there = decimals.is_valid(index);
        is_there.then(|| decimals.value_as_string(index))
    });
    Arc::new(each.collect::<StringArray>())
}

/// Returns the message with the schema, and a writer after it.
fn header(rows: &RecordBatch) -> Result<(Bytes, StreamWriter<Vec<u8>>)> {
    let writer = StreamWriter::try_new(Vec::new(), &rows.schema()).map_err(internal)?;
    Ok((Bytes::copy_from_slice(writer.get_ref()), writer))
}

/// Returns rows in messages that each fit into a request, with the number of their rows.
fn pieces(rows: &RecordBatch) -> Result<Vec<(i64, Bytes)>> {
    let (header, mut writer) = header(rows)?;
    writer.write(rows).map_err(internal)?;
    let count = rows.num_rows();
    let message = writer.get_ref().get(header.len()..).unwrap_or_default();
    if message.len() <= REQUEST_BYTES || count <= 1 {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        return Ok(vec![(count, Bytes::copy_from_slice(message))]);
    }
    let half = count / 2;
    let mut all = pieces(&rows.slice(0, half))?;
    all.extend(pieces(&rows.slice(half, count - half))?);
    Ok(all)
}

fn internal(error: ArrowError) -> Error {
    Error::new(Code::Internal, OPERATION).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_so_that_each_piece_fits_into_a_request_and_none_is_missing() {
        let texts: StringArray = (0..40).map(|_| Some("x".repeat(1 << 20))).collect();
        let rows = RecordBatch::try_from_iter([("text", Arc::new(texts) as ArrayRef)]).unwrap();
        let pieces = pieces(&rows).unwrap();
        assert!(pieces.len() >= 5);
        assert!(pieces.iter().all(|(_, piece)| piece.len() <= REQUEST_BYTES));
        assert_eq!(pieces.iter().map(|(count, _)| count).sum::<i64>(), 40);
    }

    #[test]
    fn decimals_keep_all_their_digits_as_text() {
        let numbers = arrow::array::Decimal128Array::from(vec![Some(-123_456_789), None])
            .with_precision_and_scale(18, 4)
            .unwrap();
        let rows = RecordBatch::try_from_iter([("n", Arc::new(numbers) as ArrayRef)]).unwrap();
        let plain = with_plain_decimals(&rows).unwrap();
        assert_eq!(plain.column(0).as_string::<i32>().value(0), "-12345.6789");
    }
}
