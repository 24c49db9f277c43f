//! The one vocabulary of what a run tells. The core makes events; reporters find the words.

use std::time::Duration;

use crate::aws_model::service::RolloutState;
use crate::base::finding::Finding;
use crate::base::id::{DeploymentId, ServiceName, TaskDefinitionArn};
use crate::base::time::{Moment, Timestamp};
use crate::plan::Plan;
use crate::policy::{Obstacle, Purge};
use crate::rollout::{Outcome, RolloutEvent};

/// One thing that the run has to say, with its time.
#[derive(Clone, Debug)]
pub struct RunEvent {
    /// When it happened, by the clock of the run.
    pub at: Moment,
    /// Since the run began.
    pub elapsed: Duration,
    /// Which service it is about.
    pub service: ServiceName,
    /// What happened.
    pub kind: EventKind,
}

/// What can be reported of one run of a service.
#[derive(Clone, Debug)]
pub enum EventKind {
    /// What will be done, before anything is.
    Planned {
        /// All of it; the reporter finds the words.
        plan: Box<Plan>,
        /// A plan for the same service has been told before: of this one, what has changed is worth a line.
        is_anew: bool,
    },
    /// The revision exists: newly registered, or found to be the same as the running one.
    Revision {
        /// The registered revision.
        arn: TaskDefinitionArn,
        /// It was there already with the same content.
        is_reused: bool,
    },
    /// UpdateService has been answered: from here on ECS works.
    Updated {
        /// The deployment that UpdateService has answered with.
        deployment: DeploymentId,
        /// The revision that ran before; absent where none did.
        before: Option<TaskDefinitionArn>,
        /// The revision that is rolled out.
        after: TaskDefinitionArn,
    },
    /// A rollout was found that somebody else had begun, or its end.
    Attached(Attached),
    /// What the observer has seen.
    Rollout(RolloutEvent),
    /// Another deployment is in progress or drains, and its end is waited for.
    Busy {
        /// What is waited for.
        by: Obstacle,
        /// What is left of the wait budget.
        left: Duration,
    },
    /// It has ended: the plan is made anew.
    Free,
    /// The run takes the service back to what ran before.
    GoingBack {
        /// The call that asked ECS to go back.
        call: &'static str,
        /// The revision that it goes back to, where that is known.
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
    /// The deployment that is followed.
    pub deployment: DeploymentId,
    /// The revision that ran before it; absent where nobody can tell.
    pub before: Option<TaskDefinitionArn>,
    /// The revision that it rolls out.
    pub after: Option<TaskDefinitionArn>,
    /// `None`: it is not listed, or ECS does not show its state.
    pub state: Option<RolloutState>,
    /// When it began; absent where ECS does not say.
    pub created_at: Option<Timestamp>,
    /// Nothing is in flight: what runs is checked.
    pub is_at_rest: bool,
    /// For how long this run waits.
    pub wait_budget: Duration,
}
