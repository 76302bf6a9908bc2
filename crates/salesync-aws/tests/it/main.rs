//! SQS and Secrets Manager as moto serves them, and refusals that it does not know. Where SALESYNC_TEST_AWS names no
//! moto, each test that needs it says so and passes over it.

#[cfg(test)]
mod account;
#[cfg(test)]
#[path = "../../../salesync-gcp/tests/wire/mod.rs"]
mod wire;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod secrets;
