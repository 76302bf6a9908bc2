//! SQS as a salesync queue, and AWS Secrets Manager as the place where secrets are.
//!
//! ```text
//! publish ─ fits ──────▶ SQS ─ receive ─▶ in hand ─ settle ─┬ done ──────────────────▶ deleted
//!         └ too large ─▶ its id to SQS                      └ failed, or not worked on ─▶ visible again
//! ```
//!
//! Who is asking is found as by every tool of AWS: in the environment, in the files of `aws configure`, or by the role
//! of the machine. `AWS_ENDPOINT_URL` leads to another place than Amazon's own.

mod api;
mod failure;
mod hand;
mod login;
mod queue;
mod queue_url;
mod secrets;
mod send;

pub use login::AwsLogin;
pub use queue::SqsQueue;
pub use queue_url::QueueUrl;
pub use secrets::AwsSecretStore;
pub use send::MOST_BYTES;
