//! Who is asking: the credentials, the region and the endpoint, found as by every tool of AWS.

use std::fmt;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use salesync_core::error::{Code, Error, Result};

/// A call is sent at most so often, with growing random waits between: the SDK does that, and nobody above it again.
const MAX_SENDS: u32 = 4;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// Who is asking, and where. Nothing was sent yet.
#[derive(Clone)]
pub struct AwsLogin(SdkConfig);

impl AwsLogin {
    /// Finds the login in the environment, in the files of `aws configure`, or by the role of the machine; the region
    /// too, where none is given. `AWS_ENDPOINT_URL` and the endpoints of single services hold.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`] where there is no region. That there are no credentials shows with the first call.
    pub async fn find(region: Option<&str>) -> Result<Self> {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(SEND_TIMEOUT)
            .build();
        let chain = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .retry_config(RetryConfig::standard().with_max_attempts(MAX_SENDS))
            .timeout_config(timeouts);
        let chain = match region {
            Some(region) => chain.region(Region::new(region.to_owned())),
            None => chain,
        };
        let config = Box::pin(chain.load()).await;
        if config.region().is_none() {
            return Err(Error::new(Code::ConfigInvalid, "log in to AWS")
                .with("no region", "set AWS_REGION"));
        }
        Ok(Self(config))
    }

    pub(crate) fn config(&self) -> &SdkConfig {
        &self.0
    }
}

impl From<SdkConfig> for AwsLogin {
    /// Takes a login that was put together by hand: for tests, or where the SDK's own chain does not do.
    fn from(config: SdkConfig) -> Self {
        Self(config)
    }
}

impl fmt::Debug for AwsLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsLogin")
            .field("region", &self.0.region())
            .finish_non_exhaustive()
    }
}
