//! The one place that reads time or sleeps. Everything else is told what time it is.
#![allow(clippy::disallowed_methods)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portzero_core::base::time::Timestamp;
use portzero_core::port::Clock;

/// The machine's clock and tokio's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A machine set before 1970 reads as 1970: the program compares only its own times with each other.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }

    async fn reached(&self, at: Timestamp) {
        tokio::time::sleep(at.since(self.now())).await;
    }
}
