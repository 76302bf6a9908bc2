//! What DuckDB's errors mean to salesync. Their text may quote values, so only their kind is kept.

use salesync_core::error::{Code, Error};

const OUT_OF_MEMORY: &str = "Out of Memory Error";
const BROKEN_CONSTRAINT: &str = "Constraint Error";
/// Stands at the end of every error of a memory limit.
const ADVICE_FOR_MEMORY: &str = "(SET memory_limit=";

/// Returns what turns a DuckDB error that `operation` ran into into one of ours.
pub(crate) fn failure(operation: &'static str) -> impl Fn(duckdb::Error) -> Error {
    move |error| of_kind(kind_of(&error), operation)
}

/// Returns what turns the error of an appender into one of ours: its text lacks the kind that others begin with.
pub(crate) fn appender_failure(operation: &'static str) -> impl Fn(duckdb::Error) -> Error {
    move |error| {
        let text = error.to_string();
        let kind = if text.contains(ADVICE_FOR_MEMORY) {
            OUT_OF_MEMORY
        } else if text.contains("constraint") {
            BROKEN_CONSTRAINT
        } else {
            kind_of(&error)
        };
        of_kind(kind, operation)
    }
}

fn of_kind(kind: &'static str, operation: &'static str) -> Error {
    let ours = Error::new(code_of(kind), operation).with("duckdb", kind);
    match kind {
        OUT_OF_MEMORY => ours.with("setting to raise", "SALESYNC_DUCKDB_MEMORY_MB"),
        _ => ours,
    }
}

fn code_of(kind: &str) -> Code {
    match kind {
        "TransactionContext Error" => Code::StoreConflict,
        "Catalog Error"
        | "Binder Error"
        | "Conversion Error"
        | "Out of Range Error"
        | BROKEN_CONSTRAINT
        | "Mismatch Type Error"
        | "Dependency Error" => Code::StoreSchema,
        "Serialization Error" => Code::StoreCorrupt,
        "Parser Error" => Code::Internal,
        _ => Code::StoreUnavailable,
    }
}

/// Returns the kind that a DuckDB error's text begins with: never any of what follows.
pub(crate) fn kind_of(error: &duckdb::Error) -> &'static str {
    const KINDS: [&str; 18] = [
        "TransactionContext Error",
        "Catalog Error",
        "Binder Error",
        "Conversion Error",
        "Out of Range Error",
        BROKEN_CONSTRAINT,
        "Mismatch Type Error",
        "Dependency Error",
        "Serialization Error",
        "Parser Error",
        "IO Error",
        OUT_OF_MEMORY,
        "FATAL Error",
        "INTERNAL Error",
        "Invalid Input Error",
        "Not implemented Error",
        "INTERRUPT Error",
        "Permission Error",
    ];
    let text = error.to_string();
    KINDS
        .into_iter()
        .find(|kind| text.starts_with(kind))
        .unwrap_or("other error")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_error_of_duckdb_never_reaches_ours() {
        let connection = duckdb::Connection::open_in_memory().unwrap();
        let error = connection
            .execute_batch("SELECT CAST('secret-value' AS BIGINT)")
            .unwrap_err();
        assert!(error.to_string().contains("secret-value"));
        let ours = failure("read rows")(error);
        assert_eq!(
            ours.to_string(),
            "ERR_STORE_SCHEMA: read rows (duckdb: Conversion Error)"
        );
        assert!(std::error::Error::source(&ours).is_none());
        assert!(!format!("{ours:?}").contains("secret-value"));
    }

    #[test]
    fn where_memory_is_short_the_error_names_the_setting() {
        let connection = duckdb::Connection::open_in_memory().unwrap();
        let little = "CREATE TABLE t (a VARCHAR); \
                      SET memory_limit = '1MB'; SET max_temp_directory_size = '0KB'";
        connection.execute_batch(little).unwrap();
        let fill = "INSERT INTO t SELECT repeat(i::VARCHAR, 100) FROM range(100000) AS r(i)";
        let by_statement = failure("insert rows")(connection.execute_batch(fill).unwrap_err());
        let mut appender = connection.appender("t").unwrap();
        let text = "x".repeat(1_000);
        let rows = (0..100_000).try_for_each(|_| appender.append_row([&text]));
        let error = rows.and_then(|()| appender.flush()).unwrap_err();
        let by_appender = appender_failure("insert rows")(error);
        for ours in [by_statement, by_appender] {
            assert_eq!(
                ours.to_string(),
                "ERR_STORE_UNAVAILABLE: insert rows (duckdb: Out of Memory Error, setting to raise: \
                 SALESYNC_DUCKDB_MEMORY_MB)"
            );
        }
    }

    #[test]
    fn an_appender_that_breaks_a_constraint_is_about_the_schema() {
        let connection = duckdb::Connection::open_in_memory().unwrap();
        let tables = "CREATE TABLE n (a VARCHAR NOT NULL); CREATE TABLE k (a VARCHAR PRIMARY KEY); \
                      CREATE TABLE c (a VARCHAR CHECK (a <> 'x'))";
        connection.execute_batch(tables).unwrap();
        for (table, values) in [
            ("n", [None, None]),
            ("k", [Some("x"); 2]),
            ("c", [Some("x"); 2]),
        ] {
            let mut appender = connection.appender(table).unwrap();
            let rows = values
                .into_iter()
                .try_for_each(|value| appender.append_row([value]));
            let error = rows.and_then(|()| appender.flush()).unwrap_err();
            assert_eq!(
                appender_failure("insert rows")(error).code(),
                Code::StoreSchema,
                "{table}"
            );
        }
    }
}
