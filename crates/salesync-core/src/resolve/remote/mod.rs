//! Resolves where the records are, in an engine that works on sets of rows, so that what is resolved never has to fit into
//! one machine's memory.
//!
//! The engine does what is about sets: it counts, joins and groups. What is about one record or one pair is done by the same
//! code as everywhere else: records are brought into their one spelling on their way in ([`first_look`]), pairs are weighed
//! in answer to questions ([`answer()`]) that the engine asks out of its own statements, and what pairs tie together is
//! clustered part by part ([`conclude()`]).

mod conclude;
mod lesson;
mod look;
mod question;
mod row;
mod rules;
mod unread;

pub use conclude::{Concluded, Part, conclude};
pub use lesson::{CompanyCounts, Lesson, LevelCount, NamesakeCount, PeopleCounts};
pub use look::{Counted, Look, first_look, second_look};
pub use question::{QuestionError, answer};
pub use rules::{BOUNDS, Bounds, KeyRule, head, namesake_step, rules};
