//! What AWS says is not there: a definite failure, and no blindness.

use super::{Ending, Observer};
use crate::aws_model::api_error::ApiError;
use crate::base::time::Moment;
use crate::rollout::timeouts;
use crate::rollout::verdict::Verdict;
use crate::rollout::words::gone::{Gone, in_mid_rollout};

impl Observer {
    /// "Not found" is an answer and no blindness; it is believed when it has stayed for a while.
    pub(super) fn miss_what_is_gone(&mut self, gone: Gone, error: &ApiError, now: Moment) -> Option<Ending> {
        let since = *self.sight.gone_since.get_or_insert(now);
        let is_believed = now.since(since) >= timeouts::GONE_IS_BELIEVED_AFTER || now >= self.deadline();
        if !is_believed {
            return None;
        }
        let told = || in_mid_rollout(&self.scope, gone, error, &self.sight.look);
        Some(self.known_failure().unwrap_or_else(|| (Verdict::Failed, vec![told()])))
    }
}
