//! What is published of hand-made tables of invented vendors.

mod deals;
mod decisions;
mod happened;
mod increments;
mod interactions;
mod sources;
mod world;
