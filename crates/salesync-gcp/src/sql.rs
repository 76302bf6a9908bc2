//! Names and types as they stand in GoogleSQL. Values are never written into a statement: they are parameters.

use salesync_core::schema::ColumnType;

/// Returns a name in backticks, so that keywords are names too. Names are checked identifiers.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace(['`', '\\'], ""))
}

/// Returns a text of ours as a literal: comments only.
pub(crate) fn literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
    format!("'{}'", escaped.replace('\n', "\\n").replace('\r', "\\r"))
}

/// Returns the condition under which the rows of two aliases have one key; `part` is the key's first column,
/// where it has two.
pub(crate) fn same_key(
    (left, left_id): (&str, &str),
    (right, right_id): (&str, &str),
    part: Option<&str>,
) -> String {
    let ids = format!("{left}.{} = {right}.{}", quoted(left_id), quoted(right_id));
    match part.map(quoted) {
        None => ids,
        Some(part) => format!("{ids} AND {left}.{part} = {right}.{part}"),
    }
}

/// Returns BigQuery's name of a type. JSON is kept as text: BigQuery's own type rounds numbers and orders members
/// anew.
pub(crate) fn type_name(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Text | ColumnType::Json => "STRING".to_owned(),
        ColumnType::Bool => "BOOL".to_owned(),
        ColumnType::Int => "INT64".to_owned(),
        ColumnType::Decimal { precision, scale } => {
            format!("{}({precision}, {scale})", number(precision, scale))
        }
        ColumnType::Double => "FLOAT64".to_owned(),
        ColumnType::Timestamp => "TIMESTAMP".to_owned(),
        ColumnType::Date => "DATE".to_owned(),
    }
}

/// Returns BigQuery's name of the smaller type of decimals that holds so many digits.
pub(crate) fn number(precision: u8, scale: i8) -> &'static str {
    let whole = i16::from(precision) - i16::from(scale);
    match whole <= 29 && scale <= 9 {
        true => "NUMERIC",
        false => "BIGNUMERIC",
    }
}

/// Returns the name of a type in a cast, where digits have no place.
pub(crate) fn cast_name(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Decimal { precision, scale } => number(precision, scale).to_owned(),
        other => type_name(other),
    }
}

/// Returns the type that a field of BigQuery's schemas has; `None` for types that salesync never makes.
pub(crate) fn type_called(name: &str, digits: Option<(u8, i8)>) -> Option<ColumnType> {
    Some(match (name, digits) {
        ("NUMERIC" | "BIGNUMERIC", Some((precision, scale))) => {
            ColumnType::Decimal { precision, scale }
        }
        ("STRING" | "JSON", _) => ColumnType::Text,
        ("BOOL" | "BOOLEAN", _) => ColumnType::Bool,
        ("INT64" | "INTEGER", _) => ColumnType::Int,
        ("NUMERIC", None) => ColumnType::NUMBER,
        ("FLOAT64" | "FLOAT", _) => ColumnType::Double,
        ("TIMESTAMP", _) => ColumnType::Timestamp,
        ("DATE", _) => ColumnType::Date,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_take_the_smaller_type_where_it_holds_them() {
        let cases = [
            (38, 9, "NUMERIC(38, 9)"),
            (18, 2, "NUMERIC(18, 2)"),
            (30, 0, "BIGNUMERIC(30, 0)"),
            (38, 18, "BIGNUMERIC(38, 18)"),
        ];
        for (precision, scale, name) in cases {
            let column_type = ColumnType::Decimal { precision, scale };
            assert_eq!(type_name(column_type), name);
            let kind = name.split('(').next().unwrap();
            assert_eq!(
                type_called(kind, Some((precision, scale))),
                Some(column_type)
            );
        }
    }

    #[test]
    fn what_would_end_a_literal_or_a_name_does_not() {
        assert_eq!(literal("it's\\\n"), r"'it\'s\\\n'");
        assert_eq!(quoted("a`b"), "`ab`");
    }
}
