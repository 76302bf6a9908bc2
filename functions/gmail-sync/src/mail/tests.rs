//! The decoder as a whole.

mod exceptions;
mod hostile;
mod raw;
mod real_messages;
mod tree;
