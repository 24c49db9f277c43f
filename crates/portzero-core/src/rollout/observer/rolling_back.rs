//! The way back to what ran before: whether a failure calls for it, which way there is, and following it.

use std::time::Duration;

use super::Observer;
use super::state::Rollback;
use crate::aws_model::service::ServiceDeployment;
use crate::base::finding::{Code, Finding};
use crate::base::id::TaskDefinitionArn;
use crate::base::time::Moment;
use crate::rollout::rollback::{Leaves, Way, is_stoppable};
use crate::rollout::timeouts;
use crate::rollout::verdict::Verdict;
use crate::rollout::view::deployment_status::DeploymentState;
use crate::rollout::view::waiting::WaitingOn;

impl Observer {
    /// Whether an end with this verdict leaves something to go back from, which ECS does not go back from itself.
    ///
    /// A failure does, and so does a time-out before the new targets were all there; one that only waits for old ones
    /// to drain would give up a revision that serves. Not where ECS is going back or has tried to, where somebody has
    /// stopped or replaced the deployment or deletes the service, and not where nobody can see what happens. A
    /// cancelled run has something to go back from until ECS calls its deployment completed.
    pub fn leaves(&self, verdict: Verdict) -> Leaves {
        let is_ours = match &self.course.standing {
            Some(standing) => matches!(standing, DeploymentState::Ours | DeploymentState::Failed { .. }),
            // The signal came before the first look.
            None => verdict == Verdict::Interrupted,
        };
        if !is_ours || self.course.rollback.is_some() {
            return Leaves::Nothing;
        }
        match verdict {
            Verdict::Failed => Leaves::Something,
            Verdict::TimedOut if self.is_new_missing() => Leaves::Something,
            Verdict::TimedOut => Leaves::NothingBecause("all new tasks and targets are there"),
            Verdict::Interrupted if self.sight.known.is_completed => {
                Leaves::NothingBecause("ECS calls the deployment completed")
            }
            Verdict::Interrupted => Leaves::Something,
            _ => Leaves::Nothing,
        }
    }

    fn is_new_missing(&self) -> bool {
        self.sight.look.waiting.iter().any(|w| {
            matches!(
                w,
                WaitingOn::FirstTask | WaitingOn::Tasks { .. } | WaitingOn::Targets { .. }
            )
        })
    }

    /// How to get back. `good`: what ran well before; without it only ECS may know. Going back to the revision that has
    /// just failed would be no way back, but ECS goes back by deployment, and may.
    pub fn rollback_report(&self, good: Option<&TaskDefinitionArn>) -> Option<Way> {
        self.stoppable().or_else(|| self.redeployment(good))
    }

    /// The way where ECS cannot be asked for a rollback.
    pub fn redeployment(&self, good: Option<&TaskDefinitionArn>) -> Option<Way> {
        let to = good.filter(|good| **good != self.scope.task_definition)?;
        Some(Way::Redeploy { to: to.clone() })
    }

    fn stoppable(&self) -> Option<Way> {
        let deployment = self.sight.known.service_deployment.as_ref()?;
        is_stoppable(&deployment.status).then(|| Way::Stop {
            service_deployment: deployment.arn.clone(),
        })
    }

    /// What is known of our deployment before the first look.
    pub fn note_service_deployment(&mut self, service_deployment: ServiceDeployment) {
        self.sight.known.service_deployment = Some(service_deployment);
    }

    /// For how long a way back is followed: its own wait budget, which a short timeout of the rollout does not cut.
    pub fn way_back_budget(&self) -> Duration {
        self.scope.wait_budget.max(timeouts::WAY_BACK_AT_LEAST)
    }

    /// ECS has been asked to roll our deployment back: from here on that is what is followed.
    pub fn follow_rollback(&mut self, now: Moment) {
        self.scope.wait_budget = self.way_back_budget();
        self.course.rollback = Some(Rollback {
            to: None,
            is_over: false,
        });
        self.pace.started_at = now;
        self.pace.moved_at = now;
        self.course.failed_since = None;
        self.course.stop_seen_at = None;
        self.course.absent_since = None;
        self.reported.waiting = None;
    }

    /// Where the rollback leads, once ECS shows it.
    pub fn back_to(&self) -> Option<&TaskDefinitionArn> {
        let to = self.course.rollback.as_ref()?.to.as_ref()?;
        Some(&to.task_definition)
    }

    /// Whether the earlier deployment has been seen complete again, without a task of ours.
    pub fn is_back(&self) -> bool {
        self.course.rollback.as_ref().is_some_and(|rollback| rollback.is_over)
    }

    /// The deployment that has taken over from this one, or from its way back.
    pub fn replaced_by(&self) -> Option<&str> {
        self.course.replaced_by.as_deref()
    }

    /// For how long nothing could be read, up to now.
    pub fn blind_for(&self, now: Moment) -> Option<Duration> {
        self.sight.outage.as_ref().map(|blind| now.since(blind.since))
    }

    /// ECS's word that its rollback has come to a bad end.
    pub fn rollback_failure(&self) -> Option<Finding> {
        let reason = match self.course.standing.as_ref()? {
            DeploymentState::RollbackFailed { reason } | DeploymentState::Failed { reason } => reason.clone(),
            _ => return None,
        };
        let summary = "ECS calls the rollback, or the deployment that it went back from, failed";
        let finding = Finding::error(Code::RollbackFailed, summary).state(self.serving());
        Some(match reason {
            Some(reason) => finding.evidence("ecs", reason),
            None => finding,
        })
    }

    /// `web:41 runs 2 tasks`, by the last look.
    pub fn serving(&self) -> String {
        self.sight.look.serving_line()
    }

    /// What it means that the service is back at a revision, by the last look.
    pub fn back_at(&self, revision: &TaskDefinitionArn) -> String {
        self.sight.look.back_at(revision.short(), &self.scope)
    }

    /// Whether the service wanted no task when it was last seen.
    pub fn wants_no_task(&self) -> bool {
        self.sight.seen_at.is_some() && self.sight.look.desired == 0
    }
}
