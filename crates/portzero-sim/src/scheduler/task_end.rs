//! How tasks end: they never came up, they ended by themselves, or ECS stops them.

use std::time::Duration;

use super::rollback::FailedStart;
use super::task_life::stage;
use crate::model::status::TaskStatus;
use crate::world::{ScheduledEvent, TaskStage, World, service_event};

impl World {
    /// A task that never came up: STOPPED with TaskFailedToStart, and an event with the reason.
    pub(crate) fn fails_to_start(&mut self, cluster: &str, id: &str, reason: &str, in_container: Option<&str>) {
        let fargate = self.task(cluster, id).is_some_and(|t| t.launch_type == "FARGATE");
        let now = self.now;
        let told = in_container.filter(|_| fargate).unwrap_or(reason).to_owned();
        if let Some(task) = self.task_mut(cluster, id) {
            task.desired_status = TaskStatus::Stopped;
            task.stop_code = Some("TaskFailedToStart".into());
            task.stopped_reason = Some(told.clone());
            if in_container.is_some() {
                task.pull_stopped_at = task.pull_stopped_at.or(Some(now));
            }
            for container in &mut task.containers {
                container.reason = in_container.map(str::to_owned);
            }
        }
        let service = self.task(cluster, id).map(|t| t.service.clone()).unwrap_or_default();
        let said = in_container.unwrap_or(&told).to_owned();
        self.complain(cluster, &service, service_event::could_not_start(&service, &said));
        self.after(Duration::from_millis(900), stage(cluster, id, TaskStage::Stopped));
        self.start_failed(cluster, &service, id, FailedStart::NeverRan);
    }

    /// The essential container has ended by itself, and with it the task.
    pub(crate) fn container_ends(&mut self, cluster: &str, id: &str, exit_code: i32, reason: Option<String>) {
        let now = self.now;
        let Some(task) = self.task_mut(cluster, id) else {
            return;
        };
        if task.containers.iter().all(|c| c.last_status == TaskStatus::Stopped)
            || task.desired_status == TaskStatus::Stopped
        {
            return;
        }
        let began = task.started_at.is_some();
        task.desired_status = TaskStatus::Stopped;
        task.last_status = TaskStatus::Deactivating;
        task.execution_stopped_at = Some(now);
        task.stopping_at = Some(now);
        task.stop_code = Some(
            if began {
                "EssentialContainerExited"
            } else {
                "TaskFailedToStart"
            }
            .into(),
        );
        task.stopped_reason = Some("Essential container in task exited".into());
        for (place, container) in task.containers.iter_mut().enumerate() {
            container.last_status = TaskStatus::Stopped;
            // The others are stopped with it.
            container.exit_code = Some(if place == 0 { exit_code } else { 137 });
            container.reason = reason.clone().filter(|_| place == 0);
        }
        let service = task.service.clone();
        self.task_runtimes.entry(id.to_owned()).or_default().ended_itself_at = Some(now);
        self.deregister_soon(cluster, &service, &[id.to_owned()], false);
        self.after(Duration::from_millis(2_500), stage(cluster, id, TaskStage::Stopped));
        self.start_failed(cluster, &service, id, FailedStart::Ended);
        self.recount(cluster, &service);
    }

    /// ECS stops tasks: they leave the count of what it wants at once, then the load balancer, then they end.
    pub(crate) fn stop_tasks(&mut self, cluster: &str, tasks: &[String], code: &str, reason: &str, for_health: bool) {
        let Some(service) = tasks
            .first()
            .and_then(|id| self.task(cluster, id))
            .map(|t| t.service.clone())
        else {
            return;
        };
        let mut behind_balancer = Vec::new();
        for id in tasks {
            let has_targets = !self.owned_targets(id).is_empty();
            let Some(task) = self.task_mut(cluster, id) else {
                continue;
            };
            task.desired_status = TaskStatus::Stopped;
            task.stop_code = Some(code.to_owned());
            task.stopped_reason = Some(reason.to_owned());
            task.version += 1;
            if has_targets {
                task.last_status = TaskStatus::Deactivating;
                behind_balancer.push(id.clone());
            } else {
                self.after(Duration::from_millis(600), stage(cluster, id, TaskStage::Stop));
            }
        }
        let now = self.now;
        self.scheduler_state(cluster, &service).timing.last_action = now;
        self.deregister_soon(cluster, &service, &behind_balancer, for_health);
        self.recount(cluster, &service);
    }

    /// Puts the end of containers that misbehave on the queue.
    pub(crate) fn script_ends(&mut self, cluster: &str, tasks: &[String]) {
        for id in tasks {
            let Some(task) = self.task(cluster, id) else {
                continue;
            };
            if let Some((exit_code, later, reason)) = self.behaviour(cluster, task).ends {
                self.after(
                    later,
                    ScheduledEvent::Ends {
                        cluster: cluster.to_owned(),
                        task: id.clone(),
                        exit_code,
                        reason,
                    },
                );
            }
        }
    }
}
