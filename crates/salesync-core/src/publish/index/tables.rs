//! The tables of the index. They are ours alone: what analysts read is in the others.

use crate::plain::PlainTable;
use crate::schema::ColumnType::{Double, Int, Json, Text, Timestamp};

/// What records said when they were read last.
pub(super) static RECORDS: PlainTable = PlainTable {
    name: "_match_records",
    comment: "What records that say who somebody is said at the last resolve",
    columns: &[
        ("record", Int, "The record, as a number"),
        ("says", Json, "What it says, and which record it is"),
        (
            "derived",
            Json,
            "What was found out about it in the light of others",
        ),
    ],
    key: &["record"],
};

/// Where records are in the answer.
pub(super) static PLACES: PlainTable = PlainTable {
    name: "_match_places",
    comment: "Which entity each record is in, and to which others pairs tie it",
    columns: &[
        ("record", Int, "The record, as a number"),
        (
            "component",
            Int,
            "The same for all records that pairs tie together, one way or another",
        ),
        ("entity_id", Text, "The person or company"),
    ],
    key: &["record"],
};

/// Under which keys records meet.
pub(super) static KEYS: PlainTable = PlainTable {
    name: "_match_keys",
    comment: "Under which keys each record meets others",
    columns: &[
        ("key_number", Int, "The key"),
        ("record", Int, "The record, as a number"),
    ],
    key: &["key_number", "record"],
};

/// How keys are used that several records share.
pub(super) static USES: PlainTable = PlainTable {
    name: "_match_uses",
    comment: "How many records and entities share a key, where it is more than one record",
    columns: &[
        ("key_number", Int, "The key"),
        ("records", Int, "How many records share it"),
        (
            "users",
            Int,
            "How many entities these are, as far as names tell",
        ),
    ],
    key: &["key_number"],
};

/// Pairs that speak for being one, or nearly do.
pub(super) static EDGES: PlainTable = PlainTable {
    name: "_match_edges",
    comment: "Pairs of records that speak for being one entity, or nearly do",
    columns: &[
        ("left_record", Int, "One record, as a number"),
        ("right_record", Int, "The other"),
        ("met_by", Text, "The first kind of key in which they met"),
        ("bits", Double, "What speaks for it, in bits"),
    ],
    key: &["left_record", "right_record"],
};

/// What was learnt of texts.
pub(super) static FACTS: PlainTable = PlainTable {
    name: "_match_facts",
    comment: "What was learnt of single texts when all records were resolved last",
    columns: &[
        ("place", Int, "The number by which the fact is found"),
        ("field", Text, "What the fact is about"),
        ("text", Text, "The text"),
        ("number", Double, "Bits, or how many there are"),
        (
            "organisation",
            Text,
            "The organisation that the text stands for, of a phone also the domain; null of other fields",
        ),
    ],
    key: &["place", "field", "text"],
};

/// Which rows tell of the same interaction.
pub(in super::super) static TELLERS: PlainTable = PlainTable {
    name: "_match_tellers",
    comment: "Which records told of an interaction at the last resolve, of which several can tell of the same",
    columns: &[
        ("interaction_id", Text, "The interaction"),
        ("source", Text, "The source of the record"),
        ("stream", Text, "The stream of the record"),
        (
            "part",
            Text,
            "The part of that stream, where it is read in parts",
        ),
        ("record_id", Text, "The id of the record"),
    ],
    key: &["interaction_id", "source", "stream", "part", "record_id"],
};

/// What the next resolve goes on from.
pub(super) static STATE: PlainTable = PlainTable {
    name: "_match_state",
    comment: "What the next resolve goes on from",
    columns: &[
        ("run_id", Text, "The run that wrote it"),
        ("resolved_at", Timestamp, "When"),
        (
            "changed_since",
            Timestamp,
            "What was read at that time or later is not resolved yet, or perhaps not",
        ),
        (
            "circumstances",
            Text,
            "A digest of all that asks for a whole resolve where it changes",
        ),
        (
            "learnt",
            Json,
            "What evidence is worth, as it was learnt when all records were resolved last",
        ),
        ("overrides", Json, "What people had decided"),
        (
            "records",
            Int,
            "How many records there were when all were resolved last",
        ),
        ("changed", Int, "How many changed since"),
        ("people", Int, "How many people there are"),
        ("companies", Int, "How many companies there are"),
        ("interactions", Int, "How many interactions there are"),
        ("deals", Int, "How many deals there are"),
    ],
    key: &["run_id"],
};
