//! The ports in memory keep the promises that they define.

use std::future::{Ready, ready};
use std::sync::Arc;

use salesync_core::memory::{MemoryQueue, MemorySecretStore, MemoryWarehouse};
use salesync_core::queue::Queue;
use salesync_core::relay::RelayedQueue;
use salesync_core::secret::SecretStore;
use salesync_core::warehouse::Warehouse;

mod warehouse {
    use super::*;

    fn make() -> Ready<(Arc<dyn Warehouse>, ())> {
        ready((Arc::new(MemoryWarehouse::new()), ()))
    }

    salesync_testkit::warehouse_contract!(make);
}

mod queue {
    use super::*;

    fn make() -> Ready<(Arc<dyn Queue>, ())> {
        ready((Arc::new(MemoryQueue::default()), ()))
    }

    salesync_testkit::queue_contract!(make);
    salesync_testkit::each_promise! { make, queue:
        a_forwarded_message_is_kept_and_no_longer_delivered,
        large_messages_come_a_few_at_a_time,
    }
}

/// Letters that one queue keeps and another delivers.
mod relayed_queue {
    use super::*;

    fn make() -> Ready<(Arc<dyn Queue>, ())> {
        let (log, road) = (MemoryQueue::default(), MemoryQueue::default());
        let relayed = RelayedQueue::new(Arc::new(log), Arc::new(road));
        ready((Arc::new(relayed), ()))
    }

    salesync_testkit::queue_contract!(make);
}

mod secret_store {
    use super::*;

    fn make() -> Ready<(Arc<dyn SecretStore>, ())> {
        let first = salesync_testkit::secret::FIRST.to_owned();
        ready((
            Arc::new(MemorySecretStore::holding([("testkit", first)])),
            (),
        ))
    }

    salesync_testkit::secret_store_contract!(make);
}
