//! The one place that reads time or sleeps. Everything else is told what time it is.
#![allow(clippy::disallowed_methods)]

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portzero_core::base::time::{Moment, Timestamp};
use portzero_core::port::Clock;

/// What the machine's clock showed when the run first asked, and the same moment on the clock that never steps.
static BEGUN: OnceLock<(Timestamp, std::time::Instant)> = OnceLock::new();

fn wall() -> Timestamp {
    // A machine set before 1970 reads as 1970: the program compares only its own times with each other.
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// The machine's clocks and tokio's timer. The one that people set is read once: from then on it may step.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let (shown, begun) = BEGUN.get_or_init(|| (wall(), std::time::Instant::now()));
        Moment::after(*shown, begun.elapsed())
    }

    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }

    async fn reached(&self, at: Moment) {
        tokio::time::sleep(at.since(self.now())).await;
    }
}
