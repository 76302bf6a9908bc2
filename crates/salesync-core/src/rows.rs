//! Rows on their way into Arrow: one builder per column, filled value by value.

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder,
    Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};

use crate::error::{Code, Error, Result};
use crate::record::Value;
use crate::schema::ColumnType;

/// Builds one Arrow column.
#[derive(Debug)]
pub(crate) enum ColumnBuilder {
    Text(StringBuilder),
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Decimal(Decimal128Builder),
    Double(Float64Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Date(Date32Builder),
}

impl ColumnBuilder {
    pub(crate) fn new(column_type: ColumnType) -> Result<Self> {
        Ok(match column_type {
            ColumnType::Text | ColumnType::Json => Self::Text(StringBuilder::new()),
            ColumnType::Bool => Self::Bool(BooleanBuilder::new()),
            ColumnType::Int => Self::Int(Int64Builder::new()),
            ColumnType::Decimal { precision, scale } => Self::Decimal(
                Decimal128Builder::new()
                    .with_precision_and_scale(precision, scale)
                    .map_err(|error| Error::new(Code::Internal, "build a column").because(error))?,
            ),
            ColumnType::Double => Self::Double(Float64Builder::new()),
            ColumnType::Timestamp => {
                Self::Timestamp(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
            }
            ColumnType::Date => Self::Date(Date32Builder::new()),
        })
    }

    /// Appends a value; one of another type than the column's is an internal error, never a null.
    pub(crate) fn push(&mut self, value: &Value<'_>) -> Result<()> {
        match (self, value) {
            (Self::Text(builder), Value::Text(text)) => builder.append_value(text),
            (Self::Text(builder), Value::Null) => builder.append_null(),
            (Self::Bool(builder), Value::Bool(flag)) => builder.append_value(*flag),
            (Self::Bool(builder), Value::Null) => builder.append_null(),
            (Self::Int(builder), Value::Int(number)) => builder.append_value(*number),
            (Self::Int(builder), Value::Null) => builder.append_null(),
            (Self::Decimal(builder), Value::Decimal(number)) => builder.append_value(*number),
            (Self::Decimal(builder), Value::Null) => builder.append_null(),
            (Self::Double(builder), Value::Double(number)) => builder.append_value(*number),
            (Self::Double(builder), Value::Null) => builder.append_null(),
            (Self::Timestamp(builder), Value::Timestamp(instant)) => {
                builder.append_value(instant.micros());
            }
            (Self::Timestamp(builder), Value::Null) => builder.append_null(),
            (Self::Date(builder), Value::Date(days)) => builder.append_value(*days),
            (Self::Date(builder), Value::Null) => builder.append_null(),
            _ => {
                return Err(Error::new(
                    Code::Internal,
                    "append a value of another type than its column",
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Decimal(builder) => Arc::new(builder.finish()),
            Self::Double(builder) => Arc::new(builder.finish()),
            Self::Timestamp(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(builder) => builder.len(),
            Self::Bool(builder) => builder.len(),
            Self::Int(builder) => builder.len(),
            Self::Decimal(builder) => builder.len(),
            Self::Double(builder) => builder.len(),
            Self::Timestamp(builder) => builder.len(),
            Self::Date(builder) => builder.len(),
        }
    }
}
