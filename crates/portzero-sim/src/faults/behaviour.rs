//! What faults make of a container and of a health check: data that the scheduler and the load balancers read.

use std::time::Duration;

/// How a container of one task behaves, as the faults in force have it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Behaviour {
    /// The task never starts: (reason of the task, reason of the container).
    pub(crate) never_starts: Option<(String, Option<String>)>,
    /// An essential container ends by itself.
    pub(crate) ends: Option<ContainerEnd>,
    /// Containers that are not essential: the task goes on without them.
    pub(crate) beside: Vec<Beside>,
}

/// How a container ends by itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ContainerEnd {
    pub(crate) container: String,
    pub(crate) exit_code: i32,
    /// How long after its start.
    pub(crate) after: Duration,
    pub(crate) reason: Option<String>,
}

/// What befalls a container that is not essential.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Beside {
    /// Its image cannot be pulled, for this reason.
    Unpulled(String, String),
    Ends(ContainerEnd),
}

impl Beside {
    pub(crate) fn container(&self) -> &str {
        match self {
            Self::Unpulled(container, _) => container,
            Self::Ends(end) => &end.container,
        }
    }

    /// What it ends with; `None` where it never runs.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        match self {
            Self::Unpulled(..) => None,
            Self::Ends(end) => Some(end.exit_code),
        }
    }
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
