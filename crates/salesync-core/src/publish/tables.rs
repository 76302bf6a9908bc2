//! The resolved tables, as analysts read them.

use crate::plain::PlainTable;
use crate::schema::ColumnType::{Double, Int, Json, Text, Timestamp};

/// One row per person.
pub static PEOPLE: PlainTable = PlainTable {
    name: "people",
    comment: "One row per person: the golden record over all sources",
    columns: &[
        (
            "person_id",
            Text,
            "The person; stays the same from run to run",
        ),
        ("full_name", Text, "The name as most records have it"),
        ("first_name", Text, "Given name"),
        ("last_name", Text, "Surname"),
        ("email", Text, "The best e-mail address"),
        (
            "emails",
            Json,
            "All addresses, each with its kind and how many records carry it",
        ),
        (
            "phones",
            Json,
            "All numbers in E.164, each with its kind and how many records carry it",
        ),
        ("title", Text, "Job title"),
        ("company_id", Text, "The person's company in companies"),
        (
            "company",
            Text,
            "The company's name as the person's records have it",
        ),
        ("domain", Text, "The domain of the company's mail"),
        ("city", Text, "City"),
        ("country", Text, "Country"),
        ("record_count", Int, "How many records the person stands on"),
        ("source_count", Int, "How many sources they are from"),
        ("first_seen", Timestamp, "When the first record was made"),
        ("last_seen", Timestamp, "When the last record changed"),
        (
            "confidence",
            Double,
            "How sure the weakest tie among the records is, 0 to 1",
        ),
    ],
    key: &["person_id"],
};

/// One row per company.
pub static COMPANIES: PlainTable = PlainTable {
    name: "companies",
    comment: "One row per company: the golden record over all sources",
    columns: &[
        (
            "company_id",
            Text,
            "The company; stays the same from run to run",
        ),
        ("name", Text, "The name as most records have it"),
        ("domain", Text, "The main domain"),
        ("domains", Json, "All domains"),
        (
            "emails",
            Json,
            "All addresses, each with its kind and how many records carry it",
        ),
        (
            "phones",
            Json,
            "All numbers in E.164, each with its kind and how many records carry it",
        ),
        ("city", Text, "City"),
        ("country", Text, "Country"),
        (
            "record_count",
            Int,
            "How many records the company stands on",
        ),
        ("source_count", Int, "How many sources they are from"),
        ("first_seen", Timestamp, "When the first record was made"),
        ("last_seen", Timestamp, "When the last record changed"),
        (
            "confidence",
            Double,
            "How sure the weakest tie among the records is, 0 to 1",
        ),
    ],
    key: &["company_id"],
};

/// Which record belongs to which entity.
pub static ENTITY_RECORDS: PlainTable = PlainTable {
    name: "entity_records",
    comment: "Which record of which source belongs to which person or company",
    columns: &[
        ("entity_id", Text, "The person or company"),
        ("kind", Text, "person or company"),
        ("source", Text, "The source"),
        ("stream", Text, "The stream"),
        ("record_id", Text, "The record's id in its raw table"),
        (
            "confidence",
            Double,
            "How sure the strongest tie to the entity is, 0 to 1; 1 for a record alone",
        ),
    ],
    key: &["kind", "source", "stream", "record_id"],
};

/// Why two records are one entity, or why they were kept apart.
pub static MATCH_EVIDENCE: PlainTable = PlainTable {
    name: "match_evidence",
    comment: "Why two records are one entity, field by field; and pairs that were refused",
    columns: &[
        ("entity_id", Text, "The entity of the left record"),
        ("kind", Text, "person or company"),
        ("left_source", Text, "The left record's source"),
        ("left_stream", Text, "The left record's stream"),
        ("left_id", Text, "The left record's id"),
        ("right_source", Text, "The right record's source"),
        ("right_stream", Text, "The right record's stream"),
        ("right_id", Text, "The right record's id"),
        (
            "met_by",
            Text,
            "The kind of value that both share and by which they met",
        ),
        (
            "fields",
            Json,
            "For each field how well it agrees and its weight in bits",
        ),
        (
            "prior_bits",
            Double,
            "The weight before any field was compared",
        ),
        ("weight_bits", Double, "The sum of all weights"),
        (
            "probability",
            Double,
            "How sure it is that both are one, 0 to 1",
        ),
        ("outcome", Text, "What became of the pair"),
    ],
    key: &[
        "kind",
        "left_source",
        "left_stream",
        "left_id",
        "right_source",
        "right_stream",
        "right_id",
    ],
};

/// What happened to entity ids.
pub static ENTITY_HISTORY: PlainTable = PlainTable {
    name: "entity_history",
    comment: "What happened to entity ids: a retired id leads to its successor",
    columns: &[
        ("run_id", Text, "The run in which it happened"),
        ("happened_at", Timestamp, "When"),
        ("event", Text, "created, merged, split or gone"),
        ("entity_id", Text, "The entity"),
        (
            "successor_id",
            Text,
            "merged: where its records are now; split: where some of them are now",
        ),
    ],
    key: &["run_id", "event", "entity_id", "successor_id"],
};
