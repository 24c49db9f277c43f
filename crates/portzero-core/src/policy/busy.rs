//! Another deployment of the service, in progress when a run begins.

use std::fmt;
use std::time::Duration;

use super::IfBusy;
use crate::aws_model::service::{RolloutState, Service};
use crate::base::finding::{Code, Finding};
use crate::base::id::{DeploymentId, ServiceName, TaskDefinitionArn};
use crate::base::time::{Timestamp, human};

/// What ECS is still at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InProgress {
    /// The deployment in progress.
    pub deployment: DeploymentId,
    /// The revision that it rolls out.
    pub revision: TaskDefinitionArn,
    /// When it was created; absent where ECS does not say.
    pub since: Option<Timestamp>,
    /// How many of its tasks run.
    pub running: u32,
    /// How many tasks the service wants.
    pub desired: u32,
    /// ECS's own words say that it goes back.
    pub is_rollback: bool,
}

impl InProgress {
    /// The deployment of the service that is in progress, if one is.
    pub fn of(service: &Service) -> Option<Self> {
        let primary = service.primary()?;
        let is_open = match &primary.rollout_state {
            Some(state) => *state == RolloutState::InProgress,
            // ECS gives no state for services behind a classic load balancer, but lists what is being replaced.
            None => service.deployments.len() > 1,
        };
        is_open.then(|| Self {
            deployment: primary.id.clone(),
            revision: primary.task_definition.clone(),
            since: primary.created_at,
            running: primary.running_count,
            desired: service.desired_count,
            is_rollback: primary.is_rolling_back(),
        })
    }

    /// What is said of it before the first change: worth knowing where the run waits, and a refusal where it must not be
    /// there.
    pub fn finding(&self, service: &ServiceName, if_busy: IfBusy, at: Timestamp) -> Finding {
        let what = if self.is_rollback { "rollback" } else { "deployment" };
        let since = self
            .since
            // ECS goes back to an old deployment, whose age says nothing about the rollback's.
            .filter(|_| !self.is_rollback)
            .map(|since| format!("begun {} ago, ", human(at.since(since))));
        let facts = format!("{}{self}", since.unwrap_or_default());
        match if_busy {
            IfBusy::Wait => Finding::note(
                Code::DeploymentInProgress,
                format!(
                    "a {what} of `{service}` is in progress ({facts}); it is waited for before anything is changed"
                ),
            ),
            IfBusy::Fail => Finding::error(
                Code::DeploymentInProgress,
                format!("a {what} of `{service}` is in progress ({facts})"),
            )
            .state("nothing was changed")
            .hint("wait for its end with `--if-busy wait`, or deploy over it with `--if-busy replace`"),
            IfBusy::Replace => Finding::warning(
                Code::DeploymentInProgress,
                format!("a {what} of `{service}` is in progress ({facts}); this run's will replace it"),
            ),
        }
        .evidence("deployment", self.deployment.to_string())
    }
}

/// `web:42, 1 of 2 tasks running`.
impl fmt::Display for InProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let revision = self.revision.short();
        write!(f, "{revision}, {} of {} tasks running", self.running, self.desired)
    }
}

/// It was waited for in vain.
pub fn not_over_in_time(service: &ServiceName, by: &InProgress, waited: Duration) -> Finding {
    Finding::error(
        Code::DeploymentInProgress,
        format!(
            "a deployment of `{service}` that was there before this run has not ended within {}",
            human(waited)
        ),
    )
    .evidence("deployment", format!("{} ({by})", by.deployment))
    .state("nothing was changed by this run; the other deployment goes on")
    .hint("deploy over it with `--if-busy replace`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::finding::Severity;

    fn by(is_rollback: bool) -> InProgress {
        InProgress {
            deployment: "ecs-svc/1".into(),
            revision: "task-definition/web:42".into(),
            since: Some(Timestamp::from_millis(0)),
            running: 1,
            desired: 2,
            is_rollback,
        }
    }

    #[test]
    fn it_is_said_since_when_and_which_revision_and_how_far() {
        let at = Timestamp::from_millis(61_000);
        let told = by(false).finding(&"web".into(), IfBusy::Wait, at);
        assert_eq!(
            told.summary,
            "a deployment of `web` is in progress (begun 1m 01s ago, web:42, 1 of 2 tasks running); it is waited for before \
             anything is changed"
        );
        assert_eq!(told.severity, Severity::Note, "a strict run waits as well");
        assert_eq!(
            by(true).finding(&"web".into(), IfBusy::Fail, at).severity,
            Severity::Error
        );
    }
}
