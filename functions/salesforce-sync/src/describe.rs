//! Makes a table out of the vendor's description of an object: every field that can be asked for, under its
//! own name and with its own type.

use salesync_core::error::{Code, Error, Result};
use salesync_core::schema::{Column, ColumnType, Table};
use salesync_core::validate::SoqlIdentifier;
use serde::Deserialize;

use crate::objects::Object;

/// What `sobjects/X/describe` says, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(crate) struct Description {
    fields: Vec<DescribedField>,
}

/// One field of a description. Name, label and type are what the vendor always sends.
#[derive(Debug, Deserialize)]
struct DescribedField {
    name: String,
    label: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    precision: i64,
    #[serde(default)]
    scale: i64,
    #[serde(default)]
    calculated: bool,
}

impl DescribedField {
    /// Returns the type of the field's column; `None` for a compound, whose parts are fields themselves,
    /// and for base64, which a query does not carry.
    fn column_type(&self) -> Option<ColumnType> {
        Some(match self.kind.as_str() {
            "address" | "location" | "base64" => return None,
            "boolean" => ColumnType::Bool,
            "int" | "long" => ColumnType::Int,
            "currency" | "double" | "percent" => decimal(self.precision, self.scale),
            "date" => ColumnType::Date,
            "datetime" => ColumnType::Timestamp,
            "anyType" | "complexvalue" | "json" => ColumnType::Json,
            _ => ColumnType::Text,
        })
    }

    fn comment(&self) -> String {
        match self.calculated {
            // Formulas and roll-ups do not move SystemModstamp.
            true => format!(
                "{} (calculated: as of the record's last change)",
                self.label
            ),
            false => self.label.clone(),
        }
    }
}

/// The digits after the point that a decimal has at least. The described scale is what the vendor shows;
/// values that came in by its API can have more digits, and what a column can't hold is not rounded.
const LEAST_SCALE: i64 = 9;

/// The decimal that holds what the vendor describes; where it describes none, the widest one.
fn decimal(precision: i64, scale: i64) -> ColumnType {
    if !(1..=38).contains(&precision) || !(0..=precision).contains(&scale) {
        return ColumnType::NUMBER;
    }
    let whole = precision - scale;
    let scale = scale.max(LEAST_SCALE).min(38 - whole);
    match (u8::try_from(whole + scale), i8::try_from(scale)) {
        (Ok(precision), Ok(scale)) => ColumnType::Decimal { precision, scale },
        _ => ColumnType::NUMBER,
    }
}

/// An object as it was described: its table and the names that statements may use.
#[derive(Debug, Clone)]
pub(crate) struct Described {
    /// The table that its records fill.
    pub(crate) table: Table,
    /// Every field of the table, as it stands in a statement, `Id` first and `SystemModstamp` second.
    pub(crate) fields: Vec<SoqlIdentifier>,
}

impl Description {
    /// Returns the names of the fields that can be asked for, `Id` and `SystemModstamp` first.
    ///
    /// # Errors
    /// [`Code::SourceForbidden`] where one of these two is hidden from the login.
    pub(crate) fn names(&self) -> Result<Vec<SoqlIdentifier>> {
        let mut names = Vec::with_capacity(self.fields.len());
        for key in ["Id", "SystemModstamp"] {
            if !self.fields.iter().any(|field| field.name == key) {
                return Err(
                    Error::new(Code::SourceForbidden, "read a description").with("field", key)
                );
            }
            names.push(SoqlIdentifier::parse(key)?);
        }
        for field in self
            .fields
            .iter()
            .filter(|field| field.column_type().is_some())
        {
            if matches!(field.name.as_str(), "Id" | "SystemModstamp") {
                continue;
            }
            match SoqlIdentifier::parse(&field.name) {
                Ok(name) => names.push(name),
                Err(error) => {
                    tracing::warn!(error = %error, "a field's name can't stand in a statement")
                }
            }
        }
        Ok(names)
    }

    /// Returns the object's table and field names.
    ///
    /// # Errors
    /// As [`Description::names`].
    pub(crate) fn described(&self, object: &Object) -> Result<Described> {
        let fields = self.names()?;
        let mut columns = Vec::with_capacity(fields.len());
        for field in &self.fields {
            if let (Some(column_type), Ok(name)) =
                (field.column_type(), SoqlIdentifier::parse(&field.name))
            {
                columns.push(Column::new(name.as_str(), column_type, field.comment())?);
            }
        }
        let table = Table::new(
            &format!("salesforce_{}", object.stream),
            object.comment,
            columns,
        )?;
        Ok(Described { table, fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects;

    fn described(stream: &str, text: &str) -> Described {
        let description: Description = serde_json::from_str(text).unwrap();
        description
            .described(objects::of_stream(stream).unwrap())
            .unwrap()
    }

    #[test]
    fn every_field_becomes_a_column_of_its_described_type() {
        let described = described(
            "opportunities",
            include_str!("../fixtures/opportunities/describe.json"),
        );
        assert_eq!(described.table.name().as_str(), "salesforce_opportunities");
        let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
        let cases = [
            ("Name", ColumnType::Text, "Name"),
            ("Amount", decimal(25, 9), "Amount"),
            ("Probability", decimal(12, 9), "Probability (%)"),
            ("TotalOpportunityQuantity", decimal(25, 9), "Quantity"),
            ("Region_Code__c", ColumnType::Int, "Region Code"),
            ("CloseDate", ColumnType::Date, "Close Date"),
            ("SystemModstamp", ColumnType::Timestamp, "System Modstamp"),
            ("IsDeleted", ColumnType::Bool, "Deleted"),
            ("StageName", ColumnType::Text, "Stage"),
            ("AccountId", ColumnType::Text, "Account ID"),
            ("Site__Latitude__s", decimal(18, 15), "Site (Latitude)"),
            (
                "Expected__c",
                decimal(25, 9),
                "Expected (calculated: as of the record's last change)",
            ),
        ];
        for (name, column_type, comment) in cases {
            let column = &described.table.columns()[described.table.position(name).unwrap()];
            assert_eq!(
                (column.column_type, column.comment.as_str()),
                (column_type, comment),
                "{name}"
            );
        }
        for left_out in ["Id", "Site__c", "Attachment__c"] {
            assert_eq!(described.table.position(left_out), None);
        }
        let names: Vec<_> = described
            .fields
            .iter()
            .map(SoqlIdentifier::as_str)
            .collect();
        assert_eq!(names[..2], ["Id", "SystemModstamp"]);
        assert_eq!(names.len(), described.table.columns().len() + 1);
    }

    #[test]
    fn a_description_without_the_change_time_names_the_field() {
        let description: Description =
            serde_json::from_str(r#"{"fields":[{"name":"Id","label":"","type":"id"}]}"#).unwrap();
        let error = description.names().unwrap_err();
        assert_eq!(error.code(), Code::SourceForbidden);
        assert!(error.to_string().contains("SystemModstamp"));
    }

    #[test]
    fn an_undescribed_or_absurd_precision_becomes_the_widest_decimal() {
        let exactly = |precision, scale| ColumnType::Decimal { precision, scale };
        let cases = [
            (18, 2, exactly(25, 9)),
            (18, 15, exactly(18, 15)),
            (38, 0, exactly(38, 0)),
            (36, 4, exactly(38, 6)),
            (0, 0, ColumnType::NUMBER),
            (64, 4, ColumnType::NUMBER),
            (-1, 2, ColumnType::NUMBER),
            (4, 9, ColumnType::NUMBER),
            (i64::MAX, i64::MAX, ColumnType::NUMBER),
        ];
        for (precision, scale, expected) in cases {
            assert_eq!(decimal(precision, scale), expected, "{precision}, {scale}");
        }
    }
}
