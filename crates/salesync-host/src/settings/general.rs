//! The settings that every program has, with their defaults.

/// The settings that do not belong to one source: name, default, what it is.
pub(super) const GENERAL: &[(&str, &str, &str)] = &[
    (
        "SALESYNC_WAREHOUSE",
        "duckdb:salesync.duckdb",
        "where rows go: duckdb:FILE, or bigquery:PROJECT/DATASET",
    ),
    (
        "SALESYNC_TENANT",
        "sales",
        "the schema inside the warehouse",
    ),
    (
        "SALESYNC_DEAD_LETTERS",
        "warehouse",
        "where dead letters go: warehouse, or pubsub:PROJECT/TOPIC or sqs:QUEUE_URL for them to go on there too",
    ),
    (
        "SALESYNC_NOTIFY",
        "",
        "where is said which runs did not succeed: pubsub:PROJECT/TOPIC or sqs:QUEUE_URL; nowhere by default",
    ),
    (
        "SALESYNC_SOURCE_RANK",
        "",
        "whose values survive where records of a person or company differ: sources with commas between them, the most trusted first; all alike by default",
    ),
    (
        "SALESYNC_DEFAULT_COUNTRY",
        "",
        "the country of phone numbers on records that name none, as a name or a code; none by default",
    ),
    (
        "SALESYNC_RESOLVE_INDEX_FROM",
        "20000",
        "from so many records on a resolve looks only at what changed",
    ),
    (
        "SALESYNC_RESOLVE_REFRESH_PERCENT",
        "2",
        "where more of the records changed since all were resolved, all are again",
    ),
    (
        "SALESYNC_SECRETS",
        "env",
        "where secrets are: env, file:DIR with one NAME.json each, gcp:PROJECT or aws:REGION",
    ),
    (
        "SALESYNC_DEADLINE_SECS",
        "",
        "stop reading after so many seconds; none by default",
    ),
    (
        "SALESYNC_CONTINUATION",
        "warehouse",
        "how a sync that was stopped goes on: warehouse (the next sync finds its cursor), pubsub:PROJECT/TOPIC or sqs:QUEUE_URL (at once, by a message)",
    ),
    (
        "SALESYNC_TRIGGER_AUDIENCE",
        "",
        "the audience that tokens of triggers are made for: this service's URL",
    ),
    (
        "SALESYNC_TRIGGER_IDENTITY",
        "",
        "the e-mail of the service account that may trigger",
    ),
    (
        "SALESYNC_TRIGGER_ISSUER",
        "https://accounts.google.com",
        "who signs the tokens of triggers",
    ),
    (
        "SALESYNC_TRIGGER_KEYS_URL",
        "https://www.googleapis.com/oauth2/v3/certs",
        "where the keys of that issuer are",
    ),
    (
        "SALESYNC_TRIGGER_SIGNATURE",
        "checked",
        "who checks the signatures of those tokens: checked (this program), or platform where Cloud Run does and takes them away",
    ),
    (
        "SALESYNC_TRIGGER_SECRET",
        "",
        "the shared secret of triggers, at least 32 characters; two with a comma between them while it is changed",
    ),
    (
        "SALESYNC_DUCKDB_MEMORY_MB",
        "256",
        "how much memory DuckDB may use",
    ),
    (
        "SALESYNC_BIGQUERY_LOCATION",
        "US",
        "where a dataset is made that is not there yet: US, EU, europe-west3",
    ),
    (
        "SALESYNC_BIGQUERY_LOGIN",
        "",
        "who asks BigQuery, where it is not who asks Google otherwise: a federation's description as JSON, which holds no key",
    ),
    (
        "SALESYNC_BIGQUERY_MAX_GB_BILLED",
        "100",
        "how many GiB one BigQuery job may bill; one that would bill more fails unbilled",
    ),
    (
        "SALESYNC_BIGQUERY_MERGE",
        "auto",
        "how rows are merged: auto (by the table's size), whole, partitions or daily",
    ),
    (
        "SALESYNC_BIGQUERY_LOAD",
        "jobs",
        "how many rows come to BigQuery: jobs (free, some seconds) or stream (the Storage Write API, billed, at once)",
    ),
    (
        EMULATOR,
        "",
        "an emulator of BigQuery that is asked in the place of Google, without a login",
    ),
    (
        WRITE_EMULATOR,
        "",
        "where that emulator has the Storage Write API",
    ),
    (
        PUBSUB_EMULATOR,
        "",
        "an emulator of Pub/Sub that is asked in the place of Google, without a login",
    ),
    (
        OTLP_ENDPOINT,
        "",
        "where metrics and traces are sent in OpenTelemetry's protocol over HTTP: https://collector.example, or http on this machine",
    ),
    (
        OTLP_HEADERS,
        "",
        "the headers that go with them, NAME=VALUE with commas between them",
    ),
    (
        "SALESYNC_LOG",
        "warn",
        "what is logged: error, warn, info, debug, or a tracing filter",
    ),
    (
        "SALESYNC_LOG_FORMAT",
        "text",
        "how it is logged: text or json",
    ),
];

/// The description of a federation by which BigQuery knows who asks.
pub(super) const LOGIN: &str = "SALESYNC_BIGQUERY_LOGIN";
/// The name under which every program looks for an emulator of BigQuery.
pub(super) const EMULATOR: &str = "BIGQUERY_EMULATOR_HOST";
pub(super) const WRITE_EMULATOR: &str = "BIGQUERY_STORAGE_EMULATOR_HOST";
/// The same for Pub/Sub.
pub(crate) const PUBSUB_EMULATOR: &str = "PUBSUB_EMULATOR_HOST";
/// The name under which every program that OpenTelemetry measures looks for a collector.
pub(super) const OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// The same for the headers that the collector asks for.
pub(super) const OTLP_HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
/// The settings that do not begin with the product's name.
pub(super) const OF_OTHERS: [&str; 5] = [
    EMULATOR,
    WRITE_EMULATOR,
    PUBSUB_EMULATOR,
    OTLP_ENDPOINT,
    OTLP_HEADERS,
];

/// What the project's own scripts set; the program passes over them.
pub(super) const OF_SCRIPTS: [&str; 9] = [
    "SALESYNC_CACHE",
    "SALESYNC_PRISM",
    "SALESYNC_TEST_AWS",
    "SALESYNC_TEST_BIGQUERY",
    "SALESYNC_TEST_BIGQUERY_HEADERS",
    "SALESYNC_TEST_BIGQUERY_WRITE",
    "SALESYNC_TEST_DATA",
    "SALESYNC_TEST_LAMBDA",
    "SALESYNC_TEST_PUBSUB",
];
