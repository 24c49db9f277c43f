//! A spell in which the world cannot be read.

use crate::api_error::{ApiError, ApiErrorKind};
use crate::rollout::patience;
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub struct Blind {
    pub since: Timestamp,
    pub misses: u32,
    said_at: Option<Timestamp>,
    /// Since when every answer was a denial.
    denied_since: Option<Timestamp>,
}

impl Blind {
    pub fn begin(now: Timestamp) -> Self {
        Self {
            since: now,
            misses: 0,
            said_at: None,
            denied_since: None,
        }
    }

    /// Whether it is time to say so (again).
    pub fn is_due(&mut self, now: Timestamp) -> bool {
        let is_due = self.said_at.is_none_or(|at| now.since(at) >= patience::HEARTBEAT);
        if is_due {
            self.said_at = Some(now);
        }
        is_due
    }

    /// One more look without an answer. `true`: no further one can be expected to get any.
    pub fn miss(&mut self, error: &ApiError, now: Timestamp) -> bool {
        self.misses += 1;
        let is_denial = matches!(error.kind, ApiErrorKind::Denied | ApiErrorKind::Credentials);
        self.denied_since = if is_denial {
            self.denied_since.or(Some(now))
        } else {
            None
        };
        let is_denied_for_good = self
            .denied_since
            .is_some_and(|since| now.since(since) >= patience::DENIED_MAX);
        is_denied_for_good || now.since(self.since) >= patience::BLIND_MAX
    }
}
