//! The invented vendors, as the host's demo wants them.

use async_trait::async_trait;
use salesync_host::{DemoWorld, RunningWorld, WorldOptions};
use salesync_sandbox::{Sandbox, SandboxConfig};

/// The sandbox of all vendors.
pub(crate) struct Invented;

#[async_trait]
impl DemoWorld for Invented {
    async fn start(&self, options: WorldOptions) -> std::io::Result<Box<dyn RunningWorld>> {
        let config = SandboxConfig {
            records: options.records,
            port: options.port,
            ..SandboxConfig::default()
        };
        Ok(Box::new(Running(Sandbox::start(config).await?)))
    }
}

struct Running(Sandbox);

#[async_trait]
impl RunningWorld for Running {
    fn url(&self) -> String {
        self.0.url()
    }

    fn secrets(&self) -> Vec<(&'static str, String)> {
        vec![
            ("gmail", salesync_sandbox::gmail_secret()),
            ("hubspot", salesync_sandbox::hubspot_secret()),
            ("salesforce", salesync_sandbox::salesforce_secret()),
        ]
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            (
                "SALESYNC_GMAIL_MAILBOXES",
                self.0.world().mailboxes().join(","),
            ),
            (
                "SALESYNC_GMAIL_TOKEN_URL",
                format!("{}/token", self.0.url()),
            ),
            ("SALESYNC_GMAIL_QUOTA", "legacy".to_owned()),
        ]
    }

    async fn stop(self: Box<Self>) {
        self.0.stop().await;
    }
}
