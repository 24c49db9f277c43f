//! A spell in which the world cannot be read.

use crate::api_error::{ApiError, ApiErrorKind};
use crate::rollout::patience;
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub struct Blind {
    pub since: Timestamp,
    pub misses: u32,
}

impl Blind {
    pub fn begin(now: Timestamp) -> Self {
        Self { since: now, misses: 0 }
    }

    /// One more look without an answer. `true`: no further one can be expected to get any.
    pub fn miss(&mut self, error: &ApiError, now: Timestamp) -> bool {
        self.misses += 1;
        let patience = match error.kind {
            ApiErrorKind::Denied | ApiErrorKind::Credentials => patience::DENIED_MAX,
            _ => patience::BLIND_MAX,
        };
        now.since(self.since) >= patience
    }
}
