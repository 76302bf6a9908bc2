//! Both ports keep every promise.

use std::sync::Arc;

use salesync_aws::MOST_BYTES;
use salesync_core::queue::Queue;

use crate::account::Account;

mod queue {
    use super::*;

    async fn make() -> Option<(Arc<dyn Queue>, ())> {
        let account = Account::here().await?;
        let (queue, _) = account.make_moving_queue(100).await;
        Some((Arc::new(account.open(&queue)), ()))
    }

    salesync_testkit::queue_contract!(make);
}

/// A queue that takes a message twice and has no redrive policy.
mod plain_queue {
    use super::*;

    async fn make() -> Option<(Arc<dyn Queue>, ())> {
        let account = Account::here().await?;
        let queue = account.make_queue(MOST_BYTES).await;
        Some((Arc::new(account.open(&queue)), ()))
    }

    salesync_testkit::queue_contract!(make);
}

mod secrets {
    use std::sync::Arc;

    use salesync_core::secret::SecretStore;
    use salesync_testkit::secret::FIRST;

    use crate::secrets::holding;

    async fn make() -> Option<(Arc<dyn SecretStore>, ())> {
        let (_, store) = holding(FIRST).await?;
        Some((Arc::new(store), ()))
    }

    salesync_testkit::secret_store_contract!(make);
}
