//! Makes two spellings of one value one.
//!
//! Every function here is pure and total: the same text always gives the same answer, no text makes one
//! fail, and no answer is longer than [`text::MAX_CHARS`] characters. The raw spelling is the caller's to keep.

pub mod address;
pub mod company;
pub mod country;
pub mod date;
pub mod domain;
pub mod email;
pub mod name;
pub mod phone;
pub mod text;

mod countries;
mod legal_forms;
mod mail_words;
mod name_words;
mod nicknames;
mod word_set;

/// Is raised with the functions and lists here: what was resolved by others is resolved anew as a whole.
pub(crate) const RULES: &str = "3";
