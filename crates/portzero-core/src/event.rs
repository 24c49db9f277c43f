//! The one vocabulary of what a run tells. The core makes events; reporters find the words.

use std::time::Duration;

use crate::aws_model::service::RolloutState;
use crate::base::finding::Finding;
use crate::base::id::{DeploymentId, ServiceName, TaskDefinitionArn};
use crate::base::time::Timestamp;
use crate::plan::Plan;
use crate::policy::{InProgress, Purge};
use crate::rollout::{Happening, Outcome};

/// One thing that the run has to say, with its time.
#[derive(Clone, Debug)]
pub struct RunEvent {
    pub at: Timestamp,
    /// Since the run began.
    pub elapsed: Duration,
    pub service: ServiceName,
    pub kind: EventKind,
}

#[derive(Clone, Debug)]
pub enum EventKind {
    /// What will be done, before anything is.
    Planned {
        plan: Box<Plan>,
        /// A plan for the same service has been told before: of this one, what has changed is worth a line.
        is_anew: bool,
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
    /// A rollout was found that somebody else had begun, or its end.
    Attached(Attached),
    Rollout(Happening),
    /// Another deployment is in progress, and its end is waited for.
    Busy {
        by: InProgress,
        /// What is left of the wait budget.
        left: Duration,
    },
    /// It has ended: the plan is made anew.
    Free,
    /// The run takes the service back to what ran before.
    GoingBack {
        call: &'static str,
        to: Option<TaskDefinitionArn>,
    },
    /// Revisions that nobody needs any more.
    Purged(Purge),
    /// Something worth knowing that ends nothing.
    Found(Finding),
    /// The end of this service's rollout.
    Ended(Outcome),
}

/// What a run has found that did not begin the rollout.
#[derive(Clone, Debug, PartialEq)]
pub struct Attached {
    pub deployment: DeploymentId,
    pub before: Option<TaskDefinitionArn>,
    pub after: Option<TaskDefinitionArn>,
    /// `None`: it is not listed.
    pub state: Option<RolloutState>,
    pub created_at: Option<Timestamp>,
    /// Nothing is in flight: what runs is checked.
    pub is_at_rest: bool,
    pub wait_budget: Duration,
}
