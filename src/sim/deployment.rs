//! Deployments: their counts, their completion, the circuit breaker, the rollback.

use std::time::Duration;

use super::events;
use super::scenario::Spread;
use super::state::{Deployment, Rollback, Service, ServiceDeployment};
use super::world::{Happening, World};

/// The failures after which the breaker fires: half the desired count, at least 3, at most 200.
pub(super) fn threshold(desired: u32) -> u32 {
    (desired / 2 + desired % 2).clamp(3, 200)
}

const BREAKER_REASON: &str = "ECS deployment circuit breaker: tasks failed to start.";

/// The pause between starts never grows beyond this.
const LONGEST_PAUSE: Duration = Duration::from_secs(900);

impl World {
    /// Makes a new PRIMARY deployment of the service; the one before it becomes ACTIVE.
    pub(super) fn make_deployment(&mut self, cluster: &str, name: &str, task_definition: &str) -> Option<()> {
        let number = self.digits(19);
        let id = format!("ecs-svc/{number}");
        let mixed = self.mixed(21);
        let started = self.draw(Spread::millis(90, 160));
        let first = self.draw(self.timings.first_action);
        let now = self.now;
        let (region, account) = (self.account.region.clone(), self.account.id.clone());
        let service = self.service_mut(cluster, name)?;
        let watched = service.circuit_breaker.as_ref().is_some_and(|b| b.enable);
        let mut replaced = None;
        for old in service.deployments.iter_mut().filter(|d| d.status == "PRIMARY") {
            old.status = "ACTIVE".into();
            old.updated_at = now;
            replaced = Some(old.id.clone());
        }
        let mut superseded = None;
        for running in service.service_deployments.iter_mut().filter(|d| is_open(&d.status)) {
            running.status = "STOP_REQUESTED".into();
            running.updated_at = now;
            superseded = Some(running.arn.clone());
        }
        let revision = |id: &str| {
            let number = id.rsplit('/').next().unwrap_or(id);
            format!("arn:aws:ecs:{region}:{account}:service-revision/{cluster}/{name}/{number}")
        };
        service.service_deployments.insert(
            0,
            ServiceDeployment {
                arn: format!("arn:aws:ecs:{region}:{account}:service-deployment/{cluster}/{name}/{mixed}"),
                deployment_id: id.clone(),
                status: "IN_PROGRESS".into(),
                status_reason: None,
                created_at: now,
                started_at: Some(now + started),
                finished_at: None,
                updated_at: now + started,
                source_revisions: replaced.iter().map(|id| revision(id)).collect(),
                target_revision: revision(&id),
                breaker_status: if watched { "MONITORING" } else { "DISABLED" }.into(),
                failure_count: 0,
                threshold: threshold(service.desired_count),
                rollback: None,
            },
        );
        service.task_definition = task_definition.to_owned();
        service.deployments.insert(
            0,
            Deployment {
                id: id.clone(),
                status: "PRIMARY".into(),
                task_definition: task_definition.to_owned(),
                desired_count: 0,
                pending_count: 0,
                running_count: 0,
                failed_tasks: 0,
                created_at: now,
                updated_at: now,
                rollout_state: "IN_PROGRESS".into(),
                rollout_state_reason: format!("ECS deployment {id} in progress."),
            },
        );
        self.begin_anew(cluster, name);
        let mind = self.mind(cluster, name);
        mind.acts_from = now + first;
        mind.rolling_back = None;
        if mind.next.is_none() {
            mind.next = Some((id, task_definition.to_owned()));
        }
        let (cluster, service) = (cluster.to_owned(), name.to_owned());
        if let Some(arn) = superseded {
            let later = self.draw(Spread::millis(100, 290));
            self.after(
                later,
                Happening::Superseded {
                    cluster: cluster.clone(),
                    service: service.clone(),
                    arn,
                },
            );
        }
        self.after(first, Happening::Look { cluster, service });
        Some(())
    }

    /// Forgets the failures, pauses and plans that belong to the deployment before.
    fn begin_anew(&mut self, cluster: &str, service: &str) {
        let now = self.now;
        let mind = self.mind(cluster, service);
        mind.uncounted = 0;
        mind.retry_at = None;
        mind.retries = 0;
        mind.completes_at = None;
        mind.breaker_pending = false;
        mind.has_been_healthy = false;
        mind.last_action = now;
        mind.replacements.clear();
    }

    pub(super) fn superseded(&mut self, cluster: &str, service: &str, arn: &str) {
        let now = self.now;
        let Some(service) = self.service_mut(cluster, service) else {
            return;
        };
        for old in service
            .service_deployments
            .iter_mut()
            .filter(|d| d.arn == arn && d.status == "STOP_REQUESTED")
        {
            old.status = "STOPPED".into();
            old.status_reason = Some("Replaced by a new service deployment.".into());
            old.finished_at = Some(now);
            old.updated_at = now;
            if old.breaker_status == "MONITORING" {
                old.breaker_status = "MONITORING_COMPLETE".into();
            }
        }
    }

    /// Brings the counts of the deployments in step with the tasks.
    pub(super) fn recount(&mut self, cluster: &str, name: &str) {
        let now = self.now;
        let Some(home) = self.account.clusters.get_mut(cluster) else {
            return;
        };
        let Some(service) = home.services.get_mut(name) else {
            return;
        };
        for deployment in &mut service.deployments {
            let own = home
                .tasks
                .values()
                .filter(|t| t.desired_status == "RUNNING" && t.started_by == deployment.id);
            let (running, pending): (Vec<_>, Vec<_>) = own.partition(|t| t.last_status == "RUNNING");
            let counts = (
                u32::try_from(running.len()).unwrap_or(0),
                u32::try_from(pending.len()).unwrap_or(0),
            );
            if (deployment.running_count, deployment.pending_count) != counts {
                (deployment.running_count, deployment.pending_count) = counts;
                deployment.updated_at = now;
            }
        }
    }

    /// A task ended before it was of use. It is counted when the next start is tried, which comes after a pause.
    pub(super) fn start_failed(&mut self, cluster: &str, name: &str, task: &str, never_ran: bool) {
        let deployment = self.task(cluster, task).map(|t| t.started_by.clone());
        let primary = self.service(cluster, name).and_then(primary).map(|p| p.id.clone());
        let was_healthy = self.lives.get(task).is_some_and(|life| life.has_been_healthy);
        if deployment != primary || was_healthy {
            return;
        }
        let (retry, long) = (self.timings.retry, self.timings.long_retry);
        let retries = self.mind(cluster, name).retries;
        // Only tasks that never ran make ECS slow down (Developer Guide, "service throttle logic").
        let pause = match retries {
            _ if !never_ran => self.draw(retry),
            0 | 1 => self.draw(retry),
            2 => self.draw(long),
            more => long.low.saturating_mul(1 << (more - 2).min(4)).min(LONGEST_PAUSE),
        };
        if never_ran && retries >= 3 {
            self.complain(cluster, name, events::inconsistent(name));
        }
        self.failed_once(cluster, name, pause);
    }

    /// Notes one failure, and when the next start is tried. Failures of one moment share their pause.
    pub(super) fn failed_once(&mut self, cluster: &str, name: &str, pause: Duration) {
        let now = self.now;
        let mind = self.mind(cluster, name);
        mind.uncounted += 1;
        mind.completes_at = None;
        if mind.retry_at.is_none_or(|at| at <= now) {
            mind.retry_at = Some(now + pause);
            mind.retries += 1;
        }
    }

    /// Counts the failures since the last start, as ECS does when it tries the next; the breaker may fire upon that.
    pub(super) fn count_failures(&mut self, cluster: &str, name: &str) {
        let mind = self.mind(cluster, name);
        let (uncounted, is_pending) = (std::mem::take(&mut mind.uncounted), mind.breaker_pending);
        let Some(service) = self.service_mut(cluster, name) else {
            return;
        };
        let limit = threshold(service.desired_count);
        let is_watched = service.circuit_breaker.as_ref().is_some_and(|b| b.enable);
        let Some(primary) = service.deployments.iter_mut().find(|d| d.status == "PRIMARY") else {
            return;
        };
        primary.failed_tasks += uncounted;
        let (failed, id, open) = (
            primary.failed_tasks,
            primary.id.clone(),
            primary.rollout_state == "IN_PROGRESS",
        );
        for running in service
            .service_deployments
            .iter_mut()
            .filter(|d| d.deployment_id == id && is_open(&d.status))
        {
            running.failure_count = failed;
        }
        if is_watched && open && failed >= limit && !is_pending {
            self.mind(cluster, name).breaker_pending = true;
            let later = self.draw(Spread::millis(2_500, 3_100));
            let (cluster, service) = (cluster.to_owned(), name.to_owned());
            self.after(
                later,
                Happening::BreakerFires {
                    cluster,
                    service,
                    deployment: id,
                },
            );
        }
    }

    pub(super) fn breaker_fires(&mut self, cluster: &str, name: &str, deployment: &str) {
        let is_current = |p: &Deployment| p.id == deployment && p.rollout_state == "IN_PROGRESS";
        if !self.service(cluster, name).and_then(primary).is_some_and(is_current) {
            return;
        }
        let goes_back = self
            .service(cluster, name)
            .and_then(|s| s.circuit_breaker.as_ref())
            .is_some_and(|b| b.rollback);
        self.say(cluster, name, events::failed(name, deployment));
        let reason = "Service deployment rolled back because the circuit breaker threshold was exceeded.";
        self.fail_deployment(cluster, name, deployment, "TRIGGERED", goes_back, reason);
    }

    /// The PRIMARY deployment has failed: back to the last COMPLETED one, or left as it stands.
    pub(super) fn fail_deployment(
        &mut self,
        cluster: &str,
        name: &str,
        failed: &str,
        breaker: &str,
        goes_back: bool,
        why: &str,
    ) {
        let now = self.now;
        let by_breaker = breaker == "TRIGGERED";
        let completed = self
            .mind(cluster, name)
            .completed
            .clone()
            .filter(|d| goes_back && d.id != failed);
        let Some(service) = self.service_mut(cluster, name) else {
            return;
        };
        for old in service.deployments.iter_mut().filter(|d| d.id == failed) {
            old.rollout_state = "FAILED".into();
            old.rollout_state_reason = if by_breaker {
                BREAKER_REASON.into()
            } else {
                why.to_owned()
            };
            old.updated_at = now;
        }
        let revisions = service.arn.replacen(":service/", ":service-revision/", 1);
        for open in service
            .service_deployments
            .iter_mut()
            .filter(|d| d.deployment_id == failed && is_open(&d.status))
        {
            if open.breaker_status != "DISABLED" {
                open.breaker_status = breaker.into();
            }
            open.updated_at = now;
            open.status_reason = Some(why.into());
            match &completed {
                Some(target) => {
                    open.status = "ROLLBACK_IN_PROGRESS".into();
                    let number = target.id.rsplit('/').next().unwrap_or_default();
                    open.rollback = Some(Rollback {
                        reason: why.into(),
                        started_at: now,
                        revision: format!("{revisions}/{number}"),
                    });
                }
                None => {
                    open.status = "STOPPED".into();
                    open.status_reason = Some(if by_breaker {
                        BREAKER_REASON.into()
                    } else {
                        why.to_owned()
                    });
                    open.finished_at = Some(now);
                }
            }
        }
        let Some(target) = completed else {
            return;
        };
        for old in service.deployments.iter_mut().filter(|d| d.id == failed) {
            old.status = "ACTIVE".into();
        }
        // The old id stands again, with the moment of the rollback as its creation until it has completed.
        let kept = service.deployments.iter().position(|d| d.id == target.id);
        let mut again = kept.map_or_else(|| target.clone(), |place| service.deployments.remove(place));
        again.status = "PRIMARY".into();
        again.created_at = now;
        again.updated_at = now;
        again.failed_tasks = 0;
        again.desired_count = service.desired_count;
        again.rollout_state = "IN_PROGRESS".into();
        again.rollout_state_reason = format!(
            "ECS deployment circuit breaker: rolling back to deploymentId {}.",
            target.id
        );
        service.task_definition = again.task_definition.clone();
        service.deployments.insert(0, again);
        self.restore_revision(cluster, name, &target.id);
        self.say_after(
            cluster,
            name,
            events::rolling_back(name, &target.id),
            Duration::from_millis(1),
        );
        self.begin_anew(cluster, name);
        let later = self.draw(Spread::millis(2_600, 2_900));
        let mind = self.mind(cluster, name);
        mind.rolling_back = Some(target.created_at);
        mind.acts_from = now + later;
        self.recount(cluster, name);
        self.after(
            later,
            Happening::Look {
                cluster: cluster.to_owned(),
                service: name.to_owned(),
            },
        );
    }

    /// Plans the completion of the PRIMARY deployment once nothing is left to do for it.
    pub(super) fn watch_completion(&mut self, cluster: &str, name: &str) {
        if !self.nothing_left(cluster, name) {
            self.mind(cluster, name).completes_at = None;
            return;
        }
        let Some(deployment) = self.service(cluster, name).and_then(primary).map(|p| p.id.clone()) else {
            return;
        };
        if self.mind(cluster, name).completes_at.is_none() {
            let span = self.draw(self.timings.completion);
            let now = self.now;
            let mind = self.mind(cluster, name);
            // Counted from the last action; but a deployment is never completed in the moment it is first seen done.
            let at = (mind.last_action + span).max(now + Duration::from_secs(1));
            mind.completes_at = Some(at);
            let (cluster, service) = (cluster.to_owned(), name.to_owned());
            self.at(
                at,
                Happening::Completes {
                    cluster,
                    service,
                    deployment,
                },
            );
        }
    }

    pub(super) fn completes(&mut self, cluster: &str, name: &str, deployment: &str) {
        let now = self.now;
        let is_due = self.mind(cluster, name).completes_at == Some(now);
        let is_primary = self
            .service(cluster, name)
            .and_then(primary)
            .is_some_and(|p| p.id == deployment);
        if !is_due || !is_primary {
            return;
        }
        self.mind(cluster, name).completes_at = None;
        if !self.nothing_left(cluster, name) {
            return;
        }
        let original = self.mind(cluster, name).rolling_back.take();
        let Some(service) = self.service_mut(cluster, name) else {
            return;
        };
        let desired = service.desired_count;
        service.deployments.retain(|d| d.status == "PRIMARY");
        let mut done = None;
        for primary in &mut service.deployments {
            primary.rollout_state = "COMPLETED".into();
            primary.rollout_state_reason = format!("ECS deployment {} completed.", primary.id);
            primary.failed_tasks = 0;
            primary.desired_count = desired;
            primary.updated_at = now;
            primary.created_at = original.unwrap_or(primary.created_at);
            done = Some(primary.clone());
        }
        for open in service.service_deployments.iter_mut() {
            let status = match open.status.as_str() {
                "IN_PROGRESS" => "SUCCESSFUL",
                "ROLLBACK_IN_PROGRESS" => "ROLLBACK_SUCCESSFUL",
                _ => continue,
            };
            open.status = status.into();
            open.finished_at = Some(now);
            open.updated_at = now;
            if open.breaker_status == "MONITORING" {
                open.breaker_status = "MONITORING_COMPLETE".into();
            }
        }
        let mind = self.mind(cluster, name);
        mind.completed = done;
        mind.has_been_healthy = true;
        self.say(cluster, name, events::completed(name, deployment));
        self.say_after(cluster, name, events::steady(name), Duration::from_millis(1));
    }
}

pub(super) fn primary(service: &Service) -> Option<&Deployment> {
    service.deployments.iter().find(|d| d.status == "PRIMARY")
}

/// Whether a service deployment still goes on.
pub(super) fn is_open(status: &str) -> bool {
    matches!(
        status,
        "PENDING" | "IN_PROGRESS" | "ROLLBACK_REQUESTED" | "ROLLBACK_IN_PROGRESS"
    )
}

#[cfg(test)]
mod tests {
    use super::threshold;

    #[test]
    fn the_breaker_fires_after_half_the_desired_count_within_its_bounds() {
        assert_eq!([0, 1, 6, 7, 25, 400, 800].map(threshold), [3, 3, 3, 4, 13, 200, 200]);
    }
}
