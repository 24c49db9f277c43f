//! Whether the hooks of a stage let it pass.

use crate::timestamp::Timestamp;

/// A hook that has begun: when it ends by itself, and how.
#[derive(Clone, Debug)]
pub(crate) struct OpenHook {
    pub id: String,
    pub(crate) ends_at: Timestamp,
    /// SUCCEEDED, FAILED or TIMED_OUT.
    pub(crate) ends_as: &'static str,
}

/// What the hooks of a stage allow.
pub(crate) enum Gate {
    Open,
    Shut,
    /// Why the deployment rolls back.
    Failed(String),
}
