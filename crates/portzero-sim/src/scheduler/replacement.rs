//! Replacements: of tasks that are unhealthy, and of old ones that crashed while a rollout goes on.

use std::time::Duration;

use crate::model::state::{Task, primary};
use crate::model::status::{DeploymentStatus, HealthStatus, RolloutState, TaskStatus};
use crate::scenario::span::Spread;
use crate::scheduler::View;
use crate::scheduler::rollback::FailedStart;
use crate::world::{World, service_event};

impl World {
    /// Unhealthy tasks: a replacement first where the upper limit leaves room, else the stop first. Whether any was
    /// stopped without a replacement.
    pub(crate) fn replace_unhealthy(&mut self, cluster: &str, name: &str) -> bool {
        let mut has_stopped = false;
        let now = self.now;
        let due = self.scheduler_state(cluster, name).health.unhealthy_since.clone();
        for (id, (since, patience)) in due {
            if now.since(since) < patience {
                continue;
            }
            let Some(task) = self.task(cluster, &id).cloned() else {
                continue;
            };
            let Some(view) = self.view(cluster, name) else {
                return has_stopped;
            };
            let replacement = self
                .scheduler_state(cluster, name)
                .health
                .replacements
                .get(&id)
                .cloned();
            let has_room = view.live() < view.upper && view.old.is_empty() && view.live() <= view.desired;
            match replacement {
                Some(new)
                    if self
                        .task(cluster, &new)
                        .is_some_and(|t| t.last_status != TaskStatus::Running) => {}
                None if has_room && !self.switches.unhealthy_stop_first => {
                    self.start_replacement(cluster, name, &task);
                }
                other => {
                    has_stopped |= other.is_none();
                    self.stop_unhealthy(cluster, name, &task, Duration::ZERO);
                }
            }
        }
        has_stopped
    }

    fn start_replacement(&mut self, cluster: &str, name: &str, task: &Task) {
        let before = self.service(cluster, name).map(|s| s.events.len()).unwrap_or(0);
        self.count_failures(cluster, name);
        let started = self.start_tasks(cluster, name, &task.started_by, 1);
        let Some(new) = started.first() else {
            if self.service(cluster, name).is_some_and(|s| s.events.len() >= before) {
                self.stop_unhealthy(cluster, name, task, Duration::ZERO);
            }
            return;
        };
        self.say(cluster, name, service_event::replaced(name, &started));
        let now = self.now;
        let scheduler = self.scheduler_state(cluster, name);
        scheduler.timing.last_action = now;
        scheduler.health.replacements.insert(task.id.clone(), new.clone());
        // Recorded: for its own check a task goes in the same moment, for its target's only when the replacement runs.
        if task.health_status == HealthStatus::Unhealthy {
            let gap = self.draw(Spread::millis(36, 40));
            self.stop_unhealthy(cluster, name, task, gap);
        }
    }

    fn stop_unhealthy(&mut self, cluster: &str, name: &str, task: &Task, later: Duration) {
        let Some(sickness) = self.sickness(cluster, name, task) else {
            return;
        };
        self.say_after(cluster, name, sickness.event, later);
        // Recorded: 36 to 150 ms for a target's health, 1 to 10 ms for a container's own.
        let is_own = task.health_status == HealthStatus::Unhealthy;
        let gap = self.draw(if is_own {
            Spread::millis(1, 10)
        } else {
            Spread::millis(36, 150)
        });
        let ids = [task.id.clone()];
        if is_own {
            self.task_runtimes.entry(task.id.clone()).or_default().ended_itself_at = Some(self.now);
        }
        self.say_after(cluster, name, service_event::stopped(name, &ids), later + gap);
        self.stop_tasks(cluster, &ids, "ServiceSchedulerInitiated", &sickness.reason, true);
        let scheduler = self.scheduler_state(cluster, name);
        scheduler.health.unhealthy_since.remove(&task.id);
        scheduler.failures.last_by_health = is_own;
        self.start_failed(cluster, name, &task.id, FailedStart::Unhealthy);
    }

    /// Tasks of the old revision that ended by themselves are replaced by their like, as long as the new ones cannot do
    /// without them.
    pub(crate) fn replace_crashed(&mut self, cluster: &str, name: &str, view: &View) {
        let now = self.now;
        let waits = self
            .scheduler_state(cluster, name)
            .failures
            .old_retry_at
            .is_some_and(|at| at > now);
        if !self.switches.crashed_old_tasks_return || waits {
            return;
        }
        let Some(service) = self.service(cluster, name) else {
            return;
        };
        let old = service
            .deployments
            .iter()
            .find(|d| d.status == DeploymentStatus::Active && d.rollout_state == RolloutState::Completed)
            .map(|d| (d.id.clone(), usize::try_from(d.desired_count).unwrap_or(0)));
        let Some((id, wanted)) = old else {
            return;
        };
        let missing = wanted.min(view.kept_old()).saturating_sub(view.old.len());
        let room = view
            .upper
            .saturating_sub(view.live().max(view.desired + view.old.len()));
        let count = u32::try_from(missing.min(room)).unwrap_or(0);
        if count == 0 {
            return;
        }
        let started = self.start_tasks(cluster, name, &id, count);
        if !started.is_empty() {
            let pause = self.draw(self.timings.retry);
            self.scheduler_state(cluster, name).failures.old_retry_at = Some(now + pause);
            self.say(cluster, name, service_event::started(name, &started));
        }
    }

    /// Tasks of completed deployments that were started to replace crashed ones, while the PRIMARY is rolled out.
    pub(crate) fn returning(&self, cluster: &str, name: &str) -> Vec<String> {
        let since = self.service(cluster, name).and_then(primary).map(|p| p.created_at);
        let kept: Vec<&String> = self
            .service(cluster, name)
            .into_iter()
            .flat_map(|s| &s.deployments)
            .filter(|d| d.status == DeploymentStatus::Active && d.rollout_state == RolloutState::Completed)
            .map(|d| &d.id)
            .collect();
        self.wanted_tasks(cluster, name)
            .into_iter()
            .filter(|t| kept.contains(&&t.started_by) && since.is_some_and(|since| t.created_at > since))
            .map(|t| t.id.clone())
            .collect()
    }
}
