//! The work tables that rows are put into. Numbers have a sign here: engines of sets know no other.

use crate::plain::PlainTable;
use crate::schema::ColumnType::{Bool, Double, Int, Json, Text};

/// So many slots there are; every record is in one.
pub const SLOTS: i64 = 1_024;

const RECORD: (&str, crate::schema::ColumnType, &str) = ("record", Int, "The record, as a number");
const KIND: (&str, crate::schema::ColumnType, &str) = ("kind", Text, "person or company");

/// What records say.
pub static SAID: PlainTable = PlainTable {
    name: "said",
    comment: "What records say",
    columns: &[
        RECORD,
        KIND,
        ("slot", Int, "The record's share of all: 0 to 1,023"),
        ("source", Text, "The source"),
        ("stream", Text, "The stream"),
        ("record_id", Text, "The record's id there"),
        ("link", Text, "The record as other records link to it"),
        (
            "first_id",
            Text,
            "The id of an entity that begins with it, if that was never in use",
        ),
        ("says", Json, "What it says"),
    ],
    key: &["record"],
};

/// Records as they are compared.
pub static LOOKS: PlainTable = PlainTable {
    name: "looks",
    comment: "Records as they are compared",
    columns: &[
        RECORD,
        KIND,
        ("last", Text, "Records are in the order of this,"),
        ("first", Text, "then of this, then of their numbers"),
        (
            "name_one",
            Text,
            "Where too many share a key, those meet that share this",
        ),
        ("name_two", Text, "or this"),
        ("name_key", Int, "Of records with the same, the names are"),
        ("is_named", Bool, "Whether it names somebody"),
        (
            "is_whole",
            Bool,
            "Whether it names a person wholly, or a company",
        ),
        ("row", Json, "What questions give of it"),
        (
            "derived",
            Json,
            "What was found out about it in the light of others",
        ),
    ],
    key: &["record"],
};

/// Under which keys records meet, and by which they are found.
pub static KEYS: PlainTable = PlainTable {
    name: "keys",
    comment: "The keys of records",
    columns: &[
        RECORD,
        KIND,
        ("key_kind", Text, "The kind of key"),
        ("key_number", Int, "The key"),
    ],
    key: &["record", "key_number"],
};

/// Keys of people's phones that are on companies' records.
pub static LINES: PlainTable = PlainTable {
    name: "lines",
    comment: "Keys of people's phones that are on companies' records",
    columns: &[("key_number", Int, "The key")],
    key: &["key_number"],
};

/// What is counted over all records.
pub static VALUES: PlainTable = PlainTable {
    name: "values",
    comment: "What is counted over all records",
    columns: &[
        RECORD,
        KIND,
        ("what", Text, "What it is of"),
        ("nth", Int, "The how many-eth of its record"),
        ("text", Text, "The value"),
        ("one", Text, "What goes with it"),
        ("two", Text, "What else goes with it"),
    ],
    key: &["record", "what", "nth"],
};

/// The facts that records ask for.
pub static ASKS: PlainTable = PlainTable {
    name: "asks",
    comment: "The facts that records ask for",
    columns: &[
        RECORD,
        KIND,
        ("look", Int, "At which look: 1 or 2"),
        ("field", Text, "What the fact is about"),
        ("text", Text, "The text"),
    ],
    key: &["record", "look", "field", "text"],
};

/// What a text is worth that comes so often.
pub static RATES: PlainTable = PlainTable {
    name: "rates",
    comment: "What a text is worth that comes so often",
    columns: &[
        ("field", Text, "The field"),
        ("times", Int, "How often"),
        ("bits", Double, "What it is worth"),
    ],
    key: &["field", "times"],
};

/// Records that people decided are one.
pub static DECIDED: PlainTable = PlainTable {
    name: "decided",
    comment: "Records that people decided are one",
    columns: &[
        KIND,
        ("one", Int, "One record, as a number"),
        ("other", Int, "The other"),
    ],
    key: &["one", "other"],
};

/// In which entities records are.
pub static ENTITIES: PlainTable = PlainTable {
    name: "entities",
    comment: "In which entities records are",
    columns: &[
        RECORD,
        KIND,
        ("first", Int, "The first record of the entity, as a number"),
        ("entity_id", Text, "The entity"),
    ],
    key: &["record"],
};

/// Every work table.
pub static ALL: [&PlainTable; 9] = [
    &SAID, &LOOKS, &KEYS, &LINES, &VALUES, &ASKS, &RATES, &DECIDED, &ENTITIES,
];
