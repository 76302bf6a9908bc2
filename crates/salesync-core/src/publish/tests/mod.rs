//! What is published of hand-made tables of invented vendors.

mod deals;
mod decisions;
mod increments;
mod interactions;
mod sources;
mod world;
