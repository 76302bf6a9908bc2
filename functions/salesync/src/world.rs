//! The invented vendors, as the host's demo wants them.

use std::time::Duration;

use async_trait::async_trait;
use salesync_host::{
    DemoWorld, LimitUsed, QuotaModel, RunningWorld, TrueRecord, WorldLimits, WorldOptions,
};
use salesync_sandbox::{GmailQuota, Limits, Sandbox, SandboxConfig};

/// The sandbox of all vendors.
pub(crate) struct Invented;

#[async_trait]
impl DemoWorld for Invented {
    async fn start(&self, options: WorldOptions) -> std::io::Result<Box<dyn RunningWorld>> {
        let config = SandboxConfig {
            records: options.records,
            port: options.port,
            limits: match options.limits {
                WorldLimits::Off => Limits::Off,
                WorldLimits::Vendor => Limits::Vendor,
            },
            latency: Duration::from_millis(options.latency_ms),
            disturb: options.disturb,
            messages: options.messages,
            gmail_quota: match options.quota_model {
                QuotaModel::Legacy => GmailQuota::Legacy,
                QuotaModel::New => GmailQuota::New,
            },
            ..SandboxConfig::default()
        };
        let quota = match options.quota_model {
            QuotaModel::Legacy => "legacy",
            QuotaModel::New => "new",
        };
        let sandbox = Sandbox::start(config).await?;
        Ok(Box::new(Running { sandbox, quota }))
    }
}

struct Running {
    sandbox: Sandbox,
    quota: &'static str,
}

#[async_trait]
impl RunningWorld for Running {
    fn url(&self) -> String {
        self.sandbox.url()
    }

    fn secrets(&self) -> Vec<(&'static str, String)> {
        vec![
            ("dialpad", salesync_sandbox::dialpad_secret()),
            ("gmail", salesync_sandbox::gmail_secret()),
            ("hubspot", salesync_sandbox::hubspot_secret()),
            ("salesforce", salesync_sandbox::salesforce_secret()),
        ]
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            (
                "SALESYNC_GMAIL_MAILBOXES",
                self.sandbox.world().mailboxes().join(","),
            ),
            (
                "SALESYNC_GMAIL_TOKEN_URL",
                format!("{}/token", self.sandbox.url()),
            ),
            ("SALESYNC_GMAIL_QUOTA", self.quota.to_owned()),
        ]
    }

    fn limits_used(&self) -> Vec<LimitUsed> {
        let paces = self.sandbox.world().paces().into_iter();
        let used = paces.map(|pace| LimitUsed {
            source: pace.vendor,
            limit: pace.limit.clone(),
            permitted: pace.permitted,
            admitted: pace.admitted,
            busiest: pace.busiest,
            held_secs: pace.held_secs(),
            share: pace.share(),
            over_limit: pace.over_limit,
            told_to_wait: pace.told_to_wait,
            early: pace.early,
        });
        used.collect()
    }

    fn truth(&self) -> Vec<TrueRecord> {
        let truth = self.sandbox.world().truth().into_iter();
        let record = truth.map(|(source, stream, record_id, entity_id)| TrueRecord {
            source,
            stream,
            record_id,
            entity_id,
        });
        record.collect()
    }

    async fn stop(self: Box<Self>) {
        self.sandbox.stop().await;
    }
}
