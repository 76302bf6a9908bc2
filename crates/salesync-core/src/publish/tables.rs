//! The resolved tables, as analysts read them.

use crate::plain::PlainTable;
use crate::schema::ColumnType::{self, Bool, Double, Int, Json, Text, Timestamp};

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
        (
            "full_name",
            Text,
            "The name that survives of those that the records have",
        ),
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
        (
            "other_values",
            Json,
            "For each field the values that records give and that did not survive, with how many records of which sources give them; null where all agree",
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
        (
            "name",
            Text,
            "The name that survives of those that the records have",
        ),
        (
            "domain",
            Text,
            "The main domain: that which most records name first",
        ),
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
        (
            "other_values",
            Json,
            "For each field the values that records give and that did not survive, with how many records of which sources give them; null where all agree",
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
        (
            "record_id",
            Text,
            "The record's id in its raw table; the address or number where that is what names it there",
        ),
        (
            "confidence",
            Double,
            "How sure the strongest tie to the entity is, 0 to 1; 1 for a record alone",
        ),
        (
            "email_match",
            Bool,
            "Whether another record of the person has one of its mailboxes, or of the company one of its domains; null where it has none",
        ),
        (
            "phone_match",
            Bool,
            "Whether another record of the entity has one of its phones; null where it has none",
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
        (
            "outcome",
            Text,
            "joined; confirmed: stronger pairs had joined them already; refused: the entities contradict each other; forbidden: an override says that they are two; bridge: a weak pair alone ties them together",
        ),
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

/// Entities that might be one, for a person to decide.
pub static MATCH_REVIEW: PlainTable = PlainTable {
    name: "match_review",
    comment: "Entities that might be one, with the strongest pair of records between them, for a person to decide with join or split",
    columns: &[
        ("left_entity_id", Text, "The entity of the left record"),
        ("right_entity_id", Text, "The entity of the right record"),
        ("kind", Text, "person or company"),
        ("left_source", Text, "The left record's source"),
        ("left_stream", Text, "The left record's stream"),
        ("left_id", Text, "The left record's id"),
        ("right_source", Text, "The right record's source"),
        ("right_stream", Text, "The right record's stream"),
        ("right_id", Text, "The right record's id"),
        (
            "reason",
            Text,
            "near_miss: not quite enough speaks for it; refused: the entities contradict each other; bridge: a weak pair alone ties them together",
        ),
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
            "How sure it is that both records are one, 0 to 1",
        ),
        (
            "expected_pairs",
            Double,
            "How many pairs of records a decision is likely to change; the largest is worth deciding first",
        ),
    ],
    key: &["left_entity_id", "right_entity_id"],
};

/// What people decided about pairs of records, one row for each time.
pub static MATCH_OVERRIDE_EVENTS: PlainTable = PlainTable {
    name: "match_override_events",
    comment: "What people decided about pairs of records, one row for each time; the newest of a pair holds (see match_overrides)",
    columns: &[
        ("kind", Text, "person or company"),
        ("left_source", Text, "The left record's source"),
        ("left_stream", Text, "The left record's stream"),
        ("left_id", Text, "The left record's id"),
        ("right_source", Text, "The right record's source"),
        ("right_stream", Text, "The right record's stream"),
        ("right_id", Text, "The right record's id"),
        (
            "rule",
            Text,
            "always: one entity; never: two; withdrawn: the evidence decides again",
        ),
        ("decided_by", Text, "Who decided"),
        ("reason", Text, "Why"),
        ("decided_at", Timestamp, "When"),
        ("run_id", Text, "The run that wrote it"),
    ],
    key: &[
        "kind",
        "left_source",
        "left_stream",
        "left_id",
        "right_source",
        "right_stream",
        "right_id",
        "run_id",
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

/// What happened between others and us.
pub static INTERACTIONS: PlainTable = PlainTable {
    name: "interactions",
    comment: "Every mail, call, meeting, note, task and text message, once: when, with whom, which way",
    columns: &[
        (
            "interaction_id",
            Text,
            "The interaction; stays the same from run to run",
        ),
        ("kind", Text, "email, call, meeting, note, task or text"),
        ("happened_at", Timestamp, "When it happened, or is due"),
        (
            "direction",
            Text,
            "inbound, outbound or internal; null where nothing tells",
        ),
        ("subject", Text, "What it is about"),
        (
            "thread_id",
            Text,
            "The thread or conversation at the source that it is part of",
        ),
        ("duration_ms", Int, "How long it took, in milliseconds"),
        (
            "our_user",
            Text,
            "Which of us took part: an address, or a name",
        ),
        (
            "who",
            Text,
            "The name, address or number of the one it was mainly with",
        ),
        (
            "person_id",
            Text,
            "Who that is in people; null where nobody is known",
        ),
        (
            "company_id",
            Text,
            "Which company that is in companies, or else the first that took part",
        ),
        (
            "party_count",
            Int,
            "How many there are in interaction_parties",
        ),
        ("source", Text, "The source of the record that tells of it"),
        ("stream", Text, "The stream of that record"),
        (
            "part",
            Text,
            "The part of that stream, where it is read in parts",
        ),
        ("record_id", Text, "The id of that record"),
        (
            "record_count",
            Int,
            "How many records tell of it: copies of a mail, legs of a call",
        ),
    ],
    key: &["interaction_id"],
};

/// Who took part in what happened.
pub static INTERACTION_PARTIES: PlainTable = PlainTable {
    name: "interaction_parties",
    comment: "Who took part in each interaction, or whom it is about: each once in each role",
    columns: &[
        ("interaction_id", Text, "The interaction"),
        (
            "position",
            Int,
            "The place among those of the interaction, from 0: writers first, then who was addressed",
        ),
        (
            "role",
            Text,
            "from, to, cc, bcc, with, sender, reply_to or about",
        ),
        ("address", Text, "The e-mail address, in its one spelling"),
        ("phone", Text, "The phone number, as the source has it"),
        (
            "name",
            Text,
            "The name as the source says it, or else as it is known",
        ),
        ("is_ours", Bool, "Whether it is one of us"),
        (
            "person_id",
            Text,
            "Who it is in people; null for us, and where nobody is known",
        ),
        (
            "company_id",
            Text,
            "Which company it is in companies: the person's, or else that of the domain or number",
        ),
    ],
    key: &["interaction_id", "position"],
};

/// The chances of a sale, and those that were taken.
pub static DEALS: PlainTable = PlainTable {
    name: "deals",
    comment: "One row per deal of every source: what it is worth, how it stands and which company it is with",
    columns: &[
        (
            "deal_id",
            Text,
            "The deal: the source and the record's id, with a slash between them",
        ),
        ("name", Text, "The name that the source has for it"),
        (
            "amount",
            ColumnType::NUMBER,
            "What it is worth, in its currency",
        ),
        (
            "currency",
            Text,
            "The code of the currency, in capitals; null where the source does not say",
        ),
        (
            "stage",
            Text,
            "The stage that it has reached, as the source has it",
        ),
        (
            "is_open",
            Bool,
            "Whether it is neither won nor lost; null where the source does not say",
        ),
        (
            "is_won",
            Bool,
            "Whether it was won; null where the source does not say",
        ),
        ("created_at", Timestamp, "When it was begun"),
        (
            "closes_at",
            Timestamp,
            "When it is to end, or has ended; of a day its beginning",
        ),
        (
            "company_id",
            Text,
            "Which company in companies it is with; null where none is known",
        ),
        (
            "our_user",
            Text,
            "Which of us it belongs to: an address, or a name",
        ),
        ("source", Text, "The source of the record that tells of it"),
        ("stream", Text, "The stream of that record"),
        ("record_id", Text, "The id of that record"),
    ],
    key: &["deal_id"],
};
