//! Names, types and texts as they stand in DuckDB's SQL.

use salesync_core::schema::ColumnType;

/// Returns a name in quotes, so that keywords are names too.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns the condition under which the rows of two aliases have one key; `part` is the key's first column,
/// where it has two.
pub(crate) fn same_key(
    (left, left_id): (&str, &str),
    right: (&str, &str),
    part: Option<&str>,
) -> String {
    let (right, right_id) = right;
    let ids = format!("{left}.{} = {right}.{}", quoted(left_id), quoted(right_id));
    match part.map(quoted) {
        None => ids,
        Some(part) => format!("{ids} AND {left}.{part} = {right}.{part}"),
    }
}

/// Returns a text as a literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace('\0', ""))
}

/// Returns DuckDB's name of a type.
pub(crate) fn type_name(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Text => "VARCHAR".to_owned(),
        ColumnType::Bool => "BOOLEAN".to_owned(),
        ColumnType::Int => "BIGINT".to_owned(),
        ColumnType::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
        ColumnType::Double => "DOUBLE".to_owned(),
        ColumnType::Timestamp => "TIMESTAMP WITH TIME ZONE".to_owned(),
        ColumnType::Date => "DATE".to_owned(),
        ColumnType::Json => "JSON".to_owned(),
    }
}

/// Returns the type that DuckDB calls so; `None` for types that salesync never makes.
pub(crate) fn type_called(name: &str) -> Option<ColumnType> {
    Some(match name {
        "VARCHAR" => ColumnType::Text,
        "BOOLEAN" => ColumnType::Bool,
        "BIGINT" => ColumnType::Int,
        "DOUBLE" => ColumnType::Double,
        "TIMESTAMP WITH TIME ZONE" => ColumnType::Timestamp,
        "DATE" => ColumnType::Date,
        "JSON" => ColumnType::Json,
        _ => {
            let digits = name.strip_prefix("DECIMAL(")?.strip_suffix(')')?;
            let (precision, scale) = digits.split_once(',')?;
            let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
            ColumnType::Decimal { precision, scale }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_back_from_its_name() {
        let types = [
            ColumnType::Text,
            ColumnType::Bool,
            ColumnType::Int,
            ColumnType::NUMBER,
            ColumnType::Decimal {
                precision: 18,
                scale: 0,
            },
            ColumnType::Double,
            ColumnType::Timestamp,
            ColumnType::Date,
            ColumnType::Json,
        ];
        for column_type in types {
            assert_eq!(type_called(&type_name(column_type)), Some(column_type));
        }
        assert_eq!(type_called("BLOB"), None);
    }

    #[test]
    fn quotes_inside_of_names_and_texts_are_doubled() {
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("it's\0"), "'it''s'");
    }
}
