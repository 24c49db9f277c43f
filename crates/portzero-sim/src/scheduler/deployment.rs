//! Deployments: how they are made, their counts, their completion.

use std::time::Duration;

use crate::model::state::{Deployment, Progress, Service, ServiceDeployment, primary};
use crate::model::status::{DeploymentStatus, RolloutState, ServiceDeploymentStatus, TaskStatus};
use crate::scenario::span::Spread;
use crate::timestamp::Timestamp;
use crate::world::{DeploymentEvent, ScheduledEvent, World, service_event};

/// The last registration to `deployment completed` where there is nothing to replace: 20.4 s in the one recording of a
/// service's first deployment. The scheduler's cadence of 10 s bounds it from below.
const FIRST_COMPLETION: Spread = Spread::millis(10_000, 20_400);

/// The PRIMARY deployment becomes ACTIVE, and an open service deployment stops. Returns the id of the one and the ARN of
/// the other.
fn retire(service: &mut Service, now: Timestamp) -> (Option<String>, Option<String>) {
    let mut replaced = None;
    for old in service
        .deployments
        .iter_mut()
        .filter(|d| d.status == DeploymentStatus::Primary)
    {
        old.status = DeploymentStatus::Active;
        old.updated_at = now;
        replaced = Some(old.id.clone());
    }
    let mut superseded = None;
    for running in service.service_deployments.iter_mut().filter(|d| d.status.is_open()) {
        running.status = ServiceDeploymentStatus::StopRequested;
        running.updated_at = now;
        superseded = Some(running.arn.clone());
    }
    (replaced, superseded)
}

fn new_deployment(id: &str, task_definition: &str, now: Timestamp) -> Deployment {
    Deployment {
        id: id.to_owned(),
        status: DeploymentStatus::Primary,
        task_definition: task_definition.to_owned(),
        desired_count: 0,
        pending_count: 0,
        running_count: 0,
        failed_tasks: 0,
        created_at: now,
        updated_at: now,
        rollout_state: RolloutState::InProgress,
        rollout_state_reason: format!("ECS deployment {id} in progress."),
    }
}

impl World {
    /// Makes a new PRIMARY deployment of the service; the one before it becomes ACTIVE.
    pub(crate) fn make_deployment(&mut self, cluster: &str, name: &str, task_definition: &str) -> Option<()> {
        let number = self.digits(19);
        let id = format!("ecs-svc/{number}");
        let mixed = self.mixed(21);
        let started = self.draw(Spread::millis(90, 160));
        let first = self.draw(self.timings.first_action);
        let now = self.now;
        let (region, account) = (self.account.region.clone(), self.account.id.clone());
        let service = self.service_mut(cluster, name)?;
        let watched = service.circuit_breaker.as_ref().is_some_and(|b| b.enable);
        let (replaced, superseded) = retire(service, now);
        let revision = |id: &str| {
            let number = id.rsplit('/').next().unwrap_or(id);
            format!("arn:aws:ecs:{region}:{account}:service-revision/{cluster}/{name}/{number}")
        };
        service.service_deployments.insert(
            0,
            ServiceDeployment {
                arn: format!("arn:aws:ecs:{region}:{account}:service-deployment/{cluster}/{name}/{mixed}"),
                deployment_id: id.clone(),
                status: ServiceDeploymentStatus::Pending,
                status_reason: None,
                created_at: now,
                started_at: None,
                finished_at: None,
                updated_at: now,
                source_revisions: replaced.iter().map(|id| revision(id)).collect(),
                target_revision: revision(&id),
                breaker_status: if watched { "MONITORING" } else { "DISABLED" }.into(),
                failure_count: 0,
                threshold: service.breaker_threshold(),
                rollback: None,
                progress: Progress::default(),
            },
        );
        service.task_definition = task_definition.to_owned();
        service.deployments.insert(0, new_deployment(&id, task_definition, now));
        self.begin_anew(cluster, name);
        self.listen_to_alarms(cluster, name);
        self.plan_course(cluster, name, superseded.is_some(), now + first);
        let scheduler = self.scheduler_state(cluster, name);
        scheduler.timing.acts_from = now + first;
        scheduler.rollback.since = None;
        if scheduler.deployments.next.is_none() {
            scheduler.deployments.next = Some((id.clone(), task_definition.to_owned()));
        }
        self.schedule_beginning(cluster, name, started, id, superseded);
        let (cluster, service) = (cluster.to_owned(), name.to_owned());
        self.after(first, ScheduledEvent::Look { cluster, service });
        Some(())
    }

    /// When the new service deployment begins, and when the one that it supersedes ends.
    fn schedule_beginning(
        &mut self,
        cluster: &str,
        name: &str,
        started: Duration,
        deployment: String,
        superseded: Option<String>,
    ) {
        let (cluster, service) = (cluster.to_owned(), name.to_owned());
        self.after(
            started,
            ScheduledEvent::Deployment {
                what: DeploymentEvent::Begins,
                cluster: cluster.clone(),
                service: service.clone(),
                deployment,
            },
        );
        if let Some(arn) = superseded {
            let later = self.draw(Spread::millis(100, 290));
            self.after(later, ScheduledEvent::Superseded { cluster, service, arn });
        }
    }

    /// A service deployment is PENDING for some tenths of a second (recorded: `startedAt` is that much later).
    pub(crate) fn begins(&mut self, cluster: &str, service: &str, deployment: &str) {
        let now = self.now;
        let Some(service) = self.service_mut(cluster, service) else {
            return;
        };
        for own in service
            .service_deployments
            .iter_mut()
            .filter(|d| d.deployment_id == deployment)
        {
            own.started_at = own.started_at.or(Some(now));
            if own.status == ServiceDeploymentStatus::Pending {
                own.status = ServiceDeploymentStatus::InProgress;
                own.updated_at = now;
            }
        }
    }

    /// Forgets the failures, pauses and plans that belong to the deployment before.
    pub(crate) fn begin_anew(&mut self, cluster: &str, service: &str) {
        let now = self.now;
        let scheduler = self.scheduler_state(cluster, service);
        scheduler.failures.uncounted = 0;
        scheduler.failures.last_by_health = false;
        scheduler.failures.alarm_pending = false;
        scheduler.timing.starts_from = now;
        scheduler.rollback.starts_late = false;
        scheduler.failures.retry_at = None;
        scheduler.failures.retries = 0;
        scheduler.timing.completes_at = None;
        scheduler.failures.breaker_pending = false;
        scheduler.health.has_been_healthy = false;
        scheduler.timing.last_action = now;
        scheduler.health.replacements.clear();
    }

    pub(crate) fn superseded(&mut self, cluster: &str, service: &str, arn: &str) {
        let now = self.now;
        let Some(service) = self.service_mut(cluster, service) else {
            return;
        };
        for old in service
            .service_deployments
            .iter_mut()
            .filter(|d| d.arn == arn && d.status == ServiceDeploymentStatus::StopRequested)
        {
            old.status = ServiceDeploymentStatus::Stopped;
            old.status_reason = Some("Replaced by a new service deployment.".into());
            old.finished_at = Some(now);
            old.progress.stopped_at = Some(now);
            old.updated_at = now;
            stop_watching(old);
        }
    }

    /// Brings the counts of the deployments in step with the tasks.
    pub(crate) fn recount(&mut self, cluster: &str, name: &str) {
        let now = self.now;
        let Some(home) = self.account.clusters.get_mut(cluster) else {
            return;
        };
        let Some(service) = home.services.get_mut(name) else {
            return;
        };
        let threshold = service.breaker_threshold();
        for open in service.service_deployments.iter_mut().filter(|d| d.status.is_open()) {
            open.threshold = threshold;
        }
        let tasks = self.task_ids.get(&(cluster.to_owned(), name.to_owned()));
        for deployment in &mut service.deployments {
            let own = tasks
                .into_iter()
                .flatten()
                .filter_map(|id| home.tasks.get(id))
                .filter(|t| t.desired_status == TaskStatus::Running && t.started_by == deployment.id);
            let (running, pending): (Vec<_>, Vec<_>) = own.partition(|t| t.last_status == TaskStatus::Running);
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

    /// Plans the completion of the PRIMARY deployment once nothing is left to do for it.
    pub(crate) fn watch_completion(&mut self, cluster: &str, name: &str) {
        if !self.nothing_left(cluster, name) {
            self.scheduler_state(cluster, name).timing.completes_at = None;
            return;
        }
        let Some(deployment) = self.service(cluster, name).and_then(primary).map(|p| p.id.clone()) else {
            return;
        };
        if self.scheduler_state(cluster, name).timing.completes_at.is_none() {
            let has_old = self.scheduler_state(cluster, name).deployments.completed.is_some();
            let span = self.draw(if has_old {
                self.timings.completion
            } else {
                FIRST_COMPLETION
            });
            let bake = self.alarm_bake(cluster, name);
            let now = self.now;
            let scheduler = self.scheduler_state(cluster, name);
            // Counted from the last action; but a deployment is never completed in the moment it is first seen done.
            let at = (scheduler.timing.last_action + span).max(now + Duration::from_secs(1)) + bake;
            scheduler.timing.completes_at = Some(at);
            let (cluster, service) = (cluster.to_owned(), name.to_owned());
            self.at(
                at,
                ScheduledEvent::Deployment {
                    what: DeploymentEvent::Completes,
                    cluster,
                    service,
                    deployment,
                },
            );
        }
    }

    /// How long a rolling update waits for its alarms after all else is done, or before an early success. The Developer
    /// Guide gives the default for alarms only as `less than 5 minutes`.
    fn alarm_bake(&mut self, cluster: &str, name: &str) -> Duration {
        let strategy = self.service(cluster, name).map(|s| &s.strategy);
        let configured = strategy.and_then(|strategy| strategy.bake_time);
        let is_early = strategy.is_some_and(|strategy| strategy.early_success.is_some());
        if is_early && !self.is_listening(cluster, name) {
            return configured.unwrap_or_default();
        }
        if self.is_staged(cluster, name) || !self.is_listening(cluster, name) {
            return Duration::ZERO;
        }
        configured.unwrap_or_else(|| self.draw(Spread::millis(180_000, 290_000)))
    }

    pub(crate) fn completes(&mut self, cluster: &str, name: &str, deployment: &str) {
        let now = self.now;
        let is_due = self.scheduler_state(cluster, name).timing.completes_at == Some(now);
        let is_primary = self
            .service(cluster, name)
            .and_then(primary)
            .is_some_and(|p| p.id == deployment);
        if !is_due || !is_primary {
            return;
        }
        self.scheduler_state(cluster, name).timing.completes_at = None;
        if !self.nothing_left(cluster, name) {
            return;
        }
        let original = self.scheduler_state(cluster, name).rollback.since.take();
        let Some(service) = self.service_mut(cluster, name) else {
            return;
        };
        let desired = service.desired_count;
        // Only a deferred clean-up leaves tasks of others behind.
        service
            .deployments
            .retain(|d| d.status == DeploymentStatus::Primary || d.running_count + d.pending_count > 0);
        let mut done = None;
        for primary in &mut service.deployments {
            primary.rollout_state = RolloutState::Completed;
            primary.rollout_state_reason = format!("ECS deployment {} completed.", primary.id);
            primary.failed_tasks = 0;
            primary.desired_count = desired;
            primary.updated_at = now;
            primary.created_at = original.unwrap_or(primary.created_at);
            done = Some(primary.clone());
        }
        for open in service.service_deployments.iter_mut() {
            let status = match open.status {
                ServiceDeploymentStatus::InProgress => ServiceDeploymentStatus::Successful,
                ServiceDeploymentStatus::RollbackInProgress => ServiceDeploymentStatus::RollbackSuccessful,
                _ => continue,
            };
            open.status = status;
            open.progress.stage = None;
            open.finished_at = Some(now);
            open.updated_at = now;
            stop_watching(open);
        }
        let scheduler = self.scheduler_state(cluster, name);
        scheduler.deployments.completed = done;
        scheduler.stage_progress = None;
        scheduler.health.has_been_healthy = true;
        self.say(cluster, name, service_event::completed(name, deployment));
        self.say_after(cluster, name, service_event::steady(name), Duration::from_millis(1));
    }
}

fn stop_watching(deployment: &mut ServiceDeployment) {
    for status in [&mut deployment.breaker_status, &mut deployment.progress.alarm_status] {
        if status == "MONITORING" {
            *status = "MONITORING_COMPLETE".into();
        }
    }
}
