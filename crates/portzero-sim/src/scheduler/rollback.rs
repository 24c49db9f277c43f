//! Deployments that fail: the count of failures, the circuit breaker, and the way back.

use std::time::Duration;

use crate::model::state::{Deployment, Rollback, ServiceDeployment, primary};
use crate::model::status::{DeploymentStatus, RolloutState, ServiceDeploymentStatus};
use crate::scenario::span::Spread;
use crate::world::{DeploymentEvent, ScheduledEvent, World, service_event};

const BREAKER_REASON: &str = "ECS deployment circuit breaker: tasks failed to start.";

/// Of a service deployment whose rollback fails as well. No recording has the words.
const NOT_EVEN_BACK: &str = "The rollback of the service deployment failed: tasks failed to start.";

/// Why no way leads back (seen where a service's first deployment failed).
const NO_CANDIDATE: &str = "No rollback candidate was found to run the rollback.";

/// The pause between starts never grows beyond this.
const LONGEST_PAUSE: Duration = Duration::from_secs(900);

/// From the start that counts the last failure to the breaker: recorded 2.9 s after tasks that never ran, and 64 s after
/// tasks that failed their container health checks (no recording shows it for those of a load balancer).
const AFTER_FAILED_START: Spread = Spread::millis(2_500, 3_100);
const AFTER_FAILED_HEALTH: Spread = Spread::millis(61_000, 66_000);

/// How a start has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailedStart {
    /// The task was never RUNNING.
    NeverRan,
    /// It ended by itself.
    Ended,
    /// It failed a health check.
    Unhealthy,
}

/// Why a deployment fails, and what is said of it.
pub(crate) struct Failure {
    /// Of the deployment: `rolloutStateReason`.
    reason: String,
    /// Of the service deployment: `statusReason`.
    why: String,
    /// The service event, without its head.
    event: Option<String>,
    by_breaker: bool,
    by_alarm: bool,
    goes_back: bool,
}

impl Failure {
    fn breaker(goes_back: bool) -> Self {
        Self {
            reason: BREAKER_REASON.into(),
            why: "Service deployment rolled back because the circuit breaker threshold was exceeded.".into(),
            event: Some("tasks failed to start.".into()),
            by_breaker: true,
            by_alarm: false,
            goes_back,
        }
    }

    /// The event is recorded; the two reasons are modelled on the breaker's.
    pub(crate) fn alarm(goes_back: bool) -> Self {
        Self {
            reason: "ECS deployment failed: alarm detected.".into(),
            why: "Service deployment rolled back because one or more CloudWatch alarms were triggered.".into(),
            event: Some("alarm detected.".into()),
            by_breaker: false,
            by_alarm: true,
            goes_back,
        }
    }

    /// The event repeats the reason (recorded).
    pub(crate) fn hook(why: &str) -> Self {
        Self {
            reason: format!("ECS deployment failed: {why}"),
            why: why.to_owned(),
            event: Some(why.to_owned()),
            by_breaker: false,
            by_alarm: false,
            goes_back: true,
        }
    }

    fn user(goes_back: bool) -> Self {
        let why = "Service deployment was stopped by the user.";
        Self {
            reason: why.into(),
            why: why.into(),
            event: None,
            by_breaker: false,
            by_alarm: false,
            goes_back,
        }
    }
}

impl World {
    /// A task ended before it was of use. It is counted when the next start is tried, which comes after a pause.
    pub(crate) fn start_failed(&mut self, cluster: &str, name: &str, task: &str, how: FailedStart) {
        let deployment = self.task(cluster, task).map(|t| t.started_by.clone());
        let primary = self.service(cluster, name).and_then(primary).map(|p| p.id.clone());
        let was_healthy = self
            .task_runtimes
            .get(task)
            .is_some_and(|runtime| runtime.has_been_healthy);
        // Tasks that have been of use count only where they fail a health check and nothing sets the count back.
        let adds_up = self
            .service(cluster, name)
            .and_then(|s| s.circuit_breaker)
            .is_some_and(|b| !b.resets());
        if deployment != primary || was_healthy && !(adds_up && how == FailedStart::Unhealthy) {
            return;
        }
        let (retry, long) = (self.timings.retry, self.timings.long_retry);
        let retries = self.scheduler_state(cluster, name).failures.retries;
        let never_ran = how == FailedStart::NeverRan;
        // Only tasks that never ran make ECS slow down (Developer Guide, "service throttle logic").
        let pause = match retries {
            _ if !never_ran => self.draw(retry),
            0 | 1 => self.draw(retry),
            2 => self.draw(long),
            more => long.low.saturating_mul(1 << (more - 2).min(4)).min(LONGEST_PAUSE),
        };
        if never_ran && retries >= 3 {
            self.complain(cluster, name, service_event::inconsistent(name));
        }
        self.failed_once(cluster, name, pause);
    }

    /// Notes one failure, and when the next start is tried. Failures of one moment share their pause.
    pub(crate) fn failed_once(&mut self, cluster: &str, name: &str, pause: Duration) {
        let now = self.now;
        let scheduler = self.scheduler_state(cluster, name);
        scheduler.failures.uncounted += 1;
        scheduler.timing.completes_at = None;
        if scheduler.failures.retry_at.is_none_or(|at| at <= now) {
            scheduler.failures.retry_at = Some(now + pause);
            scheduler.failures.retries += 1;
        }
    }

    /// Counts the failures since the last start, as ECS does when it tries the next; the breaker may fire upon that.
    pub(crate) fn count_failures(&mut self, cluster: &str, name: &str) {
        let scheduler = self.scheduler_state(cluster, name);
        let (uncounted, is_pending) = (
            std::mem::take(&mut scheduler.failures.uncounted),
            scheduler.failures.breaker_pending,
        );
        let is_guarded = self.switches.breaker_in_every_strategy || !self.is_staged(cluster, name);
        let Some(service) = self.service_mut(cluster, name) else {
            return;
        };
        let limit = service.breaker_threshold();
        let is_watched = service.circuit_breaker.as_ref().is_some_and(|b| b.enable) && is_guarded;
        let Some(primary) = service
            .deployments
            .iter_mut()
            .find(|d| d.status == DeploymentStatus::Primary)
        else {
            return;
        };
        primary.failed_tasks += uncounted;
        let (failed, id, open) = (
            primary.failed_tasks,
            primary.id.clone(),
            primary.rollout_state == RolloutState::InProgress,
        );
        for running in service
            .service_deployments
            .iter_mut()
            .filter(|d| d.deployment_id == id && d.status.is_open())
        {
            running.failure_count = failed;
            running.threshold = limit;
        }
        if is_watched && open && failed >= limit && !is_pending {
            self.scheduler_state(cluster, name).failures.breaker_pending = true;
            let by_health = self.scheduler_state(cluster, name).failures.last_by_health;
            let later = self.draw(if by_health {
                AFTER_FAILED_HEALTH
            } else {
                AFTER_FAILED_START
            });
            let (cluster, service) = (cluster.to_owned(), name.to_owned());
            self.after(
                later,
                ScheduledEvent::Deployment {
                    what: DeploymentEvent::BreakerFires,
                    cluster,
                    service,
                    deployment: id,
                },
            );
        }
    }

    pub(crate) fn breaker_fires(&mut self, cluster: &str, name: &str, deployment: &str) {
        let is_current = |p: &Deployment| p.id == deployment && p.rollout_state == RolloutState::InProgress;
        if !self.service(cluster, name).and_then(primary).is_some_and(is_current) {
            return;
        }
        let goes_back = self
            .service(cluster, name)
            .and_then(|s| s.circuit_breaker)
            .is_some_and(|b| b.rollback);
        self.fail_deployment(cluster, name, deployment, Failure::breaker(goes_back));
    }

    /// StopServiceDeployment takes effect.
    pub(crate) fn user_stops(&mut self, cluster: &str, name: &str, deployment: &str, goes_back: bool) {
        let wanted = if goes_back {
            ServiceDeploymentStatus::RollbackRequested
        } else {
            ServiceDeploymentStatus::StopRequested
        };
        let is_asked = self.service(cluster, name).is_some_and(|s| {
            s.service_deployments
                .iter()
                .any(|d| d.deployment_id == deployment && d.status == wanted)
        });
        // A newer deployment may have come in between.
        let is_primary = self
            .service(cluster, name)
            .and_then(primary)
            .is_some_and(|p| p.id == deployment);
        if is_asked && is_primary {
            self.fail_deployment(cluster, name, deployment, Failure::user(goes_back));
            let (cluster, service) = (cluster.to_owned(), name.to_owned());
            self.after(Duration::from_millis(200), ScheduledEvent::Look { cluster, service });
        }
    }

    /// The PRIMARY deployment has failed: back to the last COMPLETED one, or left as it stands.
    pub(crate) fn fail_deployment(&mut self, cluster: &str, name: &str, failed: &str, failure: Failure) {
        let now = self.now;
        let completed = self
            .scheduler_state(cluster, name)
            .deployments
            .completed
            .clone()
            .filter(|d| failure.goes_back && d.id != failed);
        if let Some(words) = &failure.event {
            self.say(cluster, name, service_event::failed(name, failed, words));
        }
        // Whatever stage it was in, it goes no further.
        self.scheduler_state(cluster, name).stage_progress = None;
        let Some(service) = self.service_mut(cluster, name) else {
            return;
        };
        for old in service.deployments.iter_mut().filter(|d| d.id == failed) {
            old.rollout_state = RolloutState::Failed;
            old.rollout_state_reason = failure.reason.clone();
            old.updated_at = now;
        }
        let revisions = service.arn.replacen(":service/", ":service-revision/", 1);
        let back_to = completed.as_ref().map(|target| {
            let number = target.id.rsplit('/').next().unwrap_or_default();
            format!("{revisions}/{number}")
        });
        for open in service.service_deployments.iter_mut().filter(|d| {
            d.deployment_id == failed && (d.status.is_open() || d.status == ServiceDeploymentStatus::StopRequested)
        }) {
            settle(open, &failure, back_to.clone(), now);
        }
        let was_going_back = self.scheduler_state(cluster, name).rollback.since.is_some();
        match completed {
            Some(target) => self.go_back(cluster, name, failed, target),
            None if was_going_back => self.fail_rollback(cluster, name),
            None => {}
        }
    }

    /// The way back has failed too. ECS starts nothing more: neither revision is one that it may go to.
    fn fail_rollback(&mut self, cluster: &str, name: &str) {
        let now = self.now;
        self.scheduler_state(cluster, name).rollback.since = None;
        let Some(service) = self.service_mut(cluster, name) else {
            return;
        };
        for open in service
            .service_deployments
            .iter_mut()
            .filter(|d| d.status == ServiceDeploymentStatus::RollbackInProgress)
        {
            open.status = ServiceDeploymentStatus::RollbackFailed;
            open.status_reason = Some(NOT_EVEN_BACK.into());
            open.finished_at = Some(now);
            open.updated_at = now;
        }
    }

    /// The old id stands again, with the moment of the rollback as its creation until it has completed.
    fn go_back(&mut self, cluster: &str, name: &str, failed: &str, target: Deployment) {
        let now = self.now;
        let Some(service) = self.service_mut(cluster, name) else {
            return;
        };
        for old in service.deployments.iter_mut().filter(|d| d.id == failed) {
            old.status = DeploymentStatus::Active;
        }
        let kept = service.deployments.iter().position(|d| d.id == target.id);
        let mut again = kept.map_or_else(|| target.clone(), |place| service.deployments.remove(place));
        again.status = DeploymentStatus::Primary;
        again.created_at = now;
        again.updated_at = now;
        again.failed_tasks = 0;
        again.desired_count = service.desired_count;
        again.rollout_state = RolloutState::InProgress;
        again.rollout_state_reason = format!(
            "ECS deployment circuit breaker: rolling back to deploymentId {}.",
            target.id
        );
        service.task_definition = again.task_definition.clone();
        service.deployments.insert(0, again);
        self.restore_revision(cluster, name, &target.id);
        let event = service_event::rolling_back(name, &target.id);
        self.say_after(cluster, name, event, Duration::from_millis(1));
        self.begin_anew(cluster, name);
        let later = self.draw(Spread::millis(2_600, 2_900));
        let is_staged = self.is_staged(cluster, name);
        let scheduler = self.scheduler_state(cluster, name);
        scheduler.rollback.since = Some(target.created_at);
        scheduler.timing.acts_from = now + later;
        scheduler.rollback.starts_late = true;
        scheduler.rollback.traffic_returns = is_staged;
        if is_staged {
            self.return_traffic(cluster, name);
        }
        self.recount(cluster, name);
        let (cluster, service) = (cluster.to_owned(), name.to_owned());
        self.after(later, ScheduledEvent::Look { cluster, service });
    }
}

/// Notes the failure in its service deployment: on its way back, or at its end.
fn settle(open: &mut ServiceDeployment, failure: &Failure, back_to: Option<String>, now: crate::timestamp::Timestamp) {
    if open.breaker_status != "DISABLED" {
        open.breaker_status = if failure.by_breaker {
            "TRIGGERED"
        } else {
            "MONITORING_COMPLETE"
        }
        .into();
    }
    if open.progress.alarm_status == "MONITORING" {
        open.progress.alarm_status = if failure.by_alarm {
            "TRIGGERED"
        } else {
            "MONITORING_COMPLETE"
        }
        .into();
    }
    open.updated_at = now;
    match back_to {
        Some(revision) => {
            open.status = ServiceDeploymentStatus::RollbackInProgress;
            open.status_reason = Some(failure.why.clone());
            open.rollback = Some(Rollback {
                reason: failure.why.clone(),
                started_at: now,
                revision,
            });
        }
        None => {
            let (status, why) = if failure.goes_back {
                (
                    ServiceDeploymentStatus::RollbackFailed,
                    format!("{} {NO_CANDIDATE}", failure.why),
                )
            } else {
                open.progress.stopped_at = Some(now);
                (ServiceDeploymentStatus::Stopped, failure.reason.clone())
            };
            open.status = status;
            open.status_reason = Some(why);
            open.finished_at = Some(now);
        }
    }
}
