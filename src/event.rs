//! The one vocabulary of what a run tells. The core makes events; reporters find the words.

use std::time::Duration;

use crate::finding::Finding;
use crate::id::{DeploymentId, ServiceName, TaskDefinitionArn};
use crate::rollout::{Happening, Outcome};
use crate::time::Timestamp;

/// One thing that the run has to say, with its time.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEvent {
    pub at: Timestamp,
    /// Since the run began.
    pub elapsed: Duration,
    pub service: ServiceName,
    pub kind: EventKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// One line of what will be done, before anything is.
    Planned {
        line: String,
    },
    /// The revision exists: newly registered, or found to be the same as the running one.
    Revision {
        arn: TaskDefinitionArn,
        is_reused: bool,
    },
    /// UpdateService has been answered: from here on ECS works.
    Updated {
        deployment: DeploymentId,
        before: Option<TaskDefinitionArn>,
        after: TaskDefinitionArn,
    },
    Rollout(Happening),
    /// Something worth knowing that ends nothing.
    Found(Finding),
    /// The end of this service's rollout.
    Ended(Outcome),
}
