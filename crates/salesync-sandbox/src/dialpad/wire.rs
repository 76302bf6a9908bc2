//! How Dialpad writes a record down.
//!
//! | in the truth | as served |
//! | --- | --- |
//! | integer (all are int64) | a text, in some records an integer, in some one for ids or dates only |
//! | float (durations) | a number with a point, in some records without one, or a text |
//! | null | left out |

use serde_json::{Map, Number, Value};

/// Turns a text into a number that depends on each of its bytes (FNV-1a).
pub(crate) fn mixed(text: &str) -> u64 {
    let sum = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The lowest bits depend on few bytes alone.
    sum ^ (sum >> 29)
}

/// Writes a record; which spelling it gets follows from its id.
pub(super) fn written(record: &Map<String, Value>, id: &str) -> Value {
    let number = mixed(id);
    let spelling = Spelling {
        dates: matches!(number % 10, 7 | 8),
        ids: matches!(number % 10, 7 | 9),
        durations: match number / 10 % 6 {
            0 => Durations::Text,
            1 => Durations::Whole,
            _ => Durations::Double,
        },
    };
    spelling.map(record)
}

/// How one record spells its numbers.
#[derive(Debug, Clone, Copy)]
struct Spelling {
    /// Whether dates are integers.
    dates: bool,
    /// Whether ids and counts are integers.
    ids: bool,
    durations: Durations,
}

#[derive(Debug, Clone, Copy)]
enum Durations {
    Text,
    Whole,
    Double,
}

impl Spelling {
    fn map(self, record: &Map<String, Value>) -> Value {
        record
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), self.value(name, value)))
            .collect()
    }

    fn value(self, name: &str, value: &Value) -> Value {
        match value {
            Value::Object(inner) => self.map(inner),
            Value::Array(list) => list.iter().map(|one| self.value(name, one)).collect(),
            Value::Number(number) if number.is_f64() => self.double(name, number),
            Value::Number(number) => {
                let date =
                    name.starts_with("date_") || matches!(name, "event_timestamp" | "start_time");
                if if date { self.dates } else { self.ids } {
                    value.clone()
                } else {
                    Value::from(number.to_string())
                }
            }
            other => other.clone(),
        }
    }

    fn double(self, name: &str, number: &Number) -> Value {
        if !name.ends_with("duration") {
            return Value::from(number.clone());
        }
        let text = number.to_string();
        match self.durations {
            Durations::Text => Value::from(text),
            Durations::Whole => match text.strip_suffix(".0").map(str::parse::<i64>) {
                Some(Ok(whole)) => Value::from(whole),
                _ => Value::from(number.clone()),
            },
            Durations::Double => Value::from(number.clone()),
        }
    }
}
