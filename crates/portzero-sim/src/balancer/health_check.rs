//! Health as ECS sees it: of targets, of containers, and for how long it is patient.

use std::time::Duration;

use super::classic;
use crate::model::state::{Deployment, Task, primary};
use crate::model::status::{DeploymentStatus, HealthStatus, TargetState, TaskStatus};
use crate::scenario::fault::kinds::Fault;
use crate::scenario::span::Spread;
use crate::world::{World, service_event};

/// ECS registers a target at one of its beats and asks for its health at the next: no recording has a shorter gap
/// between `registered` and `has stopped`.
const NOTICED_AFTER: Duration = Duration::from_secs(10);

/// A task that nobody checks counts as healthy this long after its RUNNING (Developer Guide, deployment types).
const TRUSTED_AFTER: Duration = Duration::from_secs(40);

/// Why ECS stops a task for its health.
pub(crate) struct Sickness {
    /// What the service event says.
    pub event: String,
    /// The task's stopped reason.
    pub reason: String,
}

impl World {
    /// Whether ECS counts the task as healthy: it runs, and each of its targets is healthy (or is not checked at all).
    pub(crate) fn is_healthy(&self, task: &Task) -> bool {
        if task.last_status != TaskStatus::Running {
            return false;
        }
        let targets = self
            .task_runtimes
            .get(&task.id)
            .map(|runtime| runtime.targets.as_slice())
            .unwrap_or_default();
        let up = self.now.since(task.started_at.unwrap_or(self.now));
        if self.container_check(task).is_some() {
            if task.health_status != HealthStatus::Healthy {
                return false;
            }
        } else if targets.is_empty() && up < TRUSTED_AFTER {
            return false;
        }
        targets.iter().all(|(arn, id, port, _)| {
            self.group(arn)
                .and_then(|g| g.targets.iter().find(|t| &t.id == id && t.port == *port))
                .is_some_and(|t| {
                    t.state.counts_as_healthy()
                        && t.task.as_deref() == Some(&task.id)
                        && self.now.since(t.registered_at) >= NOTICED_AFTER
                })
        })
    }

    /// Notes who is healthy for the first time, and since when somebody is not.
    pub(crate) fn note_health(&mut self, cluster: &str, name: &str) {
        let tasks: Vec<Task> = self.wanted_tasks(cluster, name).into_iter().cloned().collect();
        let primary = self.service(cluster, name).and_then(primary).map(|p| p.id.clone());
        let tasks: Vec<Task> = tasks
            .into_iter()
            .map(|task| self.check_containers(cluster, task))
            .collect();
        for task in &tasks {
            if self.is_healthy(task) {
                let runtime = self.task_runtimes.entry(task.id.clone()).or_default();
                let is_first_time = !std::mem::replace(&mut runtime.has_been_healthy, true);
                if is_first_time && Some(&task.started_by) == primary.as_ref() {
                    self.forget_failures(cluster, name);
                }
            }
            match self.sickness(cluster, name, task) {
                None => {
                    self.scheduler_state(cluster, name)
                        .health
                        .unhealthy_since
                        .remove(&task.id);
                }
                Some(_)
                    if self
                        .scheduler_state(cluster, name)
                        .health
                        .unhealthy_since
                        .contains_key(&task.id) => {}
                Some(_) => {
                    let patience = self.draw(Spread::millis(15_000, 30_000));
                    let now = self.now;
                    self.scheduler_state(cluster, name)
                        .health
                        .unhealthy_since
                        .insert(task.id.clone(), (now, patience));
                }
            }
        }
        let alive = |id: &String| tasks.iter().any(|t| &t.id == id);
        let scheduler = self.scheduler_state(cluster, name);
        scheduler.health.unhealthy_since.retain(|id, _| alive(id));
        // One that has recovered is replaced no longer: one of the two is a task too many.
        let sick = &scheduler.health.unhealthy_since;
        scheduler
            .health
            .replacements
            .retain(|old, new| alive(old) && alive(new) && sick.contains_key(old));
    }

    /// The first task that is of use ends the pause between starts; each one sets the count of failures back, unless the
    /// circuit breaker says otherwise (API reference, `resetOnHealthyTask`).
    pub(crate) fn forget_failures(&mut self, cluster: &str, name: &str) {
        let scheduler = self.scheduler_state(cluster, name);
        if !std::mem::replace(&mut scheduler.health.has_been_healthy, true) {
            scheduler.failures.retry_at = None;
        }
        let breaker = self.service(cluster, name).and_then(|s| s.circuit_breaker);
        if breaker.is_some_and(|b| !b.resets()) {
            return;
        }
        self.scheduler_state(cluster, name).failures.uncounted = 0;
        let Some(service) = self.service_mut(cluster, name) else {
            return;
        };
        let is_primary = |d: &&mut Deployment| d.status == DeploymentStatus::Primary;
        let mut ids = Vec::new();
        for primary in service.deployments.iter_mut().filter(is_primary) {
            primary.failed_tasks = 0;
            ids.push(primary.id.clone());
        }
        let open = service.service_deployments.iter_mut().filter(|d| d.status.is_open());
        for running in open.filter(|d| ids.contains(&d.deployment_id)) {
            running.failure_count = 0;
        }
    }

    /// The container health check of a task's definition: how long until its first result, and until it has failed.
    pub(crate) fn container_check(&self, task: &Task) -> Option<(Duration, Duration)> {
        let document = &self.definition(&task.task_definition)?.document;
        let check = crate::model::container::containers(document)
            .into_iter()
            .find_map(|c| c.get("healthCheck"))?;
        let number = |key: &str, default: u64| check.get(key).and_then(serde_json::Value::as_u64).unwrap_or(default);
        let interval = Duration::from_secs(number("interval", 30));
        let retries = u32::try_from(number("retries", 3)).unwrap_or(3);
        Some((
            interval,
            Duration::from_secs(number("startPeriod", 0)).saturating_add(interval.saturating_mul(retries)),
        ))
    }

    /// Brings the health status of a task with a container health check up to date.
    fn check_containers(&mut self, cluster: &str, mut task: Task) -> Task {
        let (Some((first, failed)), Some(started)) = (self.container_check(&task), task.started_at) else {
            return task;
        };
        let up = self.now.since(started);
        task.health_status = match self.fails_its_own_check(cluster, &task) {
            true if up >= failed => "UNHEALTHY",
            false if up >= first => "HEALTHY",
            _ => "UNKNOWN",
        }
        .into();
        if let Some(shown) = self.task_mut(cluster, &task.id) {
            shown.health_status.clone_from(&task.health_status);
        }
        task
    }

    /// What is wrong with a running task after the grace period: its own check, or the first unhealthy target.
    pub(crate) fn sickness(&self, cluster: &str, name: &str, task: &Task) -> Option<Sickness> {
        let grace = self
            .service(cluster, name)?
            .health_check_grace_period
            .unwrap_or_default();
        if task.last_status != TaskStatus::Running || self.now.since(task.started_at?) < grace {
            return None;
        }
        if task.health_status == HealthStatus::Unhealthy {
            return Some(Sickness {
                event: service_event::failed_own_check(name, &task.id),
                reason: "Task failed container health checks".into(),
            });
        }
        let targets = &self.task_runtimes.get(&task.id)?.targets;
        // What could not be registered has not been taken away.
        let never_was = |key: &str| {
            self.is_in_force(cluster, name, |fault| *fault == Fault::WrongVpc)
                && self
                    .group(key)
                    .is_some_and(|group| group.targets.iter().all(|t| t.task.as_deref() != Some(&task.id)))
        };
        targets
            .iter()
            .filter(|(key, ..)| !never_was(key))
            .find_map(|(key, id, port, container_port)| self.sick_target(name, task, (key, id, *port), *container_port))
    }

    /// What is wrong with one target of a task. A group or a target that somebody has taken away counts as unhealthy.
    fn sick_target(
        &self,
        service: &str,
        task: &Task,
        (key, id, port): (&str, &str, u16),
        container_port: u16,
    ) -> Option<Sickness> {
        let reason = |key: &str| match crate::model::state::name_in(key) {
            Some(name) => format!("Task failed ELB health checks in (elb {name})"),
            None => format!("Task failed ELB health checks in (target-group {key})"),
        };
        let lost = |what: &str| {
            Some(Sickness {
                event: service_event::target_lost(service, task, key, what),
                reason: reason(key),
            })
        };
        let Some(group) = self.group(key) else {
            return lost("TARGET GROUP IS NOT FOUND");
        };
        let Some(target) = group.targets.iter().find(|t| t.id == id && t.port == port) else {
            return lost("TARGET IS NOT FOUND");
        };
        let why = target.description.clone().unwrap_or_default();
        (target.state == TargetState::Unhealthy).then(|| Sickness {
            event: match crate::model::state::name_in(key) {
                Some(name) => classic::unhealthy(service, &task.id, id, name),
                None => service_event::unhealthy(service, &task.id, container_port, key, &why),
            },
            reason: reason(key),
        })
    }
}
