//! What DuckDB's errors mean to salesync. Their text may quote values, so only their kind is kept.

use salesync_core::error::{Code, Error};

const OUT_OF_MEMORY: &str = "Out of Memory Error";
/// Stands in every error of this kind, also where an appender leaves the kind out.
const ADVICE_FOR_MEMORY: &str = "(SET memory_limit=";

/// Returns what turns a DuckDB error that `operation` ran into into one of ours.
pub(crate) fn failure(operation: &'static str) -> impl Fn(duckdb::Error) -> Error {
    move |error| {
        let kind = kind_of(&error);
        let ours = Error::new(code_of(kind), operation).with("duckdb", kind);
        match kind {
            OUT_OF_MEMORY => ours.with("setting to raise", "SALESYNC_DUCKDB_MEMORY_MB"),
            _ => ours,
        }
    }
}

fn code_of(kind: &str) -> Code {
    match kind {
        "TransactionContext Error" => Code::StoreConflict,
        "Catalog Error"
        | "Binder Error"
        | "Conversion Error"
        | "Out of Range Error"
        | "Constraint Error"
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
        "Constraint Error",
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
    if text.contains(ADVICE_FOR_MEMORY) {
        return OUT_OF_MEMORY;
    }
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
        let fill = "SET memory_limit = '1MB'; SET max_temp_directory_size = '0KB'; \
                    CREATE TABLE t AS SELECT repeat(i::VARCHAR, 100) AS a FROM range(100000) AS r(i)";
        let ours = failure("insert rows")(connection.execute_batch(fill).unwrap_err());
        assert_eq!(
            ours.to_string(),
            "ERR_STORE_UNAVAILABLE: insert rows (duckdb: Out of Memory Error, setting to raise: \
             SALESYNC_DUCKDB_MEMORY_MB)"
        );
    }
}
