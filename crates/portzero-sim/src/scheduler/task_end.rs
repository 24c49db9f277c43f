//! How tasks end: they never came up, they ended by themselves, or ECS stops them.

use std::time::Duration;

use super::rollback::FailedStart;
use super::task_life::stage;
use crate::faults::behaviour::{Beside, ContainerEnd};
use crate::model::container::is_essential;
use crate::model::state::Container;
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

    /// A container is waited for in vain: the agent stops who waits, and with it the task. Source: amazon-ecs-agent, pull
    /// request 3218, which has the words and the exit code.
    pub(crate) fn dependency_fails(&mut self, cluster: &str, id: &str, failed: &Beside, waiting: &str) {
        let words = format!(
            "CannotStartContainerError: dependency graph: failed to resolve container ordering dependency [{}] for target \
             [{waiting}] as dependency did not exit successfully.",
            failed.container()
        );
        self.fails_to_start(cluster, id, "Task failed to start", Some(&words));
        let Some(task) = self.task_mut(cluster, id) else { return };
        for container in &mut task.containers {
            container.reason = None;
            if container.name == waiting {
                (container.exit_code, container.reason) = (Some(143), Some(words.clone()));
            } else if container.name == failed.container() {
                container.last_status = TaskStatus::Stopped;
                container.exit_code = failed.exit_code();
                if let Beside::Unpulled(_, words) = failed {
                    container.reason = Some(words.clone());
                }
            }
        }
    }

    /// A container that is not essential ends: the task goes on.
    fn ends_beside(&mut self, cluster: &str, id: &str, end: &ContainerEnd) {
        let Some(task) = self.task_mut(cluster, id) else { return };
        task.version += 1;
        for container in task.containers.iter_mut().filter(|c| c.name == end.container) {
            container.last_status = TaskStatus::Stopped;
            container.exit_code = Some(end.exit_code);
            container.reason.clone_from(&end.reason);
        }
    }

    /// A container has ended by itself, and with it the task, unless it is not essential.
    pub(crate) fn container_ends(&mut self, cluster: &str, id: &str, end: &ContainerEnd) {
        let now = self.now;
        let arn = self.task(cluster, id).map(|task| task.task_definition.clone());
        let definition = arn.and_then(|arn| self.definition(&arn));
        let is_beside = definition.is_some_and(|definition| !is_essential(&definition.document, &end.container));
        let Some(task) = self.task_mut(cluster, id) else {
            return;
        };
        if task.containers.iter().all(|c| c.last_status == TaskStatus::Stopped)
            || task.desired_status == TaskStatus::Stopped
        {
            return;
        }
        if is_beside {
            return self.ends_beside(cluster, id, end);
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
        let running = |container: &&mut Container| container.last_status != TaskStatus::Stopped;
        for container in task.containers.iter_mut().filter(running) {
            let is_it = container.name == end.container;
            container.last_status = TaskStatus::Stopped;
            // The others are stopped with it.
            container.exit_code = Some(if is_it { end.exit_code } else { 137 });
            container.reason = end.reason.clone().filter(|_| is_it);
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
            let behaviour = self.behaviour(cluster, task);
            let beside = behaviour.beside.into_iter().filter_map(|beside| match beside {
                Beside::Ends(end) => Some(end),
                Beside::Unpulled(..) => None,
            });
            for end in beside.chain(behaviour.ends) {
                self.after(
                    end.after,
                    ScheduledEvent::Ends {
                        cluster: cluster.to_owned(),
                        task: id.clone(),
                        end,
                    },
                );
            }
        }
    }
}
