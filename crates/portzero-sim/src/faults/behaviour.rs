//! What faults make of a container and of a health check: data that the scheduler and the load balancers read.

use std::time::Duration;

/// How a container of one task behaves, as the faults in force have it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Behaviour {
    /// The task never starts: (reason of the task, reason of the container).
    pub(crate) never_starts: Option<(String, Option<String>)>,
    /// The essential container ends by itself: exit code, how long after its start, its reason.
    pub(crate) ends: Option<(i32, Duration, Option<String>)>,
}

/// How a target answers one health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckAnswer {
    Ok,
    Code(u16),
    /// No answer in time.
    Timeout,
    /// The connection is refused.
    ConnectionRefused,
}
