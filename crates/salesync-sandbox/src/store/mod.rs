//! What both vendors share: fields, versions of records, and shelves that keep them findable by id
//! and by time.

mod cell;
mod field;
mod shelf;
mod time;
mod version;

pub(crate) use cell::Cell;
pub(crate) use field::{Field, Kind, Made, Projection};
pub(crate) use shelf::{Record, Shelf, State};
pub(crate) use time::{
    DAY_MS, parse_time, push_date, push_hubspot_time, push_salesforce_time, whole_second,
};
pub(crate) use version::{Draft, Version, push_json_text};
