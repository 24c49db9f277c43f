//! What is in the way when a run begins: another deployment of the service that is in progress, or that still drains.

use std::fmt;
use std::time::Duration;

use super::IfBusy;
use crate::aws_model::service::{CircuitBreaker, RolloutState, Service};
use crate::base::finding::{Code, Finding};
use crate::base::id::{DeploymentId, ServiceName, TaskDefinitionArn};
use crate::base::text::plural;
use crate::base::time::{Moment, Timestamp, human};
use crate::rollout::{Drain, Neighbour, Snapshot};

/// What a run that does not want to disturb anybody has to wait for.
#[derive(Clone, Debug, PartialEq)]
pub enum Obstacle {
    /// ECS rolls out, or goes back.
    Rollout(InProgress),
    /// ECS calls the deployment completed, and what it replaced has not gone yet.
    Drain(Drain),
}

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
    /// Its tasks fail.
    pub failing: Option<Failing>,
}

/// A deployment in progress whose tasks fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// How many of its tasks have failed, as far as it is known.
    pub tasks: u32,
    /// The likely cause, where the tasks are still shown.
    pub cause: Option<String>,
    /// Whether ECS ends it by itself, and how.
    pub breaker: Option<CircuitBreaker>,
}

impl Obstacle {
    /// What is in the way, by one look. `None`: nothing is.
    pub fn of(snapshot: &Snapshot, neighbour: &mut Neighbour, now: Moment) -> Option<Self> {
        let service = snapshot.service.as_ref()?;
        match InProgress::of(service) {
            Some(by) => {
                let failing = Failing::of(service, neighbour.failures(snapshot, now));
                Some(Self::Rollout(InProgress { failing, ..by }))
            }
            None => neighbour.drain(snapshot, now).map(Self::Drain),
        }
    }

    /// The deployment: `ecs-svc/1 (web:42, 1 of 2 tasks running)`.
    pub fn name(&self) -> String {
        match self {
            Self::Rollout(by) => format!("{} ({by})", by.deployment),
            Self::Drain(drain) => format!("{} ({})", drain.deployment, drain.revision.short()),
        }
    }

    /// Its tasks fail.
    pub fn is_failing(&self) -> bool {
        matches!(self, Self::Rollout(by) if by.failing.is_some())
    }

    /// Whether nothing has changed since then but the time that is left.
    pub fn is_same_step(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Drain(one), Self::Drain(two)) => {
                let steps = || one.left.iter().zip(&two.left);
                one.deployment == two.deployment
                    && one.left.len() == two.left.len()
                    && steps().all(|(one, two)| one.is_same_step(two))
            }
            _ => self == other,
        }
    }

    /// What is said of it before the first change: worth knowing where the run waits, and a refusal where it must not be
    /// there. A drain is in nobody's way but in that of a run that waits.
    pub fn finding(&self, service: &ServiceName, if_busy: IfBusy, at: Moment) -> Option<Finding> {
        match self {
            Self::Rollout(by) => Some(by.finding(service, if_busy, at)),
            Self::Drain(drain) => (if_busy == IfBusy::Wait).then(|| {
                Finding::note(
                    Code::DeploymentInProgress,
                    format!(
                        "the last deployment of `{service}` still drains; that is waited for before anything is changed"
                    ),
                )
                .evidence("deployment", self.name())
                .evidence("left", drain.to_string())
            }),
        }
    }

    /// It was waited for, and is still there.
    pub fn not_over_in_time(&self, service: &ServiceName, waited: Duration) -> Finding {
        let waited = human(waited);
        let (summary, goes_on) = match self {
            Self::Rollout(_) => (
                format!("a deployment of `{service}` that was there before this run has not ended within {waited}"),
                "the other deployment goes on",
            ),
            Self::Drain(_) => (
                format!("the deployment of `{service}` before this run has not finished draining within {waited}"),
                "the drain goes on",
            ),
        };
        let finding = Finding::error(Code::DeploymentInProgress, summary).evidence("deployment", self.name());
        let finding = match self {
            Self::Rollout(by) => match &by.failing {
                Some(failing) => failing.evidence(finding),
                None => finding,
            },
            Self::Drain(drain) => finding.evidence("left", drain.to_string()),
        };
        finding
            .state(format!("nothing was changed by this run; {goes_on}"))
            .hint(GET_PAST_IT)
    }
}

/// What makes a run go past whatever is in the way.
const GET_PAST_IT: &str = "deploy over it with `--if-busy replace`";

/// What is waited for: `deployment ecs-svc/1 to end (web:42, 1 of 2 tasks running)`.
impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rollout(by) => write!(f, "deployment {} to end ({by})", by.deployment),
            Self::Drain(drain) => {
                let revision = drain.revision.short();
                write!(f, "the drain of deployment {} ({revision}): {drain}", drain.deployment)
            }
        }
    }
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
            failing: None,
        })
    }

    fn finding(&self, service: &ServiceName, if_busy: IfBusy, at: Moment) -> Finding {
        let what = if self.is_rollback { "rollback" } else { "deployment" };
        let since = self
            .since
            // ECS goes back to an old deployment, whose age says nothing about the rollback's.
            .filter(|_| !self.is_rollback)
            .map(|since| format!("begun {} ago, ", human(since.ago(at).unwrap_or_default())));
        let facts = format!("{}{self}", since.unwrap_or_default());
        let finding = match (if_busy, &self.failing) {
            // A note all the same: a strict run waits as well.
            (IfBusy::Wait, Some(failing)) => Finding::note(
                Code::DeploymentInProgress,
                format!(
                    "a {what} of `{service}` is in progress, and its tasks fail ({facts}){}; {}; it is waited for all the \
                     same, and `--if-busy replace` deploys over it",
                    failing.because(),
                    failing.then()
                ),
            ),
            (IfBusy::Wait, None) => Finding::note(
                Code::DeploymentInProgress,
                format!(
                    "a {what} of `{service}` is in progress ({facts}); it is waited for before anything is changed"
                ),
            ),
            (IfBusy::Fail, _) => Finding::error(
                Code::DeploymentInProgress,
                format!("a {what} of `{service}` is in progress ({facts})"),
            )
            .state("nothing was changed")
            .hint("wait for its end with `--if-busy wait`, or deploy over it with `--if-busy replace`"),
            (IfBusy::Replace, _) => Finding::warning(
                Code::DeploymentInProgress,
                format!("a {what} of `{service}` is in progress ({facts}); this run's will replace it"),
            ),
        }
        .evidence("deployment", self.deployment.to_string());
        match &self.failing {
            Some(failing) => failing.evidence(finding),
            None => finding,
        }
    }
}

/// `web:42, 1 of 2 tasks running`.
impl fmt::Display for InProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let revision = self.revision.short();
        write!(f, "{revision}, {} of {} tasks running", self.running, self.desired)?;
        match &self.failing {
            Some(failing) => write!(f, ", {} failed", failing.tasks),
            None => Ok(()),
        }
    }
}

impl Failing {
    /// `seen`: how many of its tasks were seen to have failed, and why.
    fn of(service: &Service, seen: Option<(u32, String)>) -> Option<Self> {
        let counted = service.primary()?.failed_tasks.unwrap_or(0);
        let (tasks, cause) = seen.map_or((0, None), |(tasks, cause)| (tasks, Some(cause)));
        let tasks = tasks.max(counted);
        (tasks > 0).then(|| Self {
            tasks,
            cause,
            breaker: service.configuration.circuit_breaker.filter(|breaker| breaker.enable),
        })
    }

    /// `: container ... ends`, where it is known.
    fn because(&self) -> String {
        self.cause
            .as_ref()
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default()
    }

    /// What becomes of it without anybody's help.
    fn then(&self) -> &'static str {
        match self.breaker {
            Some(breaker) if breaker.rollback => "ECS rolls it back when its circuit breaker fires",
            Some(_) => "ECS gives it up when its circuit breaker fires",
            None => "the circuit breaker is off, so ECS goes on trying",
        }
    }

    fn evidence(&self, finding: Finding) -> Finding {
        let tasks = plural(self.tasks, "task");
        let failed = format!("{} {tasks}{}", self.tasks, self.because());
        finding.evidence("failed", failed).evidence("then", self.then())
    }
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
            failing: None,
        }
    }

    #[test]
    fn a_deployment_that_fails_is_called_so_with_what_gets_past_it() {
        let failing = |breaker| InProgress {
            failing: Some(Failing {
                tasks: 3,
                cause: Some("container `web` ends with exit code 1".into()),
                breaker,
            }),
            ..by(false)
        };
        let at = Moment::from_millis(61_000);
        let told = failing(None).finding(&"web".into(), IfBusy::Wait, at);
        assert_eq!(told.severity, Severity::Note, "a strict run waits as well");
        assert!(
            told.summary.contains(
                "is in progress, and its tasks fail (begun 1m 01s ago, web:42, 1 of 2 tasks running, 3 failed)"
            )
        );
        assert!(
            told.summary.ends_with("`--if-busy replace` deploys over it"),
            "{}",
            told.summary
        );
        let evidence = |breaker| {
            let told = failing(breaker).finding(&"web".into(), IfBusy::Wait, at).evidence;
            told.into_iter().map(|(_, line)| line).collect::<Vec<_>>()
        };
        let [_, failed, then] = evidence(None).try_into().expect("three lines");
        assert_eq!(failed, "3 tasks: container `web` ends with exit code 1");
        assert!(then.contains("the circuit breaker is off"), "{then}");
        let breaker = |rollback| {
            Some(CircuitBreaker {
                enable: true,
                rollback,
                ..CircuitBreaker::default()
            })
        };
        assert!(evidence(breaker(true))[2].contains("rolls it back"));
        assert!(evidence(breaker(false))[2].contains("gives it up"));
    }

    #[test]
    fn it_is_said_since_when_and_which_revision_and_how_far() {
        let at = Moment::from_millis(61_000);
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
