//! One binary with every test that crosses two crates.

#[cfg(test)]
#[path = "../../crates/salesync-gcp/tests/emulator/mod.rs"]
#[expect(dead_code, reason = "the adapter's own tests need more of it")]
mod bigquery;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod mail_truth;
#[cfg(test)]
mod tables;
#[cfg(test)]
mod truth;

#[cfg(test)]
mod at_rest;
#[cfg(test)]
mod aws;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod cloud;
#[cfg(test)]
mod deals;
#[cfg(test)]
mod deciding;
#[cfg(test)]
mod dialpad;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod forwarding;
#[cfg(test)]
mod gmail;
#[cfg(test)]
mod idle;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod matching;
#[cfg(test)]
mod moving;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod prism;
#[cfg(test)]
mod resolving;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod stopping;
#[cfg(test)]
mod telemetry;
#[cfg(test)]
mod words;
